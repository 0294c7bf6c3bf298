"""What the command's exit status means; part of the contract with scripts."""

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit status of `qwenwatch`."""

    GOOD = 0
    """All is well."""
    CHECK_FAILED = 1
    """A check that was asked for failed."""
    USAGE = 2
    """The command line or the configuration is wrong."""
    FEED_FAILED = 3
    """At least one feed failed; what is cached was served."""
    NOTHING_TO_SHOW = 4
    """There are no figures for what was asked."""
    CACHE = 5
    """The cache is damaged, locked, or cannot be written."""
    FAULT = 70
    """A fault of the program itself; worth a report."""
    INTERRUPTED = 130
    """Stopped with Ctrl-C."""
