"""What the commands that answer one question have in common. Imports Polars."""

import argparse
from collections.abc import Callable

from qwenwatch.commands.context import (
    instant_option,
    narrate,
    open_session,
    wants_colour,
    write_out,
)
from qwenwatch.exit_codes import ExitCode
from qwenwatch.printers.answers import print_answer
from qwenwatch.session import Session
from qwenwatch_cache.market.known import Known
from qwenwatch_widgets.views.answer import Answer


def answer_question(
    options: argparse.Namespace, ask: Callable[[Session, Known], Answer]
) -> ExitCode:
    """Put a question to what is known now, or was at --known-at, and print the answer.

    Args:
        options: The command line; `known_at`, `format` and `output` are looked at.
        ask: Puts the question.

    Raises:
        NothingToShow: There is no answer.
        StoreError: The cache cannot be used, or the output not be written.
    """
    session = open_session(options)
    answer = ask(session, session.known(instant_option(options.known_at)))
    for notice in session.store.notices:
        narrate(options, f"qwenwatch: {notice}")
    text = print_answer(answer, options.format, colour=wants_colour(options))
    write_out(text, options.output)
    return ExitCode.CACHE if session.store.notices else ExitCode.GOOD
