"""What every command needs first: the configuration, the session, a place to write to."""

import argparse
import os
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from qwenwatch.config import Config, load_config
from qwenwatch.files import write_whole
from qwenwatch_cache.clock import parse_instant, system_clock
from qwenwatch_cache.errors import QwenwatchError, StoreError

if TYPE_CHECKING:
    from qwenwatch.session import Session


def read_config(options: argparse.Namespace) -> Config:
    """The configuration that the command line names.

    Raises:
        ConfigError: It cannot be used.
    """
    return load_config(getattr(options, "config", None), getattr(options, "cache_dir", None))


def is_offline(options: argparse.Namespace) -> bool:
    """Whether --offline or QWENWATCH_OFFLINE forbids to ask feeds."""
    stated = os.environ.get("QWENWATCH_OFFLINE", "")
    return getattr(options, "offline", False) or stated not in {"", "0", "false"}


def open_session(options: argparse.Namespace) -> "Session":
    """Open the cache.

    Raises:
        ConfigError: The configuration cannot be used.
        StoreError: The cache cannot be used.
    """
    from qwenwatch.session import Session

    return Session.open(read_config(options), system_clock(), offline=is_offline(options))


def is_quiet(options: argparse.Namespace) -> bool:
    """Whether nothing is to be said on standard error."""
    return getattr(options, "quiet", False)


def narrate(options: argparse.Namespace, text: str) -> None:
    """Say something on standard error, unless told to be quiet."""
    if not is_quiet(options):
        sys.stderr.write(f"{text}\n")


def wants_colour(options: argparse.Namespace) -> bool:
    """Whether standard output is a terminal and nobody asked for no colour."""
    if getattr(options, "no_color", False) or os.environ.get("NO_COLOR"):
        return False
    return getattr(options, "output", None) is None and sys.stdout.isatty()


def write_out(text: str, path: Path | None) -> None:
    """Write data to standard output, or to a file as a whole.

    Raises:
        QwenwatchError: The file cannot be: its folder is not there, or it is one itself.
        StoreError: The file cannot be written; what it held before is unchanged.
    """
    if path is None:
        sys.stdout.buffer.write(text.encode())
        sys.stdout.buffer.flush()
        return
    if path.is_dir():
        raise QwenwatchError(f"cannot write {path}: it is a directory")
    if not path.resolve().parent.is_dir():
        raise QwenwatchError(f"cannot write {path}: no such directory")
    try:
        write_whole(path, text)
    except OSError as error:
        raise StoreError(f"cannot write {path}: {error.strerror}") from error


def instant_option(text: str | None) -> datetime | None:
    """A moment given on the command line.

    Raises:
        ValueError: It is none.
    """
    return None if text is None else parse_instant(text)
