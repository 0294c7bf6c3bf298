"""The command line for argparse: every command with its options. Nothing slow is imported here."""

import argparse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from qwenwatch import __version__
from qwenwatch.commands.changes_options import add_diff_options, add_period_options
from qwenwatch.commands.cost_options import add_cost_options, add_disagreement_options
from qwenwatch.commands.price_options import add_index_options, add_price_options

ABOUT = "Watch the market of LLM APIs: who is used how much, at what price, and what changed."

EXAMPLES = """\
examples:
  qwenwatch                                   open the screen (--demo: without network)
  qwenwatch refresh                           ask the feeds that are due
  qwenwatch snapshot --date 2026-08-21 --format json

  qwenwatch definitions --date 2026-04-05     who led, by every definition
  qwenwatch spend --by country                what the tokens would have cost
  qwenwatch changes --since 2026-08-01        prices, models, ranks and shares

  qwenwatch prices claude-opus-4.6 glm-5 --date 2026-02-20 --baseline minimax-m2.5
  qwenwatch cost --input 12M --output 3M      a workload across all models
  qwenwatch index --basis list                how each vendor's prices moved
  qwenwatch disagreement qwen3.7-plus         what several sources say of a price
  qwenwatch hosts qwen3-max                   who serves a model, at what price
  qwenwatch identity qwen3-max                which ids are joined as that model
  qwenwatch check --strict                    published figures against the data
"""

EXIT_CODES = """\
exit codes:
  0 good · 1 a check failed · 2 usage or configuration · 3 a feed failed, what is cached was served
  4 nothing to show · 5 the cache is damaged, locked or cannot be written
  70 a fault of the program · 130 interrupted
"""

_WITH_VALUE = frozenset({"--config", "--cache-dir"})
"""Options that may come before the command, with a value that is no command."""

FORMATS = ("text", "json", "ndjson", "csv", "md")


def build_parser(arguments: Sequence[str] = ()) -> argparse.ArgumentParser:
    """The command line: of the command that the arguments name, or whole if they name none.

    To describe all commands takes as long as some answers.
    """
    common = _common()
    parser = argparse.ArgumentParser(
        prog="qwenwatch",
        parents=[common],
        description=f"{EXAMPLES}\n{ABOUT}",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"qwenwatch {__version__}")
    parser.add_argument(
        "--demo", action="store_true", help="open the screen on the bundled baseline alone"
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    named = _named(arguments)
    for name in [named] if named in _COMMANDS else _COMMANDS:
        text, add_options = _COMMANDS[name]
        add_options(
            commands.add_parser(
                name, parents=[common], help=text, description=text, allow_abbrev=False
            )
        )
    return parser


def _named(arguments: Sequence[str]) -> str:
    """The word in the place of a command, "" if there is none or help comes before it."""
    rest = iter(arguments)
    for one in rest:
        if one in _WITH_VALUE:
            next(rest, None)
        elif one in {"-h", "--help"}:
            return ""
        elif not one.startswith("-"):
            return one
    return ""


def _common() -> argparse.ArgumentParser:
    """Options of every command."""
    common = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    group = common.add_argument_group("common options")
    group.add_argument("--config", type=Path, metavar="FILE", help="configuration to read")
    group.add_argument("--cache-dir", metavar="DIR", help="cache directory, or address to read")
    group.add_argument("--offline", action="store_true", help="ask no feed")
    group.add_argument("--no-color", action="store_true", help="print without colour")
    group.add_argument("-q", "--quiet", action="store_true", help="say nothing on standard error")
    return common


def _leaders_options(parser: argparse.ArgumentParser) -> None:
    _snapshot_options(parser, ("vendor", "model", "country", "app"))


def _whole_snapshot_options(parser: argparse.ArgumentParser) -> None:
    _snapshot_options(parser)
    parser.add_argument(
        "--section",
        action="append",
        choices=("leaderboards", "definitions", "spend", "changes", "prices"),
        help="only this part; may be given several times",
    )


def _prices_options(parser: argparse.ArgumentParser) -> None:
    _snapshot_options(parser)
    add_price_options(parser)


def _index_options(parser: argparse.ArgumentParser) -> None:
    _answer_options(parser)
    add_index_options(parser)


def _cost_options(parser: argparse.ArgumentParser) -> None:
    add_cost_options(parser, FORMATS, _count)


def _disagreement_options(parser: argparse.ArgumentParser) -> None:
    add_disagreement_options(parser, _count)
    _answer_options(parser)


def _period_options(parser: argparse.ArgumentParser) -> None:
    add_period_options(parser, _count)
    _answer_options(parser)


def _diff_options(parser: argparse.ArgumentParser) -> None:
    add_diff_options(parser, _count)
    _answer_options(parser)


def _hosts_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help="model id or a unique part of one")
    parser.add_argument(
        "--known-at", metavar="T", help="ask nobody and use nothing learned later than this"
    )
    parser.add_argument("--format", choices=FORMATS, default="text")


def _refresh_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--feed", action="append", metavar="NAME", help="only this feed")
    parser.add_argument("--force", action="store_true", help="ask also what is not due")
    parser.add_argument(
        "--backfill",
        action="store_true",
        help="ask for the whole past that feeds give; goes on where it was broken off",
    )


def _feeds_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--format", choices=("text", "json", "md"), default="text")


