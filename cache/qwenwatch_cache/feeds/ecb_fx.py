"""The ECB's euro reference rates: what a euro is worth in dollars and yuan, by business day.

Facts (files of 2025-05-09 and 2026-10-30, and the SDMX answer of 2026-03-19 that they agree with):
rates come out once per business day, around 16:00 in Frankfurt. `eurofxref-daily.xml` holds the
newest day, in nested `Cube` elements. `eurofxref-hist.zip` holds one CSV with every day since
1999-01-04, newest first, with a comma at the end of each line and "N/A" where a currency has no
rate. Both write units of a currency for one euro, with a decimal point; a copy with decimal commas
is about, so that a rate is read in one way only and refused otherwise.
"""

import csv
import io
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any
from xml.parsers import expat

import polars as pl

from qwenwatch_cache.errors import FeedError
from qwenwatch_cache.feeds.feed import Done, Feed, Parsed, Request, is_web_page
from qwenwatch_cache.frames import FX, conform

NAME = "ecb-fx"
DAILY = "/stats/eurofxref/eurofxref-daily.xml"
HISTORY = "/stats/eurofxref/eurofxref-hist.zip"
MEMBER = "eurofxref-hist.csv"
BASE = "EUR"
EARLIEST = date(2023, 1, 1)
"""First day that is kept: the feeds' figures begin in 2024, so nothing older is converted."""

BOUNDS = {"USD": (Decimal("0.4"), Decimal(3)), "CNY": (Decimal(3), Decimal(30))}
"""Units for one euro between which a rate can be right. Up to 2026-10 they were 0.82 to 1.60 and
6.55 to 11.17; a slip of the decimal point or swapped currencies fall outside."""

PUBLISHED = time(15)
"""Rates of a working day come out around 16:00 in Frankfurt, 15:00 UTC at the latest."""

LARGEST_XML = 1024**2  # bytes; the file has 1.6 KB
LARGEST_CSV = 64 * 1024**2  # bytes unpacked; the file has 2 MB
QUOTED = 40  # characters of the answer that a message repeats
NOT_STATED = "N/A"
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
ENCRYPTED = 0x1  # bit of a zip member's flags

SATURDAY = 5
_RATE = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,12})?")
_CUT_OFF = frozenset(
    expat.errors.codes[message]
    for message in (
        expat.errors.XML_ERROR_NO_ELEMENTS,
        expat.errors.XML_ERROR_UNCLOSED_TOKEN,
        expat.errors.XML_ERROR_PARTIAL_CHAR,
    )
)
_Entry = tuple[date, str, str]  # day, currency, rate as written


def parse_daily(body: bytes, fetched_at: datetime) -> Parsed:
    """Read the XML file of the newest day.

    Raises:
        FeedError: Not the documented shape, or a rate that is missing, stands twice or cannot be
            right: it would spoil every converted price, so the whole answer is refused.
    """
    return _parsed(_xml_entries(body), fetched_at)


def parse_history(body: bytes, fetched_at: datetime) -> Parsed:
    """Read the zipped CSV file of all days.

    Raises:
        FeedError: As for `parse_daily`, or no zip file with the documented member.
    """
    return _parsed(_csv_entries(_unzipped(body)), fetched_at)


def plan(now: datetime, done: Sequence[Done]) -> Sequence[Request]:
    """The newest day; after a pause that it cannot bridge, the history too."""
    requests = [Request(DAILY, parse_daily)]
    if _has_gap(now, done):
        requests.extend(backfill(now))
    return requests


def backfill(now: datetime) -> Sequence[Request]:
    """One request for every day there is."""
    return [Request(HISTORY, parse_history)]


def _has_gap(now: datetime, done: Sequence[Done]) -> bool:
    """Whether a pause since the history was last read held more than one publication.

    The daily file has the newest one only. Holidays are taken for working days, which costs a
    needless look. Every pause counts: a history that did not come is asked for again.
    """
    histories = [one.started for one in done if one.url.endswith(HISTORY)]
    read = sorted(one.started for one in done if not histories or one.started >= max(histories))
    return any(_publications(before, after) > 1 for before, after in pairwise([*read, now]))


def _publications(before: datetime, after: datetime) -> int:
    """How many working days' rates came out between two moments, at most two."""
    moment, count = datetime.combine(before.astimezone(UTC), PUBLISHED, UTC), 0
    while count < 2 and moment <= after:
        count += moment > before and moment.weekday() < SATURDAY
        moment += timedelta(days=1)
    return count


def _parsed(entries: Iterable[_Entry], fetched_at: datetime) -> Parsed:
    rows: list[dict[str, Any]] = []
    refused: Counter[str] = Counter()
    seen: set[tuple[date, str]] = set()
    total = 0
    for day, currency, text in entries:
        total += 1
        if currency not in BOUNDS:
            refused["currency not followed"] += 1
            continue
        if day < EARLIEST:
            refused["before LLM prices"] += 1
            continue
        if (day, currency) in seen:
            raise FeedError(f"{NAME}: {currency} stands twice on {day}")
        seen.add((day, currency))
        if text == NOT_STATED:
            refused["no rate stated"] += 1
            continue
        rows.append(
            {
                "feed": NAME,
                "date": day,
                "base": BASE,
                "quote": currency,
                "rate": _rate(day, currency, text),
                "observed_at": fetched_at,
            }
        )
    found = {row["quote"] for row in rows}
    for currency in BOUNDS:
        if currency not in found:
            raise FeedError(
                f"{NAME}: the answer holds no rate of {currency} since {EARLIEST}; that is a fault"
            )
    frame = conform(pl.DataFrame(rows, schema=FX), FX)
    return Parsed({"fx": frame}, total, refused, whole=frozenset())


