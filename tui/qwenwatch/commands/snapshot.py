"""`qwenwatch snapshot`, and its parts as commands of their own.

What is kept ready of a closed day is printed without Polars, so nothing of it is imported here.
"""

import argparse
from datetime import date

from qwenwatch.commands.context import read_config, wants_colour, write_out
from qwenwatch.config import Config
from qwenwatch.days import day_option, refuse_future
from qwenwatch.exit_codes import ExitCode
from qwenwatch.ready_snapshot import Answer, Question, read_ready_snapshot
from qwenwatch_cache.clock import system_clock


def run_snapshot(options: argparse.Namespace) -> int:
    """Print a snapshot: the one that is kept ready, or one taken anew."""
    if options.by == "app":  # no snapshot holds them
        from qwenwatch.commands.apps import run_apps

        return run_apps(options)
    config, clock = read_config(options), system_clock()
    day = day_option(options.date)
    if options.command == "prices":  # usage of days to come is refused by what there is of it
        refuse_future(day, clock())
    question = None if day is None else _question(options, config, day)
    if question is not None:
        ready = read_ready_snapshot(config.cache_dir, question, clock())
        if ready is not None:
            write_out(_as_wanted(ready, options), options.output)
            return ExitCode.GOOD
    from qwenwatch.commands.questions import ask_the_tables

    return ask_the_tables(options, config, clock, day, question)


def _question(options: argparse.Namespace, config: Config, day: date) -> Question | None:
    """The question about a day, if all parts of its snapshot are wanted, as known for good."""
    if options.command != "snapshot" or options.section or options.by or options.known_at:
        return None
    default = Question.default(config, day)
    return default._replace(
        metric=options.metric or default.metric,
        window=options.window or default.window,
        baseline=options.baseline or default.baseline,
        top=default.top if options.top is None else options.top,
    )


def _as_wanted(ready: Answer, options: argparse.Namespace) -> str:
    if options.format == "text":
        return ready.coloured if wants_colour(options) else ready.text
    if options.format == "md":
        return ready.markdown
    if options.format == "json":
        return ready.json
    import json

    from qwenwatch.printers.data import csv_of, ndjson_of

    return {"csv": csv_of, "ndjson": ndjson_of}[options.format](json.loads(ready.json))
