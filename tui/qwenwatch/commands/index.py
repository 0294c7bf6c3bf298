"""`qwenwatch index`: how the prices of each vendor's models moved."""

import argparse
from typing import cast

from qwenwatch.commands.answering import answer_question
from qwenwatch.commands.price_options import mix_of, since_of
from qwenwatch.session import Session
from qwenwatch_cache.market.known import Known
from qwenwatch_cache.market.price_index import price_index
from qwenwatch_cache.market.windows import Grain
from qwenwatch_cache.vendors import load_vendors
from qwenwatch_widgets.views.answer import Answer
from qwenwatch_widgets.views.price_index import index_answer


def run_index(options: argparse.Namespace) -> int:
    """Print the price index of vendors.

    Raises:
        ValueError: An option cannot be read, or names a vendor that there is none of.
    """
    since = since_of(options)
    vendors = _vendors(options.vendors)

    def ask(session: Session, known: Known) -> Answer:
        mix = mix_of(options, session.mix)
        grain = cast(Grain, options.grain)
        rows = price_index(known, options.basis, grain, mix, since)
        return index_answer(known, rows, basis=options.basis, grain=grain, mix=mix, vendors=vendors)

    return answer_question(options, ask)


def _vendors(text: str | None) -> tuple[str, ...]:
    """The ids of some vendors, by id, name or label."""
    if text is None:
        return ()
    names: dict[str, str] = {}
    for vendor in load_vendors():
        for name in (vendor.id, vendor.name, vendor.label, vendor.name_zh):
            names[name.casefold()] = vendor.id
    found = []
    for part in text.split(","):
        wanted = part.strip().casefold()
        if not wanted or wanted not in names:
            raise ValueError(f"--vendors: there is no vendor {part.strip()!r} (openai, alibaba …)")
        found.append(names[wanted])
    return tuple(dict.fromkeys(found))
