"""Options of `qwenwatch cost` and `qwenwatch disagreement`. Nothing slow is imported here."""

import argparse
from collections.abc import Callable
from pathlib import Path

from qwenwatch.commands.price_options import BASES, CURRENCIES
from qwenwatch_cache.market.terms import REGIONS

COST = """\
Print what a workload costs with every model, cheapest first.

examples:
  qwenwatch cost --input 12M --output 3M --cached 60% --request-size 40k
  qwenwatch cost --input 1.5B --output 200M --requests 40k --basis list --top 10
  qwenwatch cost --input 12M --output 3M --batch --currency EUR claude-opus-4.6 qwen3-max
  ccusage daily --json > usage.json && qwenwatch cost --usage usage.json
"""

DISAGREEMENT = """\
Print where sources state different prices of the same model on the same basis.

examples:
  qwenwatch disagreement
  qwenwatch disagreement qwen3.7-plus deepseek-reasoner
  qwenwatch disagreement --min-percent 20 --date 2026-07-02
"""

Formats = tuple[str, ...]


def add_cost_options(
    parser: argparse.ArgumentParser, formats: Formats, count: Callable[[str], int]
) -> None:
    """The workload, which offers are candidates, and how to print them.

    Args:
        parser: Of the command.
        formats: In which an answer can be printed.
        count: Reads a number of rows.
    """
    _describe(parser, COST)
    work = parser.add_argument_group("the workload")
    work.add_argument("--input", metavar="TOKENS", help="of all prompts, cached ones included: 12M")
    work.add_argument("--output", dest="output_tokens", metavar="TOKENS", help="of all answers")
    work.add_argument(
        "--cached", metavar="PART", help="of the input, read from a cache: 60%% or 7M"
    )
    work.add_argument("--cache-write", metavar="PART", help="of the input, written to a cache")
    work.add_argument("--requests", metavar="N", help="how many requests")
    work.add_argument("--request-size", metavar="TOKENS", help="input of one request: 40k")
    work.add_argument(
        "--usage", type=Path, metavar="FILE", help="instead: JSON of ccusage or OpenRouter activity"
    )
    which = parser.add_argument_group("which offers")
    which.add_argument("models", nargs="*", metavar="MODEL", help="model ids or parts of them")
    which.add_argument("--batch", action="store_true", help="batch prices instead of standard ones")
    which.add_argument("--basis", choices=BASES, help="what a router charges, or lists")
    which.add_argument("--region", choices=REGIONS, help="prices that hold there")
    which.add_argument("--vendor", metavar="V", help="models of this vendor")
    which.add_argument("--free", action="store_true", help="list what costs nothing as well")
    how = parser.add_argument_group("how")
    how.add_argument("--baseline", metavar="MODEL", help="model that costs are compared with")
    how.add_argument("--currency", choices=CURRENCIES, default="USD")
    how.add_argument("--date", metavar="D", help="prices at the end of this day, YYYY-MM-DD")
    how.add_argument("--top", type=count, metavar="N", help="offers to print; 0 for all")
    how.add_argument("--known-at", metavar="T", help="use nothing learned later than this")
    how.add_argument("--format", choices=formats, default="text")
    how.add_argument("-o", dest="output", type=Path, metavar="FILE", help="write to a file")


def add_disagreement_options(parser: argparse.ArgumentParser, count: Callable[[str], int]) -> None:
    """Which models, and how far apart their prices must be.

    Args:
        parser: Of the command, with the options of every answer.
        count: Reads a number of rows.
    """
    _describe(parser, DISAGREEMENT)
    parser.add_argument("models", nargs="*", metavar="MODEL", help="model ids or parts of them")
    parser.add_argument("--basis", choices=BASES, help="default: both")
    parser.add_argument(
        "--min-percent", metavar="P", default="0", help="only where the dearer is P %% dearer"
    )
    parser.add_argument("--date", metavar="D", help="prices at the end of this day, YYYY-MM-DD")
    parser.add_argument("--top", type=count, metavar="N", help="models to print; 0 for all")


def _describe(parser: argparse.ArgumentParser, text: str) -> None:
    parser.description = text
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
