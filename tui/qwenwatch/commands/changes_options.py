"""Options of the commands that tell what changed."""

import argparse
from collections.abc import Callable


def add_period_options(parser: argparse.ArgumentParser, count: Callable[[str], int]) -> None:
    """Add what `qwenwatch changes` takes besides the options of every answer.

    Args:
        parser: The parser of the command.
        count: Reads a number of rows.
    """
    parser.add_argument("--since", metavar="D", help="first day; default: six days before the last")
    parser.add_argument(
        "--until", metavar="D", help="last day; default: the last known that is over"
    )
    parser.add_argument(
        "--sort",
        choices=("time", "drop", "rise"),
        default="time",
        help="order of the price changes: newest first, or what dropped or rose most",
    )
    _common_options(parser, count)


def add_diff_options(parser: argparse.ArgumentParser, count: Callable[[str], int]) -> None:
    """Add what `qwenwatch diff` takes besides the options of every answer.

    Args:
        parser: The parser of the command.
        count: Reads a number of rows.
    """
    parser.add_argument("earlier", metavar="D1", help="the earlier day, YYYY-MM-DD")
    parser.add_argument("later", metavar="D2", help="the later day")
    parser.add_argument(
        "--exit-code", action="store_true", help="status 1 if anything confirmed differs"
    )
    _common_options(parser, count)


def _common_options(parser: argparse.ArgumentParser, count: Callable[[str], int]) -> None:
    parser.add_argument(
        "--kind",
        action="append",
        choices=("price", "added", "removed", "expiring", "rank", "share"),
        help="only this; may be given several times, as may the next two",
    )
    parser.add_argument("--vendor", action="append", metavar="V", help="only of this vendor")
    parser.add_argument("--model", action="append", metavar="M", help="only of this model")
    parser.add_argument("--watch", action="store_true", help="only of the watch list, too")
    parser.add_argument(
        "--basis", choices=("route", "list"), help="only what a router charges, or what is listed"
    )
    parser.add_argument(
        "--marks", choices=("confirmed", "all"), default="all", help="default: all, told apart"
    )
    parser.add_argument("--top", type=count, metavar="N", help="rows of a table; 0 for all")
    parser.add_argument("--by", choices=("vendor", "model"), help="ranks and shares of these only")
    parser.add_argument("--metric", metavar="M", help="tokens, requests, spend, or METRIC/FEED")
