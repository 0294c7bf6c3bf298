"""Whether the kept bodies are those that came."""

import gzip
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import polars as pl

from qwenwatch_cache.clock import iso
from qwenwatch_cache.store.bodies import FOLDER, Body, kept
from qwenwatch_cache.store.files import TEMPORARY, Damaged
from qwenwatch_cache.verify.findings import Findings

DIGITS = 16
"""Of a SHA-256 those that are in a body's name."""

_SYSTEM = 9
"""Byte of a packed body that says on which system it was packed; it is not the same everywhere."""

_FEW = 8
"""Bytes that may be spoilt in a body that still holds what came. One that was packed by another
version of the packer differs in many more."""


def name_strangers(root: Path, bodies: Sequence[Body], findings: Findings) -> None:
    """Name the files among the bodies that no write made."""
    own = {body.path for body in bodies}
    for path in sorted((root / FOLDER).glob("*/*")):
        if path not in own and not path.name.endswith(TEMPORARY):
            findings.add(_name(root, path), "it has not the name of a kept body")


def name_missing(
    root: Path, log: pl.DataFrame, merged: datetime | None, findings: Findings
) -> None:
    """Name the answers whose bodies ought to be there, because older ones are.

    Bodies go by age, and of what came several times the first time counts. Not looked for are those
    of addresses whose answers were refused for a time: they may have come before they were logged.

    Args:
        root: The cache directory.
        log: The log of requests.
        merged: Until when answers may have come to another cache, None if there is no other.
        findings: Gets what is missing.
    """
    bodies = list(kept(root))
    oldest = min((body.came for body in bodies), default=None)
    if oldest is None:
        return
    there = {(body.feed, body.digest) for body in bodies}
    refused = log.filter(pl.col("error").is_not_null() & pl.col("rows").is_not_null())
    came = (
        answered(log)
        .join(refused, on=["feed", "url"], how="anti")
        .group_by("feed", "digest")
        .agg(pl.col("started").min())
        .filter(
            pl.col("digest") != "",
            pl.col("started") >= max(one for one in (oldest, merged) if one is not None),
        )
        .sort("feed", "started", "digest")
    )
    for feed, digest, started in came.iter_rows():
        if (feed, digest) not in there:
            file = f"{FOLDER}/{feed}/*-{digest}.gz"
            findings.add(file, f"the answer of {iso(started)} is not kept, though older ones are")


def answered(log: pl.DataFrame) -> pl.DataFrame:
    """The good answers, as logged, with the digest that names their body; "" if unchanged."""
    good = pl.col("error").is_null() & pl.col("sha256").is_not_null()  # null: a further page
    return log.filter(good).with_columns(digest=pl.col("sha256").str.slice(0, DIGITS))


def content_of(root: Path, body: Body, findings: Findings) -> bytes | None:
    """The bytes that came; None if they are not there any more, or not as they were kept."""
    try:
        packed = body.path.read_bytes()
    except FileNotFoundError:
        return None  # its days were over, and a round dropped it
    except OSError as error:
        findings.add(_name(root, body.path), f"it cannot be read ({error.strerror})")
        return None
    findings.bodies += 1
    try:
        content = body.read()
    except Damaged as damage:
        findings.add(_name(root, body.path), damage.reason)
        return None
    if not _is_as_it_was_packed(packed, content):
        findings.add(_name(root, body.path), "it was changed, though it still holds what came")
    return content


def _is_as_it_was_packed(packed: bytes, content: bytes) -> bool:
    """Whether also those bits are untouched that make no difference to what is unpacked."""
    again = gzip.compress(content, mtime=0)
    if len(again) != len(packed) or again == packed:
        return True
    spoilt = sum(
        one != other and place != _SYSTEM
        for place, (one, other) in enumerate(zip(again, packed, strict=True))
    )
    return not 0 < spoilt <= _FEW


def _name(root: Path, path: Path) -> str:
    return path.relative_to(root).as_posix()
