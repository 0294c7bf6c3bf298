"""`qwenwatch cost`: what a workload costs with every model. Imports Polars."""

import argparse
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from pathlib import Path

import polars as pl
from msgspec.structs import replace

from qwenwatch.commands.answering import answer_question
from qwenwatch.days import day_option, end_of
from qwenwatch.quantities import parse_count, parse_part
from qwenwatch.session import Session
from qwenwatch_cache.errors import NothingToShow, QwenwatchError
from qwenwatch_cache.identity import load_identity
from qwenwatch_cache.market.cost import Wanted, cost
from qwenwatch_cache.market.known import Known
from qwenwatch_cache.market.offers import offers
from qwenwatch_cache.market.origins import Origin
from qwenwatch_cache.market.own_usage import model_of, own_usage
from qwenwatch_cache.market.rates import Rate
from qwenwatch_cache.market.usage_export import Export, read_export
from qwenwatch_cache.market.workload import Workload
from qwenwatch_cache.vendors import load_vendors
from qwenwatch_widgets.views.answer import Answer
from qwenwatch_widgets.views.cost import cost_answer
from qwenwatch_widgets.views.cost_tables import CostAsked

LARGEST_FILE = 64 * 2**20
"""Bytes of a usage export that is read; a year of ccusage is a few megabytes."""


def run_cost(options: argparse.Namespace) -> int:
    """Price a workload and print what every model would cost.

    Raises:
        QwenwatchError: There are no prices, or the file is no usage export.
        ValueError: A number or a date is none.
    """
    export = None if options.usage is None else _read(options)
    workload = _workload(options, export)
    if export is not None and not export.tells_cached:
        export = export.with_parts(workload.cached, workload.written)
    return answer_question(options, partial(_ask, options, workload, export))


def _ask(
    options: argparse.Namespace,
    workload: Workload,
    export: Export | None,
    session: Session,
    known: Known,
) -> Answer:
    identity = load_identity()
    at = end_of(day_option(options.date), known.at)
    currency = options.currency
    found = offers(known, at, workload.size or 0)
    if found.is_empty():
        raise NothingToShow("no prices are known for this day: run `qwenwatch refresh`")
    wanted = Wanted(
        batch=options.batch,
        basis=options.basis or "",
        region=options.region or "",
        vendor=_vendor(options.vendor),
        models=frozenset(identity.resolve(model) for model in options.models),
    )
    stated = options.baseline or _most_used(export) or session.config.baseline
    baseline = identity.resolve(stated)

    def rate(base: str) -> Rate | None:
        return known.rates.rate(base, currency, at.date())

    frame = cost(found, workload, wanted, currency=currency, rate=rate, baseline=baseline)
    if frame.is_empty():
        raise NothingToShow("no offer is of that basis, region, vendor and model")
    used = None
    if export is not None:
        used = own_usage(export, found, identity, currency=currency, rate=rate)
    asked = CostAsked(
        known_at=known.at,
        priced_at=at,
        currency=currency,
        baseline=baseline,
        batch=options.batch,
        filters=_filters(options, wanted),
        top=session.config.top if options.top is None else options.top,
        free=options.free,
    )
    return cost_answer(
        frame,
        workload,
        asked,
        vendors={vendor.id: vendor.label for vendor in load_vendors()},
        origins=_origins(known, frame, at),
        export=export,
        used=used,
    )


def _workload(options: argparse.Namespace, export: Export | None) -> Workload:
    """The workload of the command line, or of a file with what the command line adds to it."""
    if export is None:
        if options.input is None and options.output_tokens is None:
            raise ValueError("say what to reckon: --input 12M --output 3M, or --usage FILE")
        workload = Workload(
            parse_count(options.input or "0", "a number of input tokens"),
            parse_count(options.output_tokens or "0", "a number of output tokens"),
        )
    else:
        if options.input is not None or options.output_tokens is not None:
            raise ValueError("--usage states the tokens: leave out --input and --output")
        if export.tells_cached and (options.cached or options.cache_write):
            raise ValueError(f"{export.source} tells cached tokens: leave out --cached")
        workload = export.workload
    cached, written = workload.cached, workload.written
    if options.cached is not None:
        cached = parse_part(options.cached, workload.input, "a part that is cached")
    if options.cache_write is not None:
        written = parse_part(options.cache_write, workload.input, "a part written to the cache")
    requests, size = workload.requests, workload.request_size
    if options.requests is not None:
        requests = parse_count(options.requests, "a number of requests")
    if options.request_size is not None:
        size = parse_count(options.request_size, "a number of tokens")
    if workload.input and size and size * (requests or 1) > workload.input:
        raise ValueError(
            f"{requests or 1:,} × {size:,} tokens, the size of a request, are more than the "
            f"{workload.input:,} tokens of input"
        )
    return replace(workload, cached=cached, written=written, requests=requests, request_size=size)


def _read(options: argparse.Namespace) -> Export:
    path: Path = options.usage
    try:
        with path.open("rb") as file:
            body = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise QwenwatchError(f"cannot read {path}: {error.strerror}") from error
    if len(body) > LARGEST_FILE:
        raise QwenwatchError(f"{path} is larger than {LARGEST_FILE // 2**20} MiB")
    return read_export(body, path.name)


def _most_used(export: Export | None) -> str | None:
    """The model of an export with most tokens, if it is in the map."""
    if export is None:
        return None
    return model_of(export, export.models[0], load_identity())


def _vendor(stated: str | None) -> str:
    """The id of a vendor given by id, name or label.

    Raises:
        ValueError: There is no such vendor.
    """
    if stated is None:
        return ""
    wanted = stated.strip().casefold()
    for vendor in load_vendors():
        if wanted in {vendor.id.casefold(), vendor.name.casefold(), vendor.label.casefold()}:
            return vendor.id
    raise ValueError(f"no vendor is called {stated!r}: give an id as in `leaders --by vendor`")


def _filters(options: argparse.Namespace, wanted: Wanted) -> Mapping[str, str]:
    stated = {
        "basis": wanted.basis,
        "region": wanted.region,
        "vendor": wanted.vendor,
        "models": ", ".join(sorted(wanted.models)),
    }
    return {name: value for name, value in stated.items() if value}


def _origins(known: Known, frame: pl.DataFrame, at: datetime) -> Mapping[str, Origin]:
    """Sources of the prices shown, and of the exchange rates if any was needed."""
    feeds = frame.get_column("feed").unique().sort().to_list()
    origins = {feed: known.price_origin(feed, at) for feed in feeds}
    days = frame.get_column("rate_date").drop_nulls().unique().sort().to_list()
    for day in days[-1:]:
        origins["ecb-fx"] = known.rate_origin("ecb-fx", day)
    return origins
