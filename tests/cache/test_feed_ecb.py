"""The ECB's reference rates: both files, against the recordings, and what is refused."""

import csv
import gzip
import io
import re
import tracemalloc
import zipfile
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import httpx
import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from qwenwatch_cache.errors import FeedError
from qwenwatch_cache.feeds import ecb_fx
from qwenwatch_cache.feeds.feed import Done, Parsed
from qwenwatch_cache.frames import FX
from tests.feedserver import FIXTURE_NOW, FeedServer, FixtureBodies
from tests.feedserver.support import client_of

WHEN = datetime(2026, 10, 30, 18, tzinfo=UTC)
PROPERTY = settings(deadline=None, database=None, max_examples=80)
Rates = dict[tuple[str, str], Decimal]

HEAD = "Date,USD,JPY,CNY,"
LINE = "2026-08-14,1.25,160.00,9.0000,"


def xml(*cubes: str, day: str = "time='2026-08-14'", before: str = "") -> bytes:
    """A daily file in the recorded layout."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>{before}\n'
        '<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01" '
        'xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref">\n'
        f"\t<gesmes:subject>Reference rates</gesmes:subject>\n\t<Cube>\n\t\t<Cube {day}>\n"
        + "".join(f"\t\t\t<Cube {cube}/>\n" for cube in cubes)
        + "\t\t</Cube>\n\t</Cube>\n</gesmes:Envelope>\n"
    ).encode()


USD = "currency='USD' rate='1.25'"
JPY = "currency='JPY' rate='160.00'"
CNY = "currency='CNY' rate='9.0000'"


def packed(*lines: str, member: str = "eurofxref-hist.csv") -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as out:
        out.writestr(member, "".join(f"{line}\n" for line in lines))
    return archive.getvalue()


def rates_of(answer: Parsed) -> Rates:
    """What was kept, by day and currency; every kept row is a euro's rate."""
    frame = answer.frames["fx"]
    assert frame.schema == FX
    assert frame.select("feed", "base").unique().rows() == [("ecb-fx", "EUR")]
    rates = {(str(row["date"]), row["quote"]): row["rate"] for row in frame.to_dicts()}
    assert len(rates) == frame.height
    return rates


def assert_all_accounted_for(answer: Parsed) -> None:
    assert answer.rows == answer.frames["fx"].height + sum(answer.refused.values())


@pytest.fixture(scope="module")
def history(recordings: Path) -> bytes:
    return (recordings / "prices/fx/eurofxref-hist_2026-10-30.zip").read_bytes()


class TestRecordings:
    def test_the_daily_file(self, recordings: Path) -> None:
        body = (recordings / "prices/fx/eurofxref-daily_2025-05-09.xml").read_bytes()
        answer = ecb_fx.parse_daily(body, WHEN)
        assert answer.rows == len(re.findall(rb"currency=", body)) == 30
        assert answer.refused == {"currency not followed": 28}
        assert rates_of(answer) == {
            ("2025-05-09", "USD"): Decimal("1.1252"),
            ("2025-05-09", "CNY"): Decimal("8.147"),
        }

    def test_every_cell_of_the_history_is_kept_or_refused_by_rule(self, history: bytes) -> None:
        with zipfile.ZipFile(io.BytesIO(history)) as archive:
            table = list(csv.DictReader(io.StringIO(archive.read("eurofxref-hist.csv").decode())))
        expected: Rates = {}
        refused: Counter[str] = Counter()
        for line in table:
            for currency, text in line.items():
                if currency in ("Date", ""):
                    continue
                if currency not in ("USD", "CNY"):
                    refused["currency not followed"] += 1
                elif line["Date"] < "2023-01-01":
                    refused["before LLM prices"] += 1
                else:
                    expected[line["Date"], currency] = Decimal(text)
        answer = ecb_fx.parse_history(history, WHEN)
        assert len(table) == 7_126
        assert answer.rows == 7_126 * 41
        assert answer.refused == refused
        assert_all_accounted_for(answer)
        assert rates_of(answer) == expected
        assert len(expected) == 2 * 979
        assert min(expected) == ("2023-01-02", "CNY")

    def test_both_files_agree_on_the_recorded_day(self, recordings: Path, history: bytes) -> None:
        body = (recordings / "prices/fx/eurofxref-daily_2025-05-09.xml").read_bytes()
        daily = rates_of(ecb_fx.parse_daily(body, WHEN))
        whole = rates_of(ecb_fx.parse_history(history, WHEN))
        assert daily == {key: rate for key, rate in whole.items() if key[0] == "2025-05-09"}

    def test_another_service_of_the_ecb_states_the_same_rates(
        self, recordings: Path, history: bytes
    ) -> None:
        """The statistical data service, asked by somebody else seven months earlier."""
        path = recordings / "prices/fx/ecb_sdmx_csv_2026-02-17_2026-03-18.cassette.yml.gz"
        found = re.findall(
            r"^ +D,(USD|CNY),(\d{4}-\d\d-\d\d),([\d.]+)$",
            gzip.decompress(path.read_bytes()).decode(),
            re.M,
        )
        theirs = {(day, currency): Decimal(rate) for currency, day, rate in found}
        ours = rates_of(ecb_fx.parse_history(history, WHEN))
        assert len(theirs) == 2 * 22
        days = ("2026-02-17", "2026-03-18")
        assert theirs == {key: rate for key, rate in ours.items() if days[0] <= key[0] <= days[1]}

    def test_yuan_per_dollar_as_worked_out_by_hand(self, history: bytes) -> None:
        rates = rates_of(ecb_fx.parse_history(history, WHEN))
        for day, expected in (
            ("2026-02-18", "6.9087"),
            ("2026-10-30", "6.6529"),
            ("2025-12-31", "7.0010"),
        ):
            ratio = rates[day, "CNY"] / rates[day, "USD"]
            assert (day, ratio.quantize(Decimal("0.0001"))) == (day, Decimal(expected))


