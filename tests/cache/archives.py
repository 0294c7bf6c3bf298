"""Caches to export, and archives as somebody who means harm would change them."""

import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

from qwenwatch_cache.frames import FETCH, TABLES
from qwenwatch_cache.store import Store
from qwenwatch_cache.store.archive import export_archive
from tests.cache.polling import NO_BASELINE
from tests.cache.rows import MANY, NOW, at, prices, usage

BODY = b'{"data": []}'
SHA256 = hashlib.sha256(BODY).hexdigest()
Index = dict[str, Any]
Members = dict[str, bytes]


def store_at(root: Path) -> Store:
    return Store(root, bundled=NO_BASELINE)


def asked(
    started: datetime,
    *,
    feed: str = "f",
    url: str = "http://x/",
    error: str | None = None,
    status: int | None = 200,
    **others: object,
) -> pl.DataFrame:
    """A row of the log."""
    row: Mapping[str, object] = {
        **dict.fromkeys(FETCH),
        "feed": feed,
        "url": url,
        "started": started,
        "status": status,
        "error": error,
        "rows_new": 0,
        **others,
    }
    return pl.DataFrame([row], schema=FETCH)


def some_cache(root: Path) -> Store:
    """A cache of two feeds with revisions, a withdrawal, a log and a body."""
    store = store_at(root)
    store.append({"usage": usage({"a": 1, "b": 2})}, NOW, whole=MANY)
    store.append({"usage": usage({"a": 3, "b": 2}, at(5))}, at(5), whole=MANY)
    store.append({"usage": usage({"z": 7}, at(6), feed="g")}, at(6))
    store.append({"price": prices({"m": Decimal("0.15"), "n": Decimal(2)}, at(1))}, at(1))
    store.append({"price": prices({"m": Decimal("0.15")}, at(7))}, at(7))
    store.keep_body("f", BODY, SHA256, NOW)
    store.log(asked(NOW, sha256=SHA256, rows=2, role="last"), NOW)
    store.log(asked(at(6), feed="g", etag='"e"', role="last"), at(6))
    store.log(asked(at(5), role="last"), at(6))
    return store


def exported(folder: Path) -> Path:
    """An archive of `some_cache`."""
    target = folder / "cache.zip"
    export_archive(some_cache(folder / "exported"), target)
    return target


def rows_of_all(store: Store) -> dict[str, pl.DataFrame]:
    return {name: store.cached(table) for name, table in TABLES.items()}


def changed(
    archive: Path,
    index: Callable[[Index], object] = lambda index: None,
    members: Callable[[Members], object] = lambda members: None,
    *,
    compression: int = zipfile.ZIP_STORED,
) -> Path:
    """Put an archive with another index or other members in place of one."""
    with zipfile.ZipFile(archive) as zipped:
        content = {name: zipped.read(name) for name in zipped.namelist()}
    plain = json.loads(content["archive.json"])
    index(plain)
    content["archive.json"] = json.dumps(plain).encode()
    members(content)
    with zipfile.ZipFile(archive, "w", compression) as zipped:
        for name, one in content.items():
            zipped.writestr(name, one)
    return archive


def with_rows(archive: Path, frame: pl.DataFrame, *, table: str = "usage", feed: str = "f") -> Path:
    """Put other rows into an archive, and an index that agrees with them as far as it can."""
    buffer = io.BytesIO()
    frame.write_parquet(buffer)
    content, name = buffer.getvalue(), f"rows/{table}/{feed}.parquet"

    def agree(index: Index) -> None:
        [entry] = [one for one in index["rows"] if one["name"] == name]
        entry |= {
            "rows": frame.height,
            "bytes": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
        }
        times = frame.get_column(TABLES[table].time)
        for key, moment in (("first", times.min()), ("last", times.max())):
            if isinstance(moment, datetime) and moment.tzinfo is not None:
                entry[key] = moment.isoformat()

    return changed(archive, agree, lambda members: members.update({name: content}))