def _rate(day: date, currency: str, text: str) -> Decimal:
    if not _RATE.fullmatch(text):
        raise FeedError(
            f"{NAME}: the rate of {currency} on {day} is {text[:QUOTED]!r}, "
            "expected a number with a decimal point"
        )
    rate = Decimal(text)
    low, high = BOUNDS[currency]
    if not low <= rate <= high:
        raise FeedError(
            f"{NAME}: the rate of {currency} on {day} is {text}, which cannot be right "
            f"(expected {low} to {high} for one {BASE})"
        )
    return rate


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise FeedError(
            f"{NAME}: {text[:QUOTED]!r} is no day, expected one like 2026-08-21"
        ) from error


def _xml_entries(body: bytes) -> Sequence[_Entry]:
    """Day, currency and rate of every innermost `Cube`, without building a tree.

    A document type could define entities that grow without end, or name files; the ECB's file has
    none, so the first sign of one ends the reading.
    """
    if len(body) > LARGEST_XML:
        raise FeedError(f"{NAME}: the answer has {len(body):,} bytes, far too many for one day")
    if not body.strip():
        raise FeedError(f"{NAME}: answered with an empty body")
    if is_web_page(body):
        raise FeedError(f"{NAME}: answered with a web page instead of XML")
    entries: list[_Entry] = []
    day: date | None = None

    def refuse_document_type(*declared: object) -> None:
        raise FeedError(f"{NAME}: the answer declares a document type, which is not read")

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal day
        if tag.rpartition(":")[2] != "Cube":
            return
        if "time" in attributes:
            day = _day(attributes["time"])
        elif attributes:
            for name in ("currency", "rate"):
                if name not in attributes:
                    raise FeedError(f"{NAME}: an entry of {day or 'no day'} states no {name}")
            if day is None:
                raise FeedError(f"{NAME}: the rates stand under no day (time)")
            entries.append((day, attributes["currency"], attributes["rate"].strip()))

    reader = expat.ParserCreate()
    reader.StartDoctypeDeclHandler = refuse_document_type
    reader.StartElementHandler = start
    try:
        reader.Parse(body, True)
    except expat.ExpatError as error:
        if error.code in _CUT_OFF:
            raise FeedError(f"{NAME}: the answer is cut off after {len(body):,} bytes") from error
        raise FeedError(f"{NAME}: the answer is not XML ({error})") from error
    except (LookupError, ValueError) as error:
        raise FeedError(
            f"{NAME}: the answer's encoding cannot be read ({str(error)[:QUOTED]})"
        ) from error
    return entries


def _unzipped(body: bytes) -> bytes:
    """The history's CSV file out of its zip, within bounds."""
    if not body.strip():
        raise FeedError(f"{NAME}: answered with an empty body")
    if is_web_page(body):
        raise FeedError(f"{NAME}: answered with a web page instead of a zip file")
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            names = archive.namelist()
            if MEMBER not in names:
                first = repr(names[0][:QUOTED]) if names else "nothing"
                raise FeedError(f"{NAME}: the zip file holds {first}, expected {MEMBER}")
            member = archive.getinfo(MEMBER)
            if member.compress_type not in METHODS or member.flag_bits & ENCRYPTED:
                raise FeedError(f"{NAME}: {MEMBER} is packed in another way than documented")
            with archive.open(member) as file:
                text = file.read(LARGEST_CSV + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError) as error:
        raise FeedError(
            f"{NAME}: the answer of {len(body):,} bytes is cut off or no zip file "
            f"({str(error)[:QUOTED]})"
        ) from error
    if len(text) > LARGEST_CSV:
        raise FeedError(f"{NAME}: {MEMBER} unpacks to more than {LARGEST_CSV // 1024**2} MB")
    return text


def _csv_entries(data: bytes) -> Iterator[_Entry]:
    """Day, currency and rate of every cell."""
    try:
        lines = csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""))
        head = _cells(next(lines, []))
        if head[:1] != ["Date"]:
            found = repr(head[0][:QUOTED]) if head else "missing"
            raise FeedError(f"{NAME}: the first column is {found}, expected Date")
        for line in filter(None, lines):
            first, *rates = _cells(line)
            day = _day(first)
            if len(rates) != len(head) - 1:
                raise FeedError(
                    f"{NAME}: the line of {day} has {len(rates)} rates for {len(head) - 1} "
                    "currencies"
                )
            for currency, text in zip(head[1:], rates, strict=True):
                yield day, currency, text
    except (csv.Error, UnicodeDecodeError) as error:
        raise FeedError(f"{NAME}: {MEMBER} is not a CSV file ({error})") from error


def _cells(line: Sequence[str]) -> list[str]:
    """A line's cells without the empty one after the comma at its end."""
    cells = [cell.strip() for cell in line]
    return cells[:-1] if len(cells) > 1 and not cells[-1] else cells


FEED = Feed(
    name=NAME,
    title="ECB euro reference rates (USD, CNY)",
    publisher="ECB",
    kind="rates",
    host="https://www.ecb.europa.eu",
    plan=plan,
    budget=12,
    floor=timedelta(hours=12),
    licence="Source: ECB",
    citation="Rates: European Central Bank reference rates, as of {as_of}",
    page=(
        "https://www.ecb.europa.eu/stats/policy_and_exchange_rates/"
        "euro_reference_exchange_rates/html/index.en.html"
    ),
    backfill=backfill,
)