class TestDaily:
    def test_what_is_kept(self) -> None:
        answer = ecb_fx.parse_daily(xml(USD, JPY, CNY), WHEN)
        assert answer.rows == 3
        assert answer.refused == {"currency not followed": 1}
        assert answer.frames["fx"].to_dicts() == [
            {
                "feed": "ecb-fx",
                "date": date(2026, 8, 14),
                "base": "EUR",
                "quote": quote,
                "rate": rate,
                "observed_at": WHEN,
            }
            for quote, rate in (("USD", Decimal("1.25")), ("CNY", Decimal(9)))
        ]

    def test_what_it_does_not_state_is_not_withdrawn(self) -> None:
        assert ecb_fx.parse_daily(xml(USD, CNY), WHEN).whole == frozenset()

    def test_unknown_attributes_and_elements_are_ignored(self) -> None:
        body = xml(f"{USD} obs='A'", CNY, day="time='2026-08-14' status='final'")
        body = body.replace(b"\t<Cube>\n", b"\t<Note currency='USD' rate='9'/>\n\t<Cube>\n", 1)
        assert ecb_fx.parse_daily(body, WHEN).rows == 2

    def test_the_prefix_of_the_name_space_does_not_matter(self) -> None:
        body = xml(USD, CNY).replace(b"Cube", b"rates:Cube")
        assert ecb_fx.parse_daily(body, WHEN).rows == 2

    @pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
    def test_encodings_that_xml_allows(self, encoding: str) -> None:
        text = xml(USD, CNY).decode().replace(' encoding="UTF-8"', "")
        assert ecb_fx.parse_daily(text.encode(encoding), WHEN).rows == 2

    @pytest.mark.parametrize(
        ("body", "complaint"),
        [
            (xml(USD), "no rate of CNY"),
            (xml(JPY), "no rate of USD"),
            (xml(), "no rate of USD"),
            (xml(USD, CNY, day="time='2022-12-30'"), "no rate of USD since 2023-01-01"),
            (xml("currency='USD' value='1.25'", CNY), "an entry of 2026-08-14 states no rate"),
            (xml("code='USD' rate='1.25'", CNY), "an entry of 2026-08-14 states no currency"),
            (xml(USD, CNY, day="date='2026-08-14'"), "an entry of no day states no currency"),
            (xml(USD, CNY, day=""), "under no day"),
            (xml(USD, CNY, day="time='14.08.2026'"), "'14.08.2026' is no day"),
            (xml(USD, CNY, USD), "USD stands twice on 2026-08-14"),
            (xml("currency='USD' rate='1,25'", CNY), "USD on 2026-08-14 is '1,25'.*decimal point"),
            (xml("currency='USD' rate=''", CNY), "USD on 2026-08-14 is ''"),
            (xml("currency='USD' rate='1.25e0'", CNY), "USD on 2026-08-14 is '1.25e0'"),
            (xml("currency='USD' rate='NaN'", CNY), "USD on 2026-08-14 is 'NaN'"),
            (xml("currency='USD' rate='-1.25'", CNY), "USD on 2026-08-14 is '-1.25'"),
            (xml("currency='USD' rate='٣'", CNY), "USD on 2026-08-14 is '٣'"),
        ],
    )
    def test_another_shape_is_named(self, body: bytes, complaint: str) -> None:
        with pytest.raises(FeedError, match=f"^ecb-fx: .*{complaint}"):
            ecb_fx.parse_daily(body, WHEN)

    @pytest.mark.parametrize(
        ("cubes", "complaint"),
        [
            (("currency='USD' rate='125'", CNY), "USD on 2026-08-14 is 125, .*0.4 to 3"),
            (("currency='USD' rate='0'", CNY), "USD on 2026-08-14 is 0"),
            (("currency='USD' rate='3.0001'", CNY), "USD on 2026-08-14 is 3.0001"),
            (("currency='USD' rate='0.3999'", CNY), "USD on 2026-08-14 is 0.3999"),
            ((USD, "currency='CNY' rate='900'"), "CNY on 2026-08-14 is 900, .*3 to 30"),
            ((USD, "currency='CNY' rate='30.01'"), "CNY on 2026-08-14 is 30.01"),
            ((USD, "currency='CNY' rate='2.99'"), "CNY on 2026-08-14 is 2.99"),
            (("currency='USD' rate='9'", "currency='CNY' rate='1.25'"), "USD on 2026-08-14 is 9"),
        ],
    )
    def test_a_rate_that_cannot_be_right_refuses_the_answer(
        self, cubes: Sequence[str], complaint: str
    ) -> None:
        with pytest.raises(FeedError, match=complaint):
            ecb_fx.parse_daily(xml(*cubes), WHEN)

    @pytest.mark.parametrize(("usd", "cny"), [("0.4", "3"), ("3", "30")])
    def test_the_bounds_themselves_are_inside(self, usd: str, cny: str) -> None:
        body = xml(f"currency='USD' rate='{usd}'", f"currency='CNY' rate='{cny}'")
        assert list(rates_of(ecb_fx.parse_daily(body, WHEN)).values()) == [
            Decimal(usd),
            Decimal(cny),
        ]

    @pytest.mark.parametrize(
        "before",
        [
            "<!DOCTYPE lolz [<!ENTITY lol 'lol'>]>",
            "<!DOCTYPE x SYSTEM 'file:///etc/passwd'>",
            "<!DOCTYPE html>",
        ],
    )
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
    def test_a_document_type_is_not_read(self, before: str, encoding: str) -> None:
        """In any encoding: a search for the letters would miss the second."""
        text = xml(USD, CNY, before=before).decode().replace(' encoding="UTF-8"', "")
        with pytest.raises(FeedError, match="declares a document type"):
            ecb_fx.parse_daily(text.encode(encoding), WHEN)

    def test_entities_are_not_expanded(self) -> None:
        with pytest.raises(FeedError, match="not XML"):
            ecb_fx.parse_daily(xml("currency='USD' rate='&rate;'", CNY), WHEN)

    @pytest.mark.parametrize(
        ("body", "complaint"),
        [
            (b"", "empty body"),
            (b" \n", "empty body"),
            (b"<!DOCTYPE html><html></html>", "web page instead of XML"),
            (b"<html><body>Just a moment", "web page instead of XML"),
            (b'{"rates": {}}', "not XML"),
            (xml(USD, CNY)[:200], "cut off after 200 bytes"),
            (xml(USD, CNY)[:-20], "cut off"),
            (xml(USD, CNY).replace(b"UTF-8", b"klingon"), "encoding"),
            (xml(USD, CNY) + b" " * 1024**2, "far too many"),
        ],
    )
    def test_no_xml_of_its_kind(self, body: bytes, complaint: str) -> None:
        with pytest.raises(FeedError, match=complaint):
            ecb_fx.parse_daily(body, WHEN)


