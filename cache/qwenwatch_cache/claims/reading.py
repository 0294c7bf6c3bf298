"""Reading files of claims: everything that is not understood is refused by file, claim and key."""

import re
import tomllib
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, cast

from qwenwatch_cache.claims.claim import (
    IMPLIED,
    KINDS,
    MEASURES,
    PRICES,
    Claim,
    Kind,
    Measure,
    Said,
    Scope,
)
from qwenwatch_cache.claims.tables import ClaimError, Table, shown
from qwenwatch_cache.errors import QwenwatchError
from qwenwatch_cache.identity import load_identity, split_variant
from qwenwatch_cache.vendors import load_vendors

BUNDLED = "claims.toml"
MOST_CLAIMS = 1000
MOST_BYTES = 2_000_000

_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_WORD = re.compile(r"[a-z][a-z0-9_ -]{0,39}")
_COUNTRY = re.compile(r"[A-Z]{2}")
_AMONG = re.compile(r"named|attributed|CN\+US|top [1-9]\d{0,2}")
_HOST = re.compile(r"\w[\w.-]*(/\w[\w.-]*)*", re.ASCII)
_UNMAPPED = re.compile(r"(?P<own>\S+)@(?P<feed>[a-z0-9-]+)(:[a-z0-9-]+)?")
_VARIANT = re.compile(r"[a-z0-9-]*")
MOST_TOKENS = 100_000_000
_DATE = re.compile(r"\d{4}(-\d{2}(-\d{2})?)?")


def bundled_claims() -> Sequence[Claim]:
    """The claims that come with the program."""
    text = files("qwenwatch_cache").joinpath(BUNDLED).read_text(encoding="utf-8")
    return read_claims(text, BUNDLED)


