"""A cache in an object store, on a share or in a read-only directory: read like any other."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest
from polars.testing import assert_frame_equal

from qwenwatch_cache.errors import StoreError
from qwenwatch_cache.frames import FETCH_TABLE, TABLES, USAGE_TABLE
from qwenwatch_cache.places import CloudPlace, LocalPlace, Place, is_url, place_of
from qwenwatch_cache.store import Store
from tests.cache.rows import NOW, at, fetches, prices, usage, values_of
from tests.cache.s3 import S3Server, only_these, upload_order

CLOSED = "http://127.0.0.1:1"
"""A port at which nobody listens."""

WRITES: dict[str, Callable[[Store], object]] = {
    "append": lambda store: store.append({"usage": usage({"z": 9}, at(9))}, at(9)),
    "log": lambda store: store.log(fetches([at(9)]), at(9)),
    "add": lambda store: store.add({"usage": usage({"z": 9}, at(9))}, at(9)),
    "keep_body": lambda store: store.keep_body("f", b"{}", "0" * 64, NOW),
    "drop_old_bodies": lambda store: store.drop_old_bodies(NOW, 14),
    "repair": lambda store: store.repair(NOW),
    "compact": lambda store: store.compact(NOW),
}


@dataclass(frozen=True, slots=True)
class Copied:
    """A cache of two feeds in a directory, and a copy in an object store."""

    root: Path
    url: str
    server: S3Server

    def copy(self) -> None:
        """Bring the copy up to date."""
        self.server.copy(self.root, self.url)

    def last_part(self) -> str:
        """Name of the last part of the table of usage; it is of the feed g."""
        return [one.file for one in Store(self.root).manifest().parts if one.table == "usage"][-1]


@pytest.fixture(scope="module")
def server() -> Iterator[S3Server]:
    with S3Server() as server:
        yield server


@pytest.fixture
def environment(server: S3Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The variables of a reader."""
    with only_these(server.environment, monkeypatch):
        yield


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A cache of two feeds, whose three writes each brought one row."""
    root = tmp_path / "cache"
    store = Store(root)
    for minute, values in enumerate(({"a": 1}, {"a": 1, "b": 2}, {"a": 3, "b": 2})):
        for feed in ("f", "g"):
            store.append({"usage": usage(values, at(minute), feed=feed)}, at(minute))
    store.append({"price": prices({"m": Decimal(2)}, at(3))}, at(3))
    store.log(fetches([at(3)]), at(3))
    return root


@pytest.fixture
def copied(root: Path, server: S3Server, environment: None) -> Copied:
    copied = Copied(root, f"{server.new_bucket()}/team/cache", server)
    copied.copy()
    return copied


def kind_of_places(root: Path, copied: Copied) -> dict[str, Place]:
    return {"directory": LocalPlace(root), "object store": CloudPlace(copied.url)}


@pytest.mark.parametrize("kind", ["directory", "object store"])
def test_files_of_a_place(kind: str, copied: Copied) -> None:
    place = kind_of_places(copied.root, copied)[kind]
    for name in upload_order(copied.root):
        assert place.read(name) == (copied.root / name).read_bytes()
    for name in ("nothing.json", "usage/f-0000099-0123abcd.parquet"):
        with pytest.raises(FileNotFoundError, match=name):
            place.read(name)


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("s3://bucket/cache", True),
        ("gs://bucket", True),
        ("ftp://host/cache", True),
        ("/srv/cache", False),
        ("cache", False),
        ("C:\\cache", False),
        ("C:/cache", False),
        ("//server/share", False),
        ("", False),
    ],
)
def test_what_is_an_address(text: str, url: bool) -> None:
    assert is_url(text) is url


def test_an_object_store_is_read_like_a_directory(copied: Copied) -> None:
    there, here = Store(copied.url), Store(copied.root)
    assert there.manifest() == here.manifest()
    for table in TABLES.values():
        assert_frame_equal(there.cached(table), here.cached(table))
        assert_frame_equal(there.read(table), here.read(table))
        assert there.stamp(table) == here.stamp(table)
    assert there.cached(USAGE_TABLE).height == 6
    assert there.cached(FETCH_TABLE).height == 1
    assert there.last_observed() == at(3)
    assert there.notices == []


def test_polars_reads_a_copy_in_place(copied: Copied) -> None:
    # In a process of its own: how Polars looks for credentials is not ours to warn of.
    look = f"""