def _config_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "action", choices=("path", "init"), help="print where it is; write a commented file"
    )


def _answer_options(parser: argparse.ArgumentParser) -> None:
    """Options of every command that answers one question (`qwenwatch.commands.answering`)."""
    parser.add_argument("--known-at", metavar="T", help="use nothing learned later than this")
    parser.add_argument("--format", choices=FORMATS, default="text")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="write to a file")


def _snapshot_options(
    parser: argparse.ArgumentParser, groupings: Sequence[str] = ("vendor", "model", "country")
) -> None:
    parser.add_argument("--date", metavar="D", help="the day, YYYY-MM-DD; default: the newest")
    parser.add_argument("--top", type=_count, metavar="N", help="rows of a table; 0 for all")
    parser.add_argument("--by", choices=groupings, help="one grouping only")
    parser.add_argument("--metric", metavar="M", help="tokens, requests, spend, or METRIC/FEED")
    parser.add_argument("--window", choices=("day", "week", "month"), help="default: week")
    parser.add_argument("--baseline", metavar="MODEL", help="model that ratios refer to")
    _answer_options(parser)


def _spend_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--by", choices=("vendor", "model", "country"), default="vendor", help="default: vendor"
    )
    parser.add_argument("--date", metavar="D", help="the day, YYYY-MM-DD; default: the newest")
    parser.add_argument("--window", choices=("day", "week", "month"), help="default: week")
    parser.add_argument(
        "--basis",
        choices=("route", "list"),
        default="route",
        help="what OpenRouter charges (default), or what the vendors list",
    )
    parser.add_argument("--top", type=_count, metavar="N", help="rows of a table; 0 for all")
    _answer_options(parser)


def _check_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "claims", nargs="*", metavar="ID", help="only these claims, with all that was tried"
    )
    parser.add_argument(
        "--file", type=Path, metavar="FILE", help="claims of your own (docs/claims.md)"
    )
    parser.add_argument(
        "--strict", action="store_true", help="status 1 if anything is contradicted"
    )
    parser.add_argument("--detail", action="store_true", help="with all that was tried")
    parser.add_argument(
        "--fetch", action="store_true", help="ask the feeds for exactly the days that are missing"
    )
    _answer_options(parser)


def _identity_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "model",
        nargs="?",
        metavar="MODEL",
        help="print all ids of this model; without it, what the map does not know",
    )
    parser.add_argument("--date", metavar="D", help="the day, YYYY-MM-DD; default: the newest")
    parser.add_argument("--window", choices=("day", "week", "month"), help="default: week")
    _answer_options(parser)


def _definitions_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--date", metavar="D", help="the day, YYYY-MM-DD; default: the newest")
    parser.add_argument("--window", choices=("day", "week", "month"), help="default: week")
    parser.add_argument(
        "--top", type=_count, metavar="N", help="rows of apps and sessions; default: 10, 0 for all"
    )
    _answer_options(parser)


def _cache_options(cache: argparse.ArgumentParser) -> None:
    actions = cache.add_subparsers(dest="action", metavar="ACTION", required=True)

    def add(name: str, text: str) -> argparse.ArgumentParser:
        return actions.add_parser(
            name, parents=[_common()], help=text, description=text, allow_abbrev=False
        )

    add("path", "print where it is")
    info = add("info", "print what it holds of each feed")
    info.add_argument("--format", choices=("text", "json", "md"), default="text")
    verify = add("verify", "name everything that is not as it was written; status 1 if anything is")
    verify.add_argument("--format", choices=("text", "json"), default="text")
    add("compact", "make few files of many; no row changes")
    export = add("export", "write it into one file")
    export.add_argument("file", type=Path, metavar="FILE", help="the archive to write")
    export.add_argument("--no-bodies", action="store_true", help="without the response bodies")
    imported = add("import", "add what an archive holds to what is there")
    imported.add_argument("file", type=Path, metavar="FILE", help="the archive to read")


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"expected a whole number of 0 or more, not {text!r}")
    return int(text)


_COMMANDS: Mapping[str, tuple[str, Callable[[argparse.ArgumentParser], None]]] = {
    "snapshot": ("print the snapshot of a day", _whole_snapshot_options),
    "leaders": ("print who is used most", _leaders_options),
    "definitions": ("print who leads by which definition", _definitions_options),
    "prices": ("print prices against a baseline model", _prices_options),
    "index": ("print how the prices of each vendor's models moved", _index_options),
    "changes": (
        "print what changed since a day: prices, models, ranks and shares",
        _period_options,
    ),
    "diff": ("print what differs between the ends of two days", _diff_options),
    "spend": ("print what the tokens used would have cost, as an interval", _spend_options),
    "identity": ("print what is joined under a model, or what is not mapped", _identity_options),
    "cost": ("print what a workload costs with every model", _cost_options),
    "disagreement": ("print where sources state different prices", _disagreement_options),
    "check": ("hold published figures against the data", _check_options),
    "hosts": ("ask which hosts serve a model, at what price, and print them", _hosts_options),
    "refresh": ("ask the feeds that are due, one line per feed", _refresh_options),
    "feeds": ("print how every feed is doing", _feeds_options),
    "cache": ("what the cache holds, proof of it, and its care", _cache_options),
    "config": ("the configuration", _config_options),
}
"""What each command is for, and what adds its options; in the order of the help."""
