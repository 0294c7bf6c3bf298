"""The claim of a row on the screen, remembered to be checked from now on. Imports Polars."""

import hashlib
import json
import re
from typing import Any

from qwenwatch.own_claims import own_claims_path, remember
from qwenwatch.session import Session
from qwenwatch_cache.claims.period import read_period
from qwenwatch_cache.identity import split_model
from qwenwatch_cache.market.definitions import DEFINITIONS, STANDING
from qwenwatch_cache.market.directory import Directory
from qwenwatch_cache.market.windows import Window
from qwenwatch_widgets.views import amounts
from qwenwatch_widgets.views.claim_draft import Draft
from qwenwatch_widgets.views.claims import OWN

LONGEST_ID = 24
"""Letters of an id: a line of 80 holds it, the figure and the verdict."""

DIGEST = 6
"""Letters of an id that tell figures apart that are of the same."""

KINDS = ("country", "vendor", "model")

NUMBERS = frozenset({"prompts"})
"""Keys of a claim whose values are numbers."""


def remember_draft(session: Session, draft: Draft) -> str:
    """Remember what a row claims.

    Returns:
        What came of it, for people.

    Raises:
        QwenwatchError: It cannot be kept; the text says why.
    """
    claim = claim_of(draft, session)
    where = own_claims_path(session.config)
    before = remember(session.config, claim)
    if before is not None:
        return f"It is remembered already: {before.says} (as {before.id} in {where})"
    return f"Remembered: {claim['says']} (as {claim['id']} in {where}); 5 shows what becomes of it"


def claim_of(draft: Draft, session: Session) -> dict[str, Any]:
    """A draft as a `[[claim]]` table of docs/claims.md, with its name and its sentence."""
    claim: dict[str, Any] = {
        "id": _id(draft),
        "says": says(draft, session.known().directory),
        "source": {"outlet": OWN, "date": session.clock().date().isoformat()},
    }
    for key, value in draft.items():
        table, _, inner = key.rpartition(".")
        into = claim.setdefault(table, {}) if table else claim
        into[inner] = int(value) if key in NUMBERS else value
    return claim


def says(draft: Draft, directory: Directory) -> str:
    """What a draft claims, in a sentence."""
    kind = next(one for one in KINDS if one in draft)
    name, value = _name(kind, draft[kind], directory), draft["value"]
    when = _when(draft["window"])
    measure = draft["measure"]
    if measure == "price":
        text = f"{name} costs {value} per 1M tokens of {draft['field']} ({_terms(draft)})"
    elif measure == "price_change":
        text = f"The {draft['field']} price of {name} changed by {value} ({_terms(draft)})"
    elif measure == "price_ratio":
        other = _name(kind, draft["to"], directory)
        text = f"{name} costs {value} as much as {other} per 1M tokens of {draft['field']}"
        text += f" ({_terms(draft)})"
    elif measure == "growth":
        text = f"{name}'s share of {_counted(draft)} changed by {value} from {_when(draft['from'])}"
        return amounts.clean(f"{text} to {when}")
    elif measure == "rank":
        text = f"{name} was number {value} by {_counted(draft)}"
    elif measure == "total":
        text = f"{name} had {value} {_counted(draft)}"
    else:
        text = f"{name} had {value} of {_counted(draft)}"
    return amounts.clean(f"{text}, {when}")


def _name(kind: str, id_: str, directory: Directory) -> str:
    if kind == "country":
        return f"Models from {id_}"
    if kind == "vendor":
        vendor = directory.vendor(id_)
        return vendor.label if vendor else id_
    model, variant = split_model(id_)
    return f"{directory.shown_name(model)} ({variant})" if variant else directory.shown_name(model)


def _counted(draft: Draft) -> str:
    """What a claim of usage counts: the label of its definition."""
    metric, feed = draft["metric"], draft["feed"]
    standard = draft.get("scope.variants") == "standard"
    for one in DEFINITIONS.values():
        if (one.metric, one.feed, one.standard_only) == (metric, feed, standard):
            return one.label
    standing = STANDING.get(f"{metric}/{feed}")
    if standing is not None:
        return standing.label
    return f"the {metric.replace('_', ' ')} (tokens × {draft.get('basis', 'route')} price)"


def _terms(draft: Draft) -> str:
    """Whose price it is: ``route price of openrouter-models, prompts of 200,001 tokens``."""
    parts = [f"{draft['basis']} price of {draft['feed']}"]
    if draft.get("region", "global") != "global":
        parts.append(f"region {draft['region']}")
    if "prompts" in draft:
        parts.append(f"prompts of {int(draft['prompts']):,} tokens")
    if "host" in draft:
        parts.append(f"at {draft['host']}")
    return ", ".join(parts)


def _when(window: str) -> str:
    """A time as people read it: ``week 10–16 Aug 2026``."""
    period = read_period(window)
    whole = Window.of_days(period.first, period.last)
    if whole is None:
        return f"{period.first} to {period.last}"
    return amounts.window(whole.grain, whole.start, whole.end)


def _id(draft: Draft) -> str:
    """A name that a figure gets whenever it is remembered, and no other figure does."""
    of = next(draft[one] for one in KINDS if one in draft)
    words = f"own-{of.rpartition('/')[2]}".lower()
    told = re.sub(r"[^a-z0-9]+", "-", words)[: LONGEST_ID - DIGEST - 1]
    whole = json.dumps(dict(draft), sort_keys=True).encode()
    return f"{told.rstrip('-')}-{hashlib.sha256(whole).hexdigest()[:DIGEST]}"