import polars as pl
rows = pl.scan_parquet("{copied.url}/usage/*.parquet")
key = ["feed", "metric", "kind", "entity", "grain", "period"]
newest = rows.sort("observed_at", maintain_order=True)
last = newest.unique(key, keep="last", maintain_order=True).sort(key)
print(last.select("feed", "entity", "value").collect().rows())
"""
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, encoding="utf-8")
    assert done.stdout.strip() == str(
        [("f", "a", 3), ("f", "b", 2), ("g", "a", 3), ("g", "b", 2)]
    ), done.stderr


def test_news_come_into_view_when_they_are_copied(copied: Copied) -> None:
    reader = Store(copied.url)
    before, stamp = reader.cached(USAGE_TABLE), reader.stamp()
    Store(copied.root).append({"usage": usage({"a": 7}, at(60))}, at(60))
    assert_frame_equal(reader.cached(USAGE_TABLE), before)
    assert reader.stamp() == stamp
    copied.copy()
    assert ("a", 7) in values_of(reader.cached(USAGE_TABLE))
    assert reader.stamp() != stamp
    assert reader.notices == []


def test_a_reader_never_sees_a_copy_half_made(copied: Copied) -> None:
    before = Store(copied.root).cached(USAGE_TABLE)
    Store(copied.root).append({"usage": usage({"a": 7}, at(60))}, at(60))
    after = Store(copied.root).cached(USAGE_TABLE)
    names = upload_order(copied.root)
    seen = []
    for name in names:
        copied.server.put(copied.url, name, (copied.root / name).read_bytes())
        reader = Store(copied.url)
        seen.append(reader.cached(USAGE_TABLE).height)
        assert reader.notices == []
    manifest = names.index("manifest.json")
    assert seen[:manifest] == [before.height] * manifest
    assert seen[manifest:] == [after.height] * (len(names) - manifest)


def test_a_part_is_fetched_once(copied: Copied) -> None:
    before = copied.server.requests()
    reader = Store(copied.url)
    for _ in range(3):
        reader.cached(USAGE_TABLE)
    bucket = copied.url.removeprefix("s3:/")
    asked = copied.server.requests() - before
    assert asked["GET", f"{bucket}/{copied.last_part()}"] == 1
    assert asked["GET", f"{bucket}/manifest.json"] > 1


@pytest.mark.parametrize("write", WRITES)
def test_every_write_is_refused(copied: Copied, write: str) -> None:
    before = copied.server.objects(copied.url)
    store = Store(copied.url)
    with pytest.raises(StoreError, match=rf"{copied.url} can only be read: poll on the machine"):
        WRITES[write](store)
    assert copied.server.objects(copied.url) == before


def test_every_kind_of_write_works_on_a_directory(root: Path) -> None:
    for write in WRITES.values():
        write(Store(root))


def test_a_changed_part_is_noticed(copied: Copied) -> None:
    name = copied.last_part()
    content = bytearray((copied.root / name).read_bytes())
    content[len(content) // 2] ^= 1
    copied.server.put(copied.url, name, bytes(content))
    reader = Store(copied.url)
    assert values_of(reader.cached(USAGE_TABLE, feeds={"f"})) == [("a", 1), ("b", 2), ("a", 3)]
    # Of the other feed the part is used that the last write had replaced.
    assert values_of(reader.cached(USAGE_TABLE, feeds={"g"})) == [("a", 1), ("b", 2)]
    (notice,) = reader.notices
    assert f"{copied.url}/{name} is damaged" in notice


def test_a_part_that_was_not_copied_is_noticed(copied: Copied) -> None:
    name = copied.last_part()
    copied.server.delete(copied.url, [name])
    reader = Store(copied.url)
    assert values_of(reader.cached(USAGE_TABLE, feeds={"g"})) == [("a", 1), ("b", 2)]
    (notice,) = reader.notices
    assert f"{copied.url}/{name} is damaged (it is missing)" in notice


def test_a_manifest_that_was_not_copied(copied: Copied) -> None:
    copied.server.delete(copied.url, ["manifest.json"])
    with pytest.raises(StoreError, match=rf"{copied.url}.*manifest\.json"):
        Store(copied.url)


@pytest.mark.parametrize("place", ["{bucket}/other", "{bucket}", "s3://no-such-bucket/cache"])
def test_an_address_without_a_cache(server: S3Server, environment: None, place: str) -> None:
    url = place.format(bucket=server.new_bucket())
    with pytest.raises(StoreError, match=f"there is no cache.* at {url}"):
        Store(url)


def test_a_server_that_is_away(
    copied: Copied, server: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        only_these({**server.environment, "AWS_ENDPOINT_URL": CLOSED}, monkeypatch),
        pytest.raises(StoreError, match=r"cannot read format\.json") as caught,
    ):
        Store(copied.url)
    assert "a-secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_server_that_refuses(
    copied: Copied, server: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    nobody = {**server.environment, "AWS_SKIP_SIGNATURE": "true"}
    with (
        only_these(nobody, monkeypatch),
        pytest.raises(StoreError, match=r"cannot read format.json.*(privileges|403)"),
    ):
        Store(copied.url)


@pytest.mark.parametrize("url", ["https://host/cache", "ftp://host/cache", "s4://bucket/cache"])
def test_an_address_of_another_kind(url: str) -> None:
    with pytest.raises(StoreError, match=f"{url} is no place for a cache.*s3://, gs://, az://"):
        place_of(url)


def test_credentials_in_an_address_are_not_repeated() -> None:
    with pytest.raises(StoreError, match="environment") as caught:
        place_of("s3://somebody:secret@bucket/cache")
    assert "secret" not in str(caught.value)


def test_what_to_install_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "obstore.store", None)
    with pytest.raises(StoreError, match=r"s3://bucket.* pip install 'qwenwatch\[cloud\]'"):
        place_of("s3://bucket/cache")


def test_places_need_no_data_frames() -> None:
    look = (
        "import sys, pathlib; from qwenwatch_cache.places import place_of;"
        "place_of(pathlib.Path('.')); print(*{'polars', 'obstore'} & sys.modules.keys())"
    )
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, check=True)
    assert done.stdout.split() == []


def test_a_shared_directory_is_read_while_it_is_written(root: Path, tmp_path: Path) -> None:
    share = tmp_path / "share"
    share.symlink_to(root, target_is_directory=True)
    reader = Store(share)
    for minute in range(60, 70):
        Store(root).append(
            {"usage": usage({"a": minute, "b": 2}, at(minute), feed="f")}, at(minute)
        )
        assert values_of(reader.cached(USAGE_TABLE, feeds={"f"}))[-1] == ("a", minute)
    assert reader.cached(USAGE_TABLE).height == 16
    assert reader.notices == []
