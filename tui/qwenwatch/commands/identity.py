"""`qwenwatch identity [MODEL]`: what the map of model ids does not know, or all ids of a model."""

import argparse
from datetime import date
from typing import cast

from qwenwatch.commands.answering import answer_question
from qwenwatch.days import day_option
from qwenwatch.session import Session
from qwenwatch_cache.errors import NothingToShow
from qwenwatch_cache.identity import load_identity
from qwenwatch_cache.market.joined import joined_model
from qwenwatch_cache.market.known import Known
from qwenwatch_cache.market.unmapped import Coverage, by_model, coverage_of
from qwenwatch_cache.market.windows import Grain
from qwenwatch_widgets.views.answer import Answer
from qwenwatch_widgets.views.identity import coverage_answer, model_answer


def run_identity(options: argparse.Namespace) -> int:
    """Answer for one model, or for the newest whole window of every definition."""
    day = day_option(options.date)
    if options.model is not None and (options.date or options.window):
        raise ValueError("--date and --window choose what is reported; one model has no window")

    def ask(session: Session, known: Known) -> Answer:
        if options.model is not None:
            canonical = load_identity().resolve(options.model)
            return model_answer(joined_model(known, canonical), known.at)
        grain = cast(Grain, options.window or session.config.window)
        return coverage_answer(_coverages(known, grain, day), known.at)

    return answer_question(options, ask)


def _coverages(known: Known, grain: Grain, day: date | None) -> list[Coverage]:
    """What is covered, for every definition that has such a window.

    Raises:
        NothingToShow: None has.
    """
    found = []
    refused: NothingToShow | None = None
    for definition in by_model(known.definitions()):
        try:
            window = known.choose_window(definition, grain, day)
        except NothingToShow as error:
            refused = refused or error
            continue
        coverage = coverage_of(known, definition, window)
        if not coverage.shares.is_empty():
            found.append(coverage)
    if not found:
        raise refused or NothingToShow("there are no figures of usage by model yet")
    return found
