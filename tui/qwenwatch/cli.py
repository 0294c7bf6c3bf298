"""The program's entry: which module does a command, and what becomes of errors. Nothing slow is
imported here."""

import argparse
import contextlib
import gc
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from qwenwatch.command_line import build_parser
from qwenwatch.exit_codes import ExitCode

_COMMANDS = {
    None: ("screen", "run_screen"),
    "snapshot": ("snapshot", "run_snapshot"),
    "leaders": ("snapshot", "run_snapshot"),
    "definitions": ("definitions", "run_definitions"),
    "prices": ("prices", "run_prices"),
    "index": ("index", "run_index"),
    "changes": ("changes", "run_changes"),
    "diff": ("changes", "run_diff"),
    "spend": ("spend", "run_spend"),
    "identity": ("identity", "run_identity"),
    "cost": ("cost", "run_cost"),
    "disagreement": ("disagreement", "run_disagreement"),
    "check": ("check", "run_check"),
    "hosts": ("hosts", "run_hosts"),
    "refresh": ("refresh", "run_refresh"),
    "feeds": ("feeds", "run_feeds"),
    "cache": ("cache", "run_cache"),
    "config": ("places", "run_places"),
}
"""Module of `qwenwatch.commands` and function that does each command."""

SHORT = frozenset({"snapshot", "leaders", "definitions", "prices", "spend", "cost", "identity"})
"""Commands that look at so few rows that to start threads for them takes longer than they save."""


def _run(options: argparse.Namespace) -> int:
    if options.command in SHORT:
        os.environ.setdefault("POLARS_MAX_THREADS", "1")
    module, function = _COMMANDS[options.command]
    status: int = getattr(import_module(f"qwenwatch.commands.{module}"), function)(options)
    return status


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; returns the exit status (see `qwenwatch.exit_codes`)."""
    gc.disable()  # Imports make many objects and no garbage; the screen switches it on again.
    given = sys.argv[1:] if arguments is None else arguments
    options = build_parser(given).parse_args(given)
    from qwenwatch_cache.errors import NothingToShow, QwenwatchError, StoreError

    try:
        status = _run(options)
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        # The reader (head, say) has seen enough; Python must not try to flush to it again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.GOOD
    except NothingToShow as error:
        return _fail(str(error), ExitCode.NOTHING_TO_SHOW)
    except StoreError as error:
        return _fail(str(error), ExitCode.CACHE)
    except (QwenwatchError, ValueError) as error:
        return _fail(str(error), ExitCode.USAGE)
    except OSError as error:
        return _fail(f"cannot write the output: {error.strerror}", ExitCode.CACHE)
    except (OverflowError, ArithmeticError):
        return _fail("a date, time or number given is out of range", ExitCode.USAGE)
    except Exception as error:  # nobody but a developer can read a traceback
        kind = type(error).__name__
        return _fail(f"internal fault ({kind}: {error}); please report it", ExitCode.FAULT)
    return status


def run() -> None:
    """Entry point of the installed command: run, and leave without taking everything apart."""
    if sys.stdout is None or sys.stderr is None or sys.stdin is None:
        os._exit(ExitCode.USAGE)  # started without the three streams: nobody can be told
    status = main()
    with contextlib.suppress(OSError):
        sys.stdout.flush()
    with contextlib.suppress(OSError):
        sys.stderr.flush()
    # The interpreter's own end costs as much as a small answer once Polars is loaded.
    os._exit(status)


def _fail(message: str, code: ExitCode) -> ExitCode:
    sys.stderr.write(f"qwenwatch: {message}\n")
    return code


if __name__ == "__main__":
    run()