class TestHistory:
    def test_every_cell_is_accounted_for(self) -> None:
        answer = ecb_fx.parse_history(
            packed(HEAD, LINE, "2026-08-13,N/A,161.00,9.1,", "2022-12-30,1.0666,140.66,N/A,"), WHEN
        )
        assert answer.rows == 9
        assert answer.refused == {
            "currency not followed": 3,
            "no rate stated": 1,
            "before LLM prices": 2,
        }
        assert_all_accounted_for(answer)
        assert rates_of(answer) == {
            ("2026-08-14", "USD"): Decimal("1.25"),
            ("2026-08-14", "CNY"): Decimal(9),
            ("2026-08-13", "CNY"): Decimal("9.1"),
        }

    def test_the_first_day_that_is_kept(self) -> None:
        lines = [f"{day},1.05,140,7.3," for day in ("2023-01-02", "2023-01-01", "2022-12-31")]
        kept = rates_of(ecb_fx.parse_history(packed(HEAD, *lines), WHEN))
        assert {day for day, _ in kept} == {"2023-01-02", "2023-01-01"}

    @pytest.mark.parametrize(
        "lines",
        [
            ("Date,USD,JPY,CNY", "2026-08-14,1.25,160.00,9.0000"),
            ("Date, USD, JPY, CNY, ", "2026-08-14, 1.25, 160.00, 9.0000, "),
            ("\ufeffDate,USD,JPY,CNY,\r", "2026-08-14,1.25,160.00,9.0000,\r", "\r"),
            ("Date,CNY,JPY,USD,", "2026-08-14,9.0000,160.00,1.25,"),
        ],
    )
    def test_layouts_that_say_the_same(self, lines: Sequence[str]) -> None:
        assert rates_of(ecb_fx.parse_history(packed(*lines), WHEN)) == {
            ("2026-08-14", "USD"): Decimal("1.25"),
            ("2026-08-14", "CNY"): Decimal(9),
        }

    @pytest.mark.parametrize(
        ("lines", "complaint"),
        [
            (("Day,USD,CNY,", LINE), "first column is 'Day', expected Date"),
            ((), "first column is missing"),
            ((HEAD,), "no rate of USD"),
            ((HEAD.replace("CNY", "CNH"), LINE), "no rate of CNY"),
            ((HEAD, "2026-08-14,N/A,160,9,"), "no rate of USD"),
            ((HEAD, LINE, "2026-08-13,1.25,160.00,"), "2026-08-13 has 2 rates for 3"),
            ((HEAD, LINE, "2026-08-13,1,25,160,00,9,1,"), "2026-08-13 has 6 rates for 3"),
            ((HEAD, '2026-08-14,"1,25","160,00","9,1",'), "USD on 2026-08-14 is '1,25'"),
            ((HEAD, LINE, LINE), "USD stands twice on 2026-08-14"),
            (("Date,USD,USD,CNY,", LINE), "USD stands twice on 2026-08-14"),
            ((HEAD, "14/08/2026,1.25,160.00,9.0000,"), "'14/08/2026' is no day"),
            ((HEAD, LINE, "2026-08-13,1.25,160.00,900,"), "CNY on 2026-08-13 is 900"),
        ],
    )
    def test_another_shape_is_named(self, lines: Sequence[str], complaint: str) -> None:
        with pytest.raises(FeedError, match=f"^ecb-fx: .*{complaint}"):
            ecb_fx.parse_history(packed(*lines), WHEN)

    @pytest.mark.parametrize(
        ("body", "complaint"),
        [
            (b"", "empty body"),
            (b"<!DOCTYPE html><html></html>", "web page instead of a zip file"),
            (b"Date,USD,CNY,\n", "no zip file"),
            (packed(HEAD, LINE)[:100], "cut off or no zip file"),
            (
                packed(HEAD, LINE, member="readme.txt"),
                "holds 'readme.txt', expected eurofxref-hist",
            ),
        ],
    )
    def test_no_zip_of_its_kind(self, body: bytes, complaint: str) -> None:
        with pytest.raises(FeedError, match=complaint):
            ecb_fx.parse_history(body, WHEN)

    def test_an_empty_zip(self) -> None:
        archive = io.BytesIO()
        zipfile.ZipFile(archive, "w").close()
        with pytest.raises(FeedError, match="holds nothing"):
            ecb_fx.parse_history(archive.getvalue(), WHEN)

    def test_bytes_that_are_no_text(self) -> None:
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as out:
            out.writestr("eurofxref-hist.csv", b"Date,USD\xff")
        with pytest.raises(FeedError, match="not a CSV file"):
            ecb_fx.parse_history(archive.getvalue(), WHEN)

    def test_another_compression_is_not_unpacked(self) -> None:
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_LZMA) as out:
            out.writestr("eurofxref-hist.csv", f"{HEAD}\n{LINE}\n")
        with pytest.raises(FeedError, match="packed in another way"):
            ecb_fx.parse_history(archive.getvalue(), WHEN)

    def test_a_zip_bomb_is_not_unpacked_whole(self, monkeypatch: pytest.MonkeyPatch) -> None:
        archive = io.BytesIO()
        with (
            zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as out,
            out.open("eurofxref-hist.csv", "w") as member,
        ):
            for _ in range(65):
                member.write(b" " * 1024**2)
        body = archive.getvalue()
        assert len(body) < 1024**2
        with pytest.raises(FeedError, match="more than 64 MB"):
            ecb_fx.parse_history(body, WHEN)
        monkeypatch.setattr(ecb_fx, "LARGEST_CSV", 1024**2)
        tracemalloc.start()
        with pytest.raises(FeedError, match="more than 1 MB"):
            ecb_fx.parse_history(body, WHEN)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 8 * 1024**2

    def test_a_damaged_member(self) -> None:
        body = bytearray(packed(HEAD, *[LINE] * 40))
        body[60] ^= 0xFF
        with pytest.raises(FeedError, match="cut off or no zip file"):
            ecb_fx.parse_history(bytes(body), WHEN)


