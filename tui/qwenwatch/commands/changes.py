"""`qwenwatch changes` and `qwenwatch diff`: what moved in a period, or between two days."""

import argparse
from collections.abc import Collection
from datetime import date, timedelta
from typing import cast

from qwenwatch.commands.answering import answer_question
from qwenwatch.config import Config, ConfigError
from qwenwatch.days import day_option, parse_day, refuse_future
from qwenwatch.exit_codes import ExitCode
from qwenwatch.session import Session
from qwenwatch_cache.errors import NothingToShow, QwenwatchError
from qwenwatch_cache.identity import load_identity
from qwenwatch_cache.market.between import Asked, Changes, changes_between, newest_day
from qwenwatch_cache.market.changes import KINDS, Kind, Period
from qwenwatch_cache.market.definitions import By
from qwenwatch_cache.market.known import Known
from qwenwatch_cache.market.windows import Grain
from qwenwatch_cache.vendors import load_vendors
from qwenwatch_widgets.views.answer import Answer
from qwenwatch_widgets.views.change_lines import Order
from qwenwatch_widgets.views.changes import changes_answer

WEEK = 7
"""Days that changes are told of, unless others are asked for; as the screen does."""


def run_changes(options: argparse.Namespace) -> int:
    """Print what changed since a day."""

    def ask(session: Session, known: Known) -> Answer:
        until, since = day_option(options.until, "--until"), day_option(options.since, "--since")
        kinds = cast(Collection[Kind], options.kind or KINDS)
        last = until or max(newest_day(known, kinds, options.basis or ""), since or date.min)
        period = Period(since, last) if since else Period.of_days(WEEK, last)
        refuse_future(last, known.at)
        changes = changes_between(known, _asked(options, session.config, period))
        _refuse_unknown(changes)
        return changes_answer(
            changes,
            known.at,
            title="qwenwatch changes",
            top=_top(options, session),
            order=cast(Order, options.sort),
        )

    return answer_question(options, ask)


def run_diff(options: argparse.Namespace) -> int:
    """Print what differs between the ends of two days."""
    differs = False

    def ask(session: Session, known: Known) -> Answer:
        nonlocal differs
        earlier, later = parse_day(options.earlier, "D1"), parse_day(options.later, "D2")
        refuse_future(later, known.at)
        if later <= earlier:
            raise QwenwatchError(
                f"{later} is not later than {earlier}: the earlier day comes first"
            )
        period = Period(earlier + timedelta(days=1), later)
        changes = changes_between(known, _asked(options, session.config, period))
        _refuse_unknown(changes)
        differs = "confirmed" in changes.rows.get_column("mark")
        return changes_answer(
            changes,
            known.at,
            title=f"qwenwatch diff: from the end of {earlier} to the end of {later}",
            top=_top(options, session),
            order="time",
        )

    status = answer_question(options, ask)
    if status is ExitCode.GOOD and options.exit_code and differs:
        return ExitCode.CHECK_FAILED
    return status


def _refuse_unknown(changes: Changes) -> None:
    """Refuse days of which nothing is known: that nothing changed cannot be said of them.

    Raises:
        NothingToShow: No source of changes had been read by then.
    """
    if not changes.origins:
        period = changes.asked.period
        raise NothingToShow(f"nothing is known of {period.first} to {period.last}")


def _asked(options: argparse.Namespace, config: Config, period: Period) -> Asked:
    vendors, models = _named(options, config)
    return Asked(
        period,
        kinds=cast(Collection[Kind], options.kind or KINDS),
        vendors=vendors,
        models=models,
        basis=options.basis or "",
        believed=options.marks == "confirmed",
        by=(cast(By, options.by),) if options.by else ("vendor", "model"),
        metric=options.metric or config.metric,
        grain=cast(Grain, config.window),
    )


def _named(options: argparse.Namespace, config: Config) -> tuple[set[str], set[str]]:
    """Vendors and models asked about, those of the watch list included if it is asked for."""
    vendors, models = set(), set()
    for name in options.vendor or ():
        if load_vendors().get(name) is None:
            raise QwenwatchError(
                f"there is no vendor {name!r}; ids are like alibaba, deepseek or zhipuai"
            )
        vendors.add(name)
    for name in options.model or ():
        models.add(load_identity().resolve(name))
    if options.watch:
        if not config.watch_vendors and not config.watch_models:
            raise ConfigError(
                f"{config.path}: nobody is watched: name some in [watch] vendors or models"
            )
        vendors |= set(config.watch_vendors)
        models |= {load_identity().resolve(name) for name in config.watch_models}
    return vendors, models


def _top(options: argparse.Namespace, session: Session) -> int:
    return session.config.top if options.top is None else options.top