def claims_of(path: Path, *, may_be_empty: bool = False) -> Sequence[Claim]:
    """Read a file of claims.

    Args:
        path: The file.
        may_be_empty: Whether it may hold none.

    Raises:
        ClaimError: It cannot be read, or says something that is not understood.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ClaimError(
                f"{path} is larger than {MOST_BYTES:,} bytes: that is no file of claims"
            )
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ClaimError(f"{path} is not UTF-8 ({error.reason} at byte {error.start})") from error
    except OSError as error:
        raise ClaimError(f"{path} cannot be read: {error.strerror}") from error
    return read_claims(text, str(path), may_be_empty=may_be_empty)


def read_claims(text: str, where: str, *, may_be_empty: bool = False) -> Sequence[Claim]:
    """Read claims.

    Args:
        text: TOML.
        where: Name of the file, for messages.
        may_be_empty: Whether it may hold none.

    Raises:
        ClaimError: It is no TOML, or says something that is not understood.
    """
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        raise ClaimError(f"{where} is no TOML: {error or 'nested too deeply'}") from error
    tables = document.pop("claim", [])
    if document:
        raise ClaimError(f"{where}: unknown key {shown(min(document))}; expected only [[claim]]")
    if not isinstance(tables, list) or not (tables or may_be_empty):
        raise ClaimError(f"{where} holds no claim; expected tables that begin with [[claim]]")
    if len(tables) > MOST_CLAIMS:
        raise ClaimError(f"{where} holds {len(tables):,} claims; at most {MOST_CLAIMS:,} are read")
    claims = [_claim(Table(where, f"claim {at}", table)) for at, table in enumerate(tables, 1)]
    _check_names(claims, where)
    return claims


def _check_names(claims: Sequence[Claim], where: str) -> None:
    seen: set[str] = set()
    for claim in claims:
        if claim.id in seen:
            raise ClaimError(f"{where}: claim {claim.id!r}: id: is there twice")
        seen.add(claim.id)
    for claim in claims:
        for other in claim.contradicts:
            if other not in seen or other == claim.id:
                raise ClaimError(
                    f"{where}: claim {claim.id!r}: contradicts: {other!r} is no other claim "
                    "of this file"
                )


def _claim(table: Table) -> Claim:
    id_ = table.needed("id", _ID, "lower-case letters, digits, dots and dashes")
    table.name = f"claim {id_!r}"
    measure = table.choice("measure", MEASURES, cast(Measure, ""))
    if not measure:
        raise table.fail("measure", f"is missing; expected one of {', '.join(MEASURES)}")
    kind, of, to = _subject(table, measure)
    known: dict[str, Any] = {
        "id": id_,
        "says": table.needed("says"),
        "said": _said(table.table("source")),
        "measure": measure,
        "figure": table.figure(measure),
        "kind": kind,
        "of": of,
        "to": to,
        "period": table.period("window"),
        "together": table.text("together", _ID, "a name like an id"),
        "contradicts": table.texts("contradicts", _ID, "ids"),
        "note": table.text("note"),
    }
    if measure in PRICES:
        known |= _of_prices(table)
    else:
        known |= _of_usage(table, measure)
    table.finish(f"a claim with measure {measure!r}")
    return Claim(**known)


def _of_prices(table: Table) -> dict[str, Any]:
    return {
        "field": table.choice("field", ("input", "output"), cast(Any, "")),
        "basis": table.choice("basis", ("route", "list"), cast(Any, "")),
        "region": table.choice("region", ("intl", "cn", "global"), cast(Any, "")),
        "feed": _feed(table),
        "prompts": table.number("prompts", MOST_TOKENS),
        "host": table.text("host", _HOST, "the tag of a host, like nebius/fp8"),
    }


def _of_usage(table: Table, measure: Measure) -> dict[str, Any]:
    known: dict[str, Any] = {
        "metric": table.text("metric", _WORD, "a lower-case word") or "tokens",
        "feed": _feed(table),
        "scope": _scope(table.table("scope")),
        "proxies": table.texts("proxies", _WORD, "metrics"),
    }
    if known["metric"] == IMPLIED:
        if measure != "share":
            raise table.fail("metric", f"{IMPLIED} is known of shares only, not of a {measure}")
        known["basis"] = table.choice("basis", ("route", "list"), cast(Any, ""))
    if measure == "count":
        known["top"] = table.number("top", 50)
        if not known["top"]:
            raise table.fail("top", "is missing: among the top how many is it counted?")
    if measure == "growth":
        known["since"] = table.period("from")
        known["growth_of"] = table.choice("growth_of", ("share", "total"), "total")
    return known


def _feed(table: Table) -> str:
    feed = table.text("feed", _ID, "the name of a feed, or any") or "any"
    if feed != "any" and not _is_feed(feed):
        raise table.fail("feed", f"no feed is called {shown(feed)}; see docs/feeds.md")
    return feed


def _is_feed(name: str) -> bool:
    from qwenwatch_cache.feeds import FEEDS  # takes a while to load, and few claims need it

    return name in FEEDS


def _said(table: Table) -> Said:
    said = Said(
        outlet=table.needed("outlet"),
        title=table.text("title"),
        date=table.text("date", _DATE, "a date like 2026-02-25, 2026-02 or 2026, in quotes"),
        url=table.text("url", re.compile(r"https?://\S+"), "an address that begins with https://"),
    )
    table.finish("a source")
    return said


def _scope(table: Table) -> Scope:
    scope = Scope(
        among=table.text("among", _AMONG, '"named", "attributed", "CN+US" or "top 10"'),
        variants=cast(
            Literal["all", "standard"], table.choice("variants", ("all", "standard"), "all")
        ),
        without=table.text("without", re.compile(r"[a-z0-9][a-z0-9._:/-]{0,99}"), "an id"),
    )
    table.finish("a scope")
    return scope


def _subject(table: Table, measure: Measure) -> tuple[Kind, str, str]:
    """Whose figure it is, and what it is set against."""
    named = [kind for kind in KINDS if table.has(kind)]
    if len(named) > 1:
        raise table.fail(named[1], f"a claim has one subject, and {named[0]} is given")
    if not named and measure != "total":
        raise table.fail("country", f"a {measure} is of a country, a vendor or a model: name one")
    kind: Kind = named[0] if named else ""
    if measure in {"price", "price_change"} and kind != "model":
        raise table.fail(kind, f"a {measure} is of a model")
    if measure == "price_ratio" and kind == "country":
        raise table.fail(kind, "a price_ratio is of models or vendors")
    of = _resolved(table, kind, kind) if kind else ""
    if measure not in {"ratio", "price_ratio"}:
        return kind, of, ""
    if not table.has("to"):
        raise table.fail("to", f"is missing: a {measure} is of two")
    return kind, of, _resolved(table, "to", kind)


def _resolved(table: Table, key: str, kind: Kind) -> str:
    text = table.needed(key)
    if kind == "country":
        if not _COUNTRY.fullmatch(text):
            raise table.fail(key, f"expected two capital letters like CN, found {shown(text)}")
        return text
    if kind == "vendor":
        if load_vendors().get(text) is None:
            raise table.fail(key, f"no vendor has the id {shown(text)}; see vendors.toml")
        return text
    unmapped = _UNMAPPED.fullmatch(text)
    if unmapped is not None and (unmapped["feed"] == "openrouter" or _is_feed(unmapped["feed"])):
        return text
    base, variant = split_variant(text)
    if not _VARIANT.fullmatch(variant):
        base, variant = text, ""  # the colon is a part of some feed's name for it
    try:
        model = load_identity().resolve(base)
    except QwenwatchError as error:
        raise table.fail(key, str(error)) from error
    return f"{model}:{variant}" if variant else model
