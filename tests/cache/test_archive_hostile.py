"""Archives that are not what they claim: each is refused by name, and nothing on disk changes."""

import hashlib
import io
import os
import random
import shutil
import stat
import struct
import warnings
import zipfile
import zlib
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from qwenwatch_cache.errors import CacheTooNew, StoreError
from qwenwatch_cache.frames import USAGE
from qwenwatch_cache.store import archive_index, archive_reader
from qwenwatch_cache.store.archive import import_archive
from tests.cache.archives import (
    BODY,
    SHA256,
    Index,
    Members,
    asked,
    changed,
    exported,
    rows_of_all,
    some_cache,
    store_at,
    with_rows,
)
from tests.cache.rows import NOW, at, files_of, prices, usage

LATER = at(60)
USAGE_F = "rows/usage/f.parquet"
BODY_F = f"bodies/f/20260817T120000Z-{SHA256[:16]}.gz"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive, the cache that it is of, and one that it is imported into."""
    folder = tmp_path_factory.mktemp("made")
    exported(folder)
    some_cache(folder / "own").append({"usage": usage({"own": 1}, at(9), feed="h")}, at(9))
    return folder


@pytest.fixture
def archive(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copyfile(made / "cache.zip", tmp_path / "cache.zip"))


@pytest.fixture
def own(made: Path, tmp_path: Path) -> Path:
    """The cache that the archive is imported into."""
    return Path(shutil.copytree(made / "own", tmp_path / "own"))


def assert_refused(archive: Path, own: Path, because: str) -> None:
    before = files_of(own.parent)
    store = store_at(own)
    with pytest.raises(StoreError) as caught:
        import_archive(store, archive, LATER)
    message = str(caught.value)
    assert str(archive) in message
    assert because in message
    assert message.isprintable() and len(message) < 700
    assert files_of(own.parent) == before
    assert store.notices == []


def entry(index: Index, name: str) -> Index:
    [found] = [one for one in (*index["rows"], *index["bodies"]) if one["name"] == name]
    assert isinstance(found, dict)
    return found


class TestNoArchive:
    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"PK",
            b"<html>502 Bad Gateway</html>",
            bytes(5000),
            random.Random(1).randbytes(9999),
        ],
        ids=["empty", "two letters", "text", "zeros", "noise"],
    )
    def test_no_zip(self, archive: Path, own: Path, content: bytes) -> None:
        archive.write_bytes(content)
        assert_refused(archive, own, "it is no zip archive")

    def test_another_zip(self, archive: Path, own: Path) -> None:
        with zipfile.ZipFile(archive, "w") as zipped:
            zipped.writestr("holiday.jpg", b"...")
        assert_refused(archive, own, "archive.json is missing: this is no archive of qwenwatch")

    def test_no_file(self, archive: Path, own: Path, tmp_path: Path) -> None:
        assert_refused(tmp_path / "nowhere.zip", own, "there is no such file")
        assert_refused(own, own, "it is not a file")

    def test_pipe_is_not_waited_for(self, own: Path, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe")
        with pytest.raises(StoreError, match="it is not a file"):
            import_archive(store_at(own), tmp_path / "pipe", LATER)

    @pytest.mark.parametrize("left", [0.1, 0.5, 0.9, 0.999])
    def test_truncated(self, archive: Path, own: Path, left: float) -> None:
        content = archive.read_bytes()
        archive.write_bytes(content[: int(len(content) * left)])
        assert_refused(archive, own, "it is no zip archive, or not whole")

    def test_each_byte_changed(self, archive: Path, own: Path, tmp_path: Path) -> None:
        """Refused; or a byte that says nothing, and then all is as in the archive."""
        whole, dice = archive.read_bytes(), random.Random(7)
        before = rows_of_all(store_at(own))
        import_archive(store_at(tmp_path / "whole"), archive, LATER)
        right = rows_of_all(store_at(tmp_path / "whole"))
        seen = set()
        for number in dice.sample(range(len(whole)), 300):
            torn = bytearray(whole)
            torn[number] ^= 1 << dice.randrange(8)
            archive.write_bytes(torn)
            empty = tmp_path / f"empty-{number}"
            try:
                import_archive(store_at(empty), archive, LATER)
            except StoreError as error:
                assert str(archive) in str(error)
                assert not empty.exists()
                seen.add("refused")
            else:
                for name, rows in rows_of_all(store_at(empty)).items():
                    assert_frame_equal(rows, right[name])
                seen.add("meaningless")
        assert "refused" in seen
        for name, rows in rows_of_all(store_at(own)).items():
            assert_frame_equal(rows, before[name])


class TestMembers:
    @pytest.mark.parametrize(
        "name",
        ["../outside.parquet", "/etc/qwenwatch", "..\\outside", "usage/f-0000001-0.parquet"],
    )
    def test_unnamed_member(self, archive: Path, own: Path, name: str) -> None:
        changed(archive, members=lambda members: members.update({name: b"x"}))
        assert_refused(archive, own, "1 members are not in archive.json")

    @pytest.mark.parametrize(
        "name",
        ["../../outside.parquet", "/etc/qwenwatch", "rows/usage/../../../f.parquet", "\x1b[2J"],
    )
    def test_name_that_is_not_that_of_the_content(
        self, archive: Path, own: Path, name: str
    ) -> None:
        def rename(members: Members) -> None:
            members[name] = members.pop(USAGE_F)

        changed(archive, lambda index: entry(index, USAGE_F).update(name=name), rename)
        assert_refused(archive, own, "to what must be called rows/usage/f.parquet")

    @pytest.mark.parametrize("feed", ["../../x", "/x", "", "F", "f\n", "f/", "con.", "x" * 65, "é"])
    def test_feed_that_is_no_name(self, archive: Path, own: Path, feed: str) -> None:
        name = f"rows/usage/{feed}.parquet"

        def rename(members: Members) -> None:
            members[name] = members.pop(USAGE_F)

        changed(archive, lambda index: entry(index, USAGE_F).update(name=name, feed=feed), rename)
        assert_refused(archive, own, "feed")

    @pytest.mark.parametrize("name", [USAGE_F, BODY_F])
    def test_missing_member(self, archive: Path, own: Path, name: str) -> None:
        changed(archive, members=lambda members: members.pop(name))
        assert_refused(archive, own, f"{name} is missing")

    @pytest.mark.parametrize("name", [USAGE_F, BODY_F])
    def test_other_content(self, archive: Path, own: Path, name: str) -> None:
        changed(
            archive,
            members=lambda members: members.update({name: bytes(len(members[name]))}),
        )
        assert_refused(archive, own, f"{name} is not what was written")

    def test_other_size(self, archive: Path, own: Path) -> None:
        changed(archive, members=lambda members: members.update({USAGE_F: b"short"}))
        assert_refused(archive, own, f"{USAGE_F} has 5 bytes")

    def test_two_members_of_one_name(self, archive: Path, own: Path) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with zipfile.ZipFile(archive, "a") as zipped:
                zipped.writestr(USAGE_F, b"another")
        assert_refused(archive, own, f"it has two members of the name '{USAGE_F}'")

    def test_link(self, archive: Path, own: Path) -> None:
        with zipfile.ZipFile(archive, "a") as zipped:
            info = zipfile.ZipInfo("rows/usage/link.parquet")
            info.create_system, info.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
            zipped.writestr(info, "/etc/passwd")
        assert_refused(archive, own, "is a link")

    def test_encrypted(self, archive: Path, own: Path) -> None:
        content = bytearray(archive.read_bytes())
        central = content.index(b"PK\x01\x02")
        content[central + 8] |= 1
        archive.write_bytes(content)
        assert_refused(archive, own, "is encrypted")

    @pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
    def test_other_compression(self, archive: Path, own: Path, compression: int) -> None:
        changed(archive, compression=compression)
        assert_refused(archive, own, "is compressed in a way")

    def test_packed_again_with_deflate_is_as_good(self, archive: Path, tmp_path: Path) -> None:
        changed(archive, compression=zipfile.ZIP_DEFLATED)
        assert import_archive(store_at(tmp_path / "new"), archive, LATER).rows_new == 10

    def test_ten_thousand_members(self, archive: Path, own: Path) -> None:
        extra = {f"bodies/f/{number}.gz": b"" for number in range(10_000)}
        changed(archive, members=lambda members: members.update(extra))
        assert_refused(archive, own, "10000 members are not in archive.json")

    def test_ten_thousand_tables(self, archive: Path, own: Path) -> None:
        def many(index: Index) -> None:
            one = entry(index, USAGE_F)
            index["rows"] += [
                {**one, "feed": f"f{number}", "name": f"rows/usage/f{number}.parquet"}
                for number in range(10_000)
            ]

        changed(archive, many)
        assert_refused(archive, own, "archive.json")

    def test_more_members_than_any_archive_has(
        self, archive: Path, own: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(archive_reader, "MOST_TABLES", 2)
        monkeypatch.setattr(archive_reader, "MOST_BODIES", 2)
        assert_refused(archive, own, "it has 7 members")

    def test_bomb_in_the_zip(self, archive: Path, own: Path) -> None:
        """A few hundred kilobytes that unpack to more than a table may have."""
        changed(archive, compression=zipfile.ZIP_DEFLATED)
        with (
            zipfile.ZipFile(archive, "a", zipfile.ZIP_DEFLATED) as zipped,
            zipped.open("rows/usage/bomb.parquet", "w") as member,
        ):
            for _ in range(300):
                member.write(bytes(1024**2))
        assert_refused(archive, own, "'rows/usage/bomb.parquet'")

        def claim(index: Index) -> None:
            bomb = {**entry(index, USAGE_F), "feed": "bomb", "name": "rows/usage/bomb.parquet"}
            index["rows"].append({**bomb, "bytes": 300 * 1024**2})

        changed(archive, claim, compression=zipfile.ZIP_DEFLATED)
        assert_refused(archive, own, "bytes")

    def test_size_that_is_a_lie(self, archive: Path, own: Path) -> None:
        """The zip's own directory says less than there is: no more than that is unpacked."""
        changed(
            archive,
            members=lambda members: members.update({BODY_F: bytes(10 * 1024**2)}),
            compression=zipfile.ZIP_DEFLATED,
        )
        content = bytearray(archive.read_bytes())
        real, said = (struct.pack("<I", size) for size in (10 * 1024**2, 32))
        assert content.count(real) >= 2
        archive.write_bytes(content.replace(real, said))
        assert_refused(archive, own, BODY_F)

    def test_bomb_in_a_body(self, archive: Path, own: Path) -> None:
        """Little gzip that unpacks to more than a body may have is not unpacked to the end."""
        packer = zlib.compressobj(wbits=31)
        bomb = b"".join(packer.compress(bytes(1024**2)) for _ in range(65)) + packer.flush()

        def claim(index: Index) -> None:
            sha256 = hashlib.sha256(bomb).hexdigest()
            entry(index, BODY_F).update(bytes=len(bomb), sha256=sha256)

        changed(archive, claim, lambda members: members.update({BODY_F: bomb}))
        assert_refused(archive, own, f"{BODY_F}: it holds more than 64 MB")

    @pytest.mark.parametrize(
        ("content", "because"),
        [
            (b"not gzip", "it is not gzip"),
            (zlib.compress(BODY, wbits=31)[:-2], "it is not whole"),
            (zlib.compress(BODY, wbits=31) + b"more", "something follows the body"),
            (zlib.compress(b"another body", wbits=31), "not the body that its name tells of"),
        ],
    )
    def test_body_that_is_none(
        self, archive: Path, own: Path, content: bytes, because: str
    ) -> None:
        def claim(index: Index) -> None:
            sha256 = hashlib.sha256(content).hexdigest()
            entry(index, BODY_F).update(bytes=len(content), sha256=sha256)

        changed(archive, claim, lambda members: members.update({BODY_F: content}))
        assert_refused(archive, own, because)

    def test_body_that_nobody_asked_for(self, archive: Path, own: Path) -> None:
        def claim(index: Index) -> None:
            name = BODY_F.replace("bodies/f", "bodies/g")
            entry(index, BODY_F).update(name=name, feed="g")

        def rename(members: Members) -> None:
            members[BODY_F.replace("bodies/f", "bodies/g")] = members.pop(BODY_F)

        changed(archive, claim, rename)
        assert_refused(archive, own, "the log of requests knows of no such answer")