class TestProperties:
    @PROPERTY
    @given(
        st.decimals(Decimal("0.4"), Decimal(3), places=12),
        st.decimals(Decimal(3), Decimal(30), places=12),
    )
    def test_rates_of_twelve_decimals_are_kept_exactly(self, usd: Decimal, cny: Decimal) -> None:
        daily = xml(f"currency='USD' rate='{usd:f}'", f"currency='CNY' rate='{cny:f}'")
        history = packed("Date,USD,CNY,", f"2026-08-14,{usd:f},{cny:f},")
        for answer in (ecb_fx.parse_daily(daily, WHEN), ecb_fx.parse_history(history, WHEN)):
            assert list(rates_of(answer).values()) == [usd, cny]

    @PROPERTY
    @given(st.one_of(st.binary(), st.text().map(str.encode)))
    @example(b"<" + b"Cube>" * 50)
    @example(b"<Cube>" * 20_000)
    @example(b'<?xml version="1.0" encoding="utf-7"?><Cube/>')
    @example(b'<?xml version="1.0" encoding="rot13"?><Cube/>')
    @example(b"PK\x05\x06" + b"\xff" * 18)
    def test_any_bytes_are_a_feed_error(self, body: bytes) -> None:
        for parse in (ecb_fx.parse_daily, ecb_fx.parse_history):
            with pytest.raises(FeedError):
                parse(body, WHEN)

    @PROPERTY
    @given(st.lists(st.lists(st.sampled_from([*LINE.split(","), "USD", "CNY", "Date", '"', "\0"]))))
    def test_any_table_gives_rates_or_a_feed_error(self, cells: list[list[str]]) -> None:
        lines = [",".join(row) for row in [["Date", "USD", "CNY"], *cells]]
        try:
            answer = ecb_fx.parse_history(packed(*lines), WHEN)
        except FeedError as error:
            assert str(error).startswith("ecb-fx: ")
            assert len(str(error)) < 300
        else:
            assert_all_accounted_for(answer)

    @PROPERTY
    @given(st.integers(0, 400), st.integers(1, 255), st.booleans())
    def test_one_wrong_byte_gives_rates_or_a_feed_error(
        self, at: int, flip: int, zipped: bool
    ) -> None:
        body = bytearray(packed(HEAD, LINE) if zipped else xml(USD, JPY, CNY))
        body[at % len(body)] ^= flip
        parse = ecb_fx.parse_history if zipped else ecb_fx.parse_daily
        try:
            assert_all_accounted_for(parse(bytes(body), WHEN))
        except FeedError as error:
            assert len(str(error)) < 300


