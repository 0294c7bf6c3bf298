"""Options of `qwenwatch prices` and `qwenwatch index`, and what they are read into."""

import argparse
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from qwenwatch.days import day_option
from qwenwatch.quantities import parse_count
from qwenwatch_cache.clock import parse_instant
from qwenwatch_cache.market.terms import REGIONS, Terms

if TYPE_CHECKING:
    from qwenwatch_cache.market.prices import Mix

BASES = ("route", "list")
CURRENCIES = ("USD", "CNY", "EUR")
STANDARD = "standard"
"""How the command line calls the variant "": the price without batch, free and the like."""

PRICES_ABOUT = """\
examples:
  qwenwatch prices                                    the most used models against the baseline
  qwenwatch prices claude-opus-4.6 glm-5 --date 2026-02-20 --baseline minimax-m2.5
  qwenwatch prices qwen3.5-plus gemini-3-flash-preview --currency USD --basis list
  qwenwatch prices qwen3-max --request-size 200k      the tier of long prompts
  qwenwatch prices gpt-5.2 --variant batch --mix 3:1:0
  qwenwatch prices qwen3-max --history --since 2026-03-01

Prints prices against a baseline model, or the history of the prices of models.
"""

INDEX_ABOUT = """\
examples:
  qwenwatch index                                     route prices of all vendors, by month
  qwenwatch index --vendors alibaba,openai --since 2025-09-01
  qwenwatch index --basis list --grain month
  qwenwatch index --grain week --since 2026-07-13 --mix 3:1:0

Prints how the prices of each vendor's models moved: 100 at the first date, models that come and
go linked in (docs/definitions.md says how).
"""


def add_price_options(parser: argparse.ArgumentParser) -> None:
    """Options of `qwenwatch prices` besides those of a snapshot."""
    _describe(parser, PRICES_ABOUT)
    parser.add_argument("models", nargs="*", metavar="MODEL", help="model ids or parts of them")
    parser.add_argument("--at", metavar="T", help="the moment, ISO 8601, in place of --date")
    parser.add_argument("--basis", choices=BASES, help="what a router charges, or vendors list")
    parser.add_argument(
        "--region", choices=REGIONS, help="prices that hold there, those for everywhere included"
    )
    parser.add_argument(
        "--variant", metavar="V", help=f"{STANDARD}, batch, free, thinking …; default: all"
    )
    parser.add_argument(
        "--request-size", metavar="N", help="tokens of a prompt (40k, 1M): the tier that applies"
    )
    parser.add_argument(
        "--currency", choices=CURRENCIES, help="convert too, at the rate of that date"
    )
    _mix_option(parser)
    parser.add_argument("--history", action="store_true", help="every change of the models named")
    _since_option(parser)


def add_index_options(parser: argparse.ArgumentParser) -> None:
    """Options of `qwenwatch index` besides those of every answer."""
    _describe(parser, INDEX_ABOUT)
    parser.add_argument("--vendors", metavar="A,B", help="vendor ids, default: all")
    parser.add_argument("--grain", choices=("month", "week"), default="month")
    parser.add_argument("--basis", choices=BASES, default="route")
    _mix_option(parser)
    _since_option(parser)


def terms_of(options: argparse.Namespace) -> Terms:
    """The terms that a command line names; its defaults where the command has no such options.

    Raises:
        ValueError: The size of a request is no number of tokens.
    """
    variant = getattr(options, "variant", None)
    size = getattr(options, "request_size", None)
    return Terms(
        basis=getattr(options, "basis", None) or "",
        region=getattr(options, "region", None) or "",
        variant="" if variant == STANDARD else variant,
        prompt_tokens=0 if size is None else parse_count(size, "a size of a request"),
        currency=getattr(options, "currency", None) or "",
    )


def at_of(options: argparse.Namespace) -> datetime | None:
    """The moment that a command line names, None if it names none.

    Raises:
        ValueError: It is none.
    """
    stated = getattr(options, "at", None)
    return None if stated is None else parse_instant(stated)


def mix_of(options: argparse.Namespace, default: "Mix") -> "Mix":
    """The workload that a command line names as 80:5:15; the parts need not add up to anything.

    Raises:
        ValueError: It is none.
    """
    from qwenwatch_cache.market.prices import Mix

    text = getattr(options, "mix", None)
    if text is None:
        return default
    complaint = f"--mix {text!r} is not INPUT:OUTPUT:CACHED, three parts like 80:5:15"
    try:
        parts = [Decimal(part) for part in text.split(":")]
    except InvalidOperation as error:
        raise ValueError(complaint) from error
    whole = sum(parts, Decimal(0))
    if len(parts) != 3 or not whole.is_finite() or min(parts) < 0 or not whole:
        raise ValueError(complaint)
    return Mix(*(part / whole for part in parts))


def since_of(options: argparse.Namespace) -> date | None:
    """The first day that a command line names, None if it names none.

    Raises:
        ValueError: It is no day.
    """
    return day_option(options.since, "--since")


def _describe(parser: argparse.ArgumentParser, text: str) -> None:
    parser.description = text
    parser.formatter_class = argparse.RawDescriptionHelpFormatter


def _mix_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--mix", metavar="I:O:C", help="input, output and cached input behind blended prices"
    )


def _since_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--since", metavar="D", help="nothing before this day, YYYY-MM-DD")
