"""Run the feed server from a shell: ``python -m tests.feedserver``."""

import argparse
import signal
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from tests.feedserver.bodies import FIXTURE_NOW, Bodies, Clock, FixtureBodies
from tests.feedserver.faults import FAULTS, Rule, parse_spec
from tests.feedserver.recorded import RecordedBodies
from tests.feedserver.routes import FEEDS
from tests.feedserver.server import FeedServer


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until interrupted."""
    parser = _parser()
    options = parser.parse_args(arguments)
    at: datetime | None = options.at
    if at is None and options.recordings is None:
        at = FIXTURE_NOW
    clock: Clock = _wall_clock if at is None else lambda: at
    bodies: Bodies = (
        FixtureBodies() if options.recordings is None else RecordedBodies(options.recordings, clock)
    )
    try:
        server = FeedServer(bodies, now=clock, port=options.port, verbose=options.verbose)
    except OSError as problem:
        parser.error(f"port {options.port}: {problem.strerror}")
    for rule in options.fault:
        server.plan.add(rule)
    # A process that a shell starts in the background would ignore SIGINT.
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, signal.default_int_handler)
    try:
        with server:
            variables = [f"QWENWATCH_FEEDS_URL={server.url}"]
            if at is not None:
                variables.append(f"QWENWATCH_NOW={at:%Y-%m-%dT%H:%M:%SZ}")
            sys.stdout.write(f"{server.url}  {' '.join(variables)}\n")
            sys.stdout.flush()
            while True:
                time.sleep(3600)
    except KeyboardInterrupt:
        return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.feedserver",
        description="Play the feeds on loopback, and faults on demand.",
        epilog=f"Feeds: {', '.join(FEEDS)}. Faults: {', '.join(FAULTS)}.",
    )
    source = parser.add_mutually_exclusive_group()
    source.add_argument(
        "--recordings", type=_folder, metavar="DIR", help="folder with prices/ and usage/"
    )
    source.add_argument(
        "--fixtures", action="store_true", help="play the hand-written fixtures (default)"
    )
    parser.add_argument("--port", type=int, default=8765, help="0 takes any free one")
    parser.add_argument(
        "--at",
        type=_moment,
        metavar="ISO",
        help="the time that it is, e.g. 2026-08-22T01:00:00Z; without it fixtures have their own "
        "time and recordings the real one",
    )
    parser.add_argument(
        "--fault",
        type=_rule,
        action="append",
        default=[],
        metavar="SPEC",
        help="FEED:FAULT[@N|@N-M][;retry-after=S], e.g. openrouter-models:503@1-2",
    )
    parser.add_argument("-v", "--verbose", action="store_true", help="a line per request")
    return parser


def _wall_clock() -> datetime:
    return datetime.now(UTC)


def _folder(text: str) -> Path:
    path = Path(text)
    if not (path / "prices").is_dir() or not (path / "usage").is_dir():
        raise argparse.ArgumentTypeError(f"{text} has no prices/ and usage/")
    return path


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is not a time in ISO 8601") from None
    # A time without a zone is taken as UTC, like everywhere in the program.
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _rule(text: str) -> Rule:
    try:
        return parse_spec(text)
    except ValueError as problem:
        raise argparse.ArgumentTypeError(str(problem)) from None


if __name__ == "__main__":
    sys.exit(main())