def done(path: str, before: timedelta) -> Done:
    return Done(f"http://127.0.0.1:1{path}", WHEN - before)


class TestPlan:
    def paths(self, *earlier: Done) -> list[str]:
        return [request.path for request in ecb_fx.plan(WHEN, earlier)]

    def test_at_first_the_newest_day_only(self) -> None:
        assert self.paths() == [ecb_fx.DAILY]

    # By hand: rates come out at 15:00 UTC of working days, and 2026-08-21 was a Friday.
    @pytest.mark.parametrize(
        ("read", "now", "missed"),
        [
            ("2026-08-21T16:00", "2026-08-22T10:00", False),
            ("2026-08-21T16:00", "2026-08-24T16:00", False),  # over the weekend
            ("2026-08-21T14:00", "2026-08-24T14:59", False),
            ("2026-08-21T14:00", "2026-08-24T15:00", True),  # Friday's and Monday's
            ("2026-08-17T16:00", "2026-08-18T16:00", False),
            ("2026-08-17T10:00", "2026-08-20T10:00", True),  # three of them
            ("2025-01-01T10:00", "2026-08-20T10:00", True),
        ],
    )
    def test_the_history_too_where_a_day_was_missed(
        self, read: str, now: str, missed: bool
    ) -> None:
        before, after = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (read, now))
        earlier = [Done(f"https://mirror.example{ecb_fx.DAILY}", before)]
        paths = [request.path for request in ecb_fx.plan(after, earlier)]
        assert paths == [ecb_fx.DAILY, ecb_fx.HISTORY] if missed else paths == [ecb_fx.DAILY]

    def test_a_history_that_did_not_come_is_asked_for_again(self) -> None:
        before, after = (done(ecb_fx.DAILY, timedelta(days=days)) for days in (20, 0.01))
        assert self.paths(before, after) == [ecb_fx.DAILY, ecb_fx.HISTORY]

    def test_a_history_that_came_closes_the_gap(self) -> None:
        before, daily = (done(ecb_fx.DAILY, timedelta(days=days)) for days in (20, 1))
        history = done(ecb_fx.HISTORY, timedelta(days=0.9))
        assert self.paths(before, daily, history) == [ecb_fx.DAILY]

    def test_a_pause_after_the_history_is_one_too(self) -> None:
        history = done(ecb_fx.HISTORY, timedelta(days=5))
        assert self.paths(history) == [ecb_fx.DAILY, ecb_fx.HISTORY]

    def test_backfill_is_the_history(self) -> None:
        [request] = ecb_fx.backfill(WHEN)
        assert (request.path, request.parse) == (ecb_fx.HISTORY, ecb_fx.parse_history)

    def test_a_day_of_rounds_stays_within_the_budget(self) -> None:
        rounds = timedelta(days=1) / ecb_fx.FEED.floor
        assert ecb_fx.FEED.budget > rounds * 2
        assert ecb_fx.FEED.backfill is ecb_fx.backfill