class TestIndex:
    @pytest.mark.parametrize(
        "content",
        [
            b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 9999, b'{"archive": NaN, "format": 2}',
            b'{"archive": 1, "format": 2}', b'{"archive": "1", "format": 2}',
            b'{"archive": 1e400, "format": 2}', b'{"archive": -1, "format": 2}',
        ],
    )  # fmt: skip
    def test_nonsense(self, archive: Path, own: Path, content: bytes) -> None:
        changed(archive, members=lambda members: members.update({"archive.json": content}))
        assert_refused(archive, own, "archive.json")

    @pytest.mark.parametrize("what", ["archive", "format"])
    def test_newer_version(self, archive: Path, own: Path, what: str) -> None:
        # A later version may have other keys, and other members.
        changed(archive, lambda index: index.update({what: 3, "seal": "…"}))
        before = files_of(own)
        with pytest.raises(CacheTooNew, match=rf"{archive}.* newer qwenwatch .*upgrade qwenwatch"):
            import_archive(store_at(own), archive, LATER)
        assert files_of(own) == before

    @pytest.mark.parametrize(
        ("key", "value"),
        [
            ("rows", -1), ("rows", 0), ("rows", 10**12), ("rows", 1.5), ("rows", "3"),
            ("rows", None),
            ("rows", 2), ("rows", 4), ("rows", 15_000_000), ("rows", True),
            ("bytes", 0), ("bytes", 2**40), ("bytes", -5), ("bytes", 5),
            ("sha256", "x" * 64), ("sha256", ""), ("sha256", "0" * 64),
            ("table", "secrets"), ("table", "../usage"), ("table", "price"), ("table", 3),
            ("feed", "g"), ("feed", None),
            ("first", "NaN"), ("first", "9999-99-99T00:00:00Z"), ("first", "2026-08-17T12:00:00"),
            ("first", "0001-01-01T00:00:00+14:00"), ("first", "9999-12-31T23:59:59-14:00"),
            ("first", "1969-12-31T00:00:00Z"), ("first", "2026-08-17T11:00:00Z"),
            ("last", "2031-01-01T00:00:00Z"), ("last", None), ("surprise", 1),
        ],
    )  # fmt: skip
    def test_entry_that_is_wrong(self, archive: Path, own: Path, key: str, value: object) -> None:
        changed(archive, lambda index: entry(index, USAGE_F).update({key: value}))
        assert_refused(archive, own, "")

    @pytest.mark.parametrize(
        ("key", "value"),
        [
            ("came", "2031-01-01T00:00:00Z"), ("came", "2026-08-17T12:00:00.5Z"),
            ("came", "2026-08-17T14:00:00+02:00"), ("came", 0), ("digest", "0" * 16),
            ("digest", "../../../../x"), ("digest", "ABCDEF0123456789"), ("bytes", 2**33),
        ],
    )  # fmt: skip
    def test_body_that_is_wrong(self, archive: Path, own: Path, key: str, value: object) -> None:
        changed(archive, lambda index: entry(index, BODY_F).update({key: value}))
        assert_refused(archive, own, "")

    @pytest.mark.parametrize("kind", ["rows", "bodies"])
    def test_same_member_twice(self, archive: Path, own: Path, kind: str) -> None:
        changed(archive, lambda index: index[kind].append(index[kind][0]))
        assert_refused(archive, own, "twice")

    def test_losses(self, archive: Path, own: Path) -> None:
        changed(archive, lambda index: index["losses"].update({"f": "9999-01-01T00:00:00Z"}))
        assert_refused(archive, own, "9999")
        changed(archive, lambda index: index.update(losses={"../x": "2026-01-01T00:00:00Z"}))
        assert_refused(archive, own, "losses")

    def test_huge_index(self, archive: Path, own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(archive_reader, "LARGEST_INDEX", 500)
        assert_refused(archive, own, "archive.json has")

    def test_more_than_all_may_have(
        self, archive: Path, own: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(archive_index, "LARGEST_ALL", 5000)
        assert_refused(archive, own, "together")


def null(column: str) -> Callable[[pl.DataFrame], pl.DataFrame]:
    return lambda frame: frame.with_columns(pl.lit(None, USAGE[column]).alias(column))


WRONG_ROWS: dict[str, tuple[Callable[[pl.DataFrame], pl.DataFrame], str]] = {
    "a missing column": (lambda frame: frame.drop("scope"), "the column scope is missing"),
    "another column": (lambda frame: frame.with_columns(evil=1), "'evil' is no column of usage"),
    "another type": (
        lambda frame: frame.with_columns(pl.col("value").cast(pl.Float64)),
        "the column value is Float64, it must be Int64",
    ),
    "text for a time": (
        lambda frame: frame.with_columns(pl.col("observed_at").cast(pl.String)),
        "the column observed_at is String",
    ),
    "no time zone": (
        lambda frame: frame.with_columns(pl.col("observed_at").dt.replace_time_zone(None)),
        "the column observed_at is Datetime",
    ),
    "no rows": (lambda frame: frame.clear(), "archive.json"),
    "an entity that is null": (null("entity"), "entity is null"),
    "a period that is null": (null("period"), "period is null"),
    "rows of another feed": (
        lambda frame: frame.with_columns(feed=pl.Series(["f", "g", "f"])),
        "it holds rows of another feed",
    ),
    "no feed": (null("feed"), "it holds rows of another feed"),
    "the future": (
        lambda frame: frame.with_columns(observed_at=pl.lit(LATER + timedelta(days=2))),
        "the clock of this machine",
    ),
    "a period to come": (
        lambda frame: frame.with_columns(period=pl.lit(date(2031, 1, 1))),
        "period is in the future",
    ),
    "long ago": (
        lambda frame: frame.with_columns(pl.col("observed_at") - timedelta(days=20_000)),
        "is of 1971",
    ),
    "a year that Python does not know": (
        lambda frame: frame.with_columns(period=pl.lit(50_000_000, pl.Int32).cast(pl.Date)),
        "period is of a year that cannot be",
    ),
    "a date before the first": (
        lambda frame: frame.with_columns(as_of=pl.lit(-(2**62)).cast(USAGE["as_of"])),
        "as_of is of a year that cannot be",
    ),
    "NaN": (lambda frame: frame.with_columns(share=pl.lit(float("nan"))), "share is not a number"),
    "infinity": (lambda frame: frame.with_columns(share=pl.lit(float("inf"))), "share is not a"),
    "a text without end": (
        lambda frame: frame.with_columns(scope=pl.lit("x" * 20_000)),
        "scope is longer than any is",
    ),
}  # fmt: skip


class TestRows:
    @pytest.mark.parametrize(("change", "because"), WRONG_ROWS.values(), ids=WRONG_ROWS.keys())
    def test_refused(
        self,
        archive: Path,
        own: Path,
        change: Callable[[pl.DataFrame], pl.DataFrame],
        because: str,
    ) -> None:
        with zipfile.ZipFile(archive) as zipped:
            rows = pl.read_parquet(zipped.read(USAGE_F))
        assert_refused(with_rows(archive, change(rows)), own, because)

    def test_right_rows_are_taken(self, archive: Path, own: Path) -> None:
        """What the cases above start from is in order: it is the change that is refused."""
        rows = usage({"x": 1, "y": None, "z": 3}, at(2))
        assert import_archive(store_at(own), with_rows(archive, rows), LATER).rows_new == 3

    def test_other_file_types(self, archive: Path, own: Path) -> None:
        content = io.BytesIO()
        usage({"x": 1}).write_ipc(content)

        def claim(index: Index) -> None:
            sha256 = hashlib.sha256(content.getvalue()).hexdigest()
            size = len(content.getvalue())
            entry(index, USAGE_F).update(bytes=size, sha256=sha256, rows=1)

        changed(archive, claim, lambda members: members.update({USAGE_F: content.getvalue()}))
        assert_refused(archive, own, f"{USAGE_F}: ")

    def test_rows_by_the_million_in_few_bytes(self, archive: Path, own: Path) -> None:
        one = usage({"x": 1})
        assert_refused(with_rows(archive, pl.concat([one] * 200_000)), own, "cannot be")

    def test_price(self, archive: Path, own: Path) -> None:
        unnamed = prices({"m": None}).with_columns(model=pl.lit(None, pl.String))
        assert_refused(with_rows(archive, unnamed, table="price"), own, "model is null")

    def test_log_that_would_silence_a_feed(self, archive: Path, own: Path) -> None:
        silent = asked(NOW, retry_at=NOW + timedelta(days=4000), error="HTTP 429", status=429)
        assert_refused(with_rows(archive, silent, table="fetch"), own, "retry_at is absurdly late")

    def test_damage_within_a_part(self, archive: Path, own: Path) -> None:
        """A file with the right checksum whose pages are torn."""
        with zipfile.ZipFile(archive) as zipped:
            content = bytearray(zipped.read(USAGE_F))
        content[4:400] = bytes(396)

        def claim(index: Index) -> None:
            entry(index, USAGE_F).update(sha256=hashlib.sha256(content).hexdigest())

        changed(archive, claim, lambda members: members.update({USAGE_F: bytes(content)}))
        assert_refused(archive, own, f"{USAGE_F}: ")


def test_one_bad_member_spoils_all(archive: Path, tmp_path: Path) -> None:
    """The last thing that is checked is wrong: nothing of what comes before it was stored."""
    changed(archive, members=lambda members: members.update({BODY_F: members[BODY_F][:-1] + b"x"}))
    with pytest.raises(StoreError, match="the cache is as it was"):
        import_archive(store_at(tmp_path / "new"), archive, LATER)
    assert not (tmp_path / "new").exists()