def test_the_feed_server_plays_both_files() -> None:
    """7.0 yuan per dollar until 2026-08-07, 7.2 from 2026-08-10; rates come in the afternoon."""
    with (
        FeedServer(FixtureBodies(), now=lambda: FIXTURE_NOW) as server,
        client_of(server) as client,
    ):
        [daily] = ecb_fx.plan(FIXTURE_NOW, [])
        [history] = ecb_fx.backfill(FIXTURE_NOW)
        answers = {}
        for request in (daily, history):
            response: httpx.Response = client.get(request.path)
            assert response.status_code == 200
            answers[request.path] = request.parse(response.content, FIXTURE_NOW)
    assert rates_of(answers[ecb_fx.DAILY]) == {
        ("2026-08-14", "USD"): Decimal("1.25"),
        ("2026-08-14", "CNY"): Decimal(9),
    }
    frame = answers[ecb_fx.HISTORY].frames["fx"].pivot("quote", index="date", values="rate")
    ratios = frame.select("date", ratio=pl.col("CNY").cast(float) / pl.col("USD").cast(float))
    assert ratios.height == 25
    assert {round(ratio, 9) for day, ratio in ratios.rows() if day < date(2026, 8, 8)} == {7.0}
    assert {round(ratio, 9) for day, ratio in ratios.rows() if day > date(2026, 8, 8)} == {7.2}
