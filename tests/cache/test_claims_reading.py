"""Files of claims: what a printed value admits, and what is refused with file, key and reason."""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from qwenwatch_cache.claims.claim import UNITS
from qwenwatch_cache.claims.figure import Unit, read_figure
from qwenwatch_cache.claims.period import Period, read_period
from qwenwatch_cache.claims.reading import MOST_CLAIMS, bundled_claims, claims_of, read_claims
from qwenwatch_cache.claims.tables import ClaimError

GOOD: dict[str, Any] = {
    "id": "one",
    "says": "Chinese models had 61 %",
    "source": {"outlet": "nobody"},
    "measure": "share",
    "country": "CN",
    "window": "2026-W08",
    "value": "61 %",
}


def written(folder: Path, *claims: dict[str, Any]) -> Path:
    path = folder / "claims.toml"
    path.write_text(tomli_w.dumps({"claim": list(claims)}), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "unit", "low", "high"),
    [
        ("61 %", "share", "0.605", "0.615"),
        ("61.0%", "share", "0.6095", "0.6105"),
        ("5.16T", "amount", "5155000000000", "5165000000000"),
        ("290,000", "amount", "289999.5", "290000.5"),
        ("300+", "amount", "300", None),
        ("<15 %", "share", None, "0.15"),
        (">10x", "times", "10", None),
        ("3–5x", "times", "3", "5"),
        ("16.7×", "times", "16.65", "16.75"),
        ("$0.3", "USD", "0.295", "0.305"),
        ("$30", "USD", "29.995", "30.005"),
        ("¥0.8", "CNY", "0.795", "0.805"),
        ("-30 %", "change", "-0.305", "-0.295"),
        ("+421 %", "change", "4.205", "4.215"),
        ("15x", "change", "13.5", "14.5"),
        ("4", "rank", "4", "4"),
    ],
)
def test_what_a_printed_value_admits(
    text: str, unit: Unit, low: str | None, high: str | None
) -> None:
    units = UNITS["price"] if unit in UNITS["price"] else frozenset({unit})
    figure = read_figure(text, units)
    assert (figure.unit, figure.low, figure.high) == (
        unit,
        None if low is None else Decimal(low),
        None if high is None else Decimal(high),
    )


def test_a_bound_leaves_itself_out_only_if_it_says_so() -> None:
    assert not read_figure(">10x", UNITS["ratio"]).admits(Decimal(10))
    assert read_figure("≥10x", UNITS["ratio"]).admits(Decimal(10))
    assert read_figure("10x+", UNITS["ratio"]).admits(Decimal(10))


def test_precision_says_which_digit_is_believed() -> None:
    figure = read_figure("290,000", UNITS["total"], "1000")
    assert (figure.low, figure.high) == (Decimal(289500), Decimal(290500))


@given(value=st.decimals(0, 10**6, places=6), digits=st.integers(0, 3))
def test_a_value_that_is_printed_admits_the_value(value: Decimal, digits: int) -> None:
    printed = f"{value:.{digits}f}"
    figure = read_figure(f"{printed}x", UNITS["ratio"])
    assert figure.admits(value)
    assert figure.distance(value) == 0
    half = Decimal(1).scaleb(-digits) / 2
    assert not figure.admits(Decimal(printed) + half * 3)
    assert figure.distance(Decimal(printed) + half * 3) == half * 2


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2026-02-16", "2026-02-16", "2026-02-16"),
        ("2026-W08", "2026-02-16", "2026-02-22"),
        ("2026-02", "2026-02-01", "2026-02-28"),
        ("2026-Q1", "2026-01-01", "2026-03-31"),
        ("2025", "2025-01-01", "2025-12-31"),
        ("2024-08..2025-08", "2024-08-01", "2025-08-31"),
    ],
)
def test_times(text: str, first: str, last: str) -> None:
    assert read_period(text) == Period(date.fromisoformat(first), date.fromisoformat(last))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("2026-02-30", "does not exist"),
        ("2026-W60", "does not exist"),
        ("2026-13", "does not exist"),
        ("2026-02..2026-01", "ends before it begins"),
        ("1066", "is not between"),
        ("9999-12..", "does not exist"),
        ("last week", "is no time"),
    ],
)
def test_impossible_times_are_refused(tmp_path: Path, text: str, reason: str) -> None:
    path = written(tmp_path, GOOD | {"window": text})
    with pytest.raises(ClaimError, match=r"claims\.toml: claim 'one': window: ") as refused:
        claims_of(path)
    assert reason in str(refused.value)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"value": 61}, "value: expected text in quotes"),
        ({"value": True}, "value: expected text in quotes"),
        ({"value": "many"}, "value: 'many' is no value; expected something like 61 %"),
        ({"value": "$5"}, "value: '$5' is not counted in what this measure is"),
        ({"value": "-5 %"}, "value: '-5 %' is negative"),
        ({"value": "5-3 %"}, "value: '5-3 %' begins with its higher end"),
        ({"value": f"1{'0' * 30} %"}, "is larger than anything that is counted"),
        ({"precision": "0"}, "has the precision '0'"),
        ({"measure": "vibes"}, "measure: expected one of share, total"),
        ({"verdict": "true"}, "'verdict': is no key of a claim with measure 'share'"),
        ({"field": "input"}, "'field': is no key of a claim with measure 'share'"),
        ({"source": "nobody"}, "source: expected a table, found text"),
        ({"source": {"outlet": "x", "author": "y"}}, "source: 'author': is no key of a source"),
        ({"source": {"title": "x"}}, "source: outlet: is missing"),
        ({"source": {"outlet": "x", "url": "javascript:x"}}, "source: url: expected an address"),
        ({"source": {"outlet": "x", "date": date(2026, 2, 1)}}, "found a date or time"),
        ({"country": "China"}, "country: expected two capital letters"),
        ({"vendor": "alibaba"}, "vendor: a claim has one subject, and country is given"),
        ({"scope": {"among": "top 0"}}, "scope: among: expected"),
        ({"scope": {"among": "top 10", "of": 1}}, "scope: 'of': is no key of a scope"),
        ({"feed": "gossip"}, "feed: no feed is called 'gossip'"),
        ({"contradicts": ["two"]}, "contradicts: 'two' is no other claim"),
        ({"contradicts": [1]}, "contradicts: expected a list of ids, found 1 in it"),
        ({"says": "x" * 601}, "says: is longer than 600 letters"),
        ({"says": "red \x1b[31m"}, "says: holds characters that cannot be printed"),
        ({"says": "right \u202e left"}, "says: holds characters that cannot be printed"),
        ({"says": ""}, "says: is empty"),
        ({"id": "../../x"}, "id: expected lower-case letters"),
    ],
)
def test_what_is_not_understood_is_refused_by_key(
    tmp_path: Path, change: dict[str, Any], expected: str
) -> None:
    path = written(tmp_path, GOOD | change)
    with pytest.raises(ClaimError) as refused:
        claims_of(path)
    message = str(refused.value)
    assert message.startswith(f"{path}: claim ")
    assert expected in message
    assert message.isprintable()


@pytest.mark.parametrize(
    ("claim", "expected"),
    [
        (
            {"measure": "price", "model": "no-such-model", "value": "$1"},
            "model: No model is called",
        ),
        ({"measure": "price", "model": "qwen", "value": "$1"}, "Give one of these ids"),
        ({"measure": "price", "vendor": "alibaba", "value": "$1"}, "vendor: a price is of a model"),
        ({"measure": "ratio", "vendor": "alibaba", "value": "2x"}, "to: is missing"),
        (
            {"measure": "rank", "vendor": "acme", "value": "1"},
            "vendor: no vendor has the id 'acme'",
        ),
        ({"measure": "count", "country": "CN", "value": "4"}, "top: is missing"),
        ({"measure": "count", "country": "CN", "value": "4", "top": 0}, "top: expected a whole"),
        ({"measure": "share", "value": "4 %"}, "a share is of a country, a vendor or a model"),
    ],
)
def test_what_a_measure_needs(tmp_path: Path, claim: dict[str, Any], expected: str) -> None:
    base = {key: GOOD[key] for key in ("id", "says", "source")}
    with pytest.raises(ClaimError) as refused:
        claims_of(written(tmp_path, base | claim))
    assert expected in str(refused.value)


def test_files_that_are_none_are_refused(tmp_path: Path) -> None:
    cases = {
        "not.toml": (b"[[claim]\n", "is no TOML"),
        "bytes.toml": (b"\xff\xfe\x00", "is not UTF-8"),
        "empty.toml": (b"", "holds no claim"),
        "other.toml": (b"[view]\ntop = 3\n", "unknown key 'view'"),
        "list.toml": (b"claim = 3\n", "holds no claim"),
        "deep.toml": (b"claim = " + b"[" * 5000 + b"]" * 5000, "is no TOML"),
        "large.toml": (b"#" * 2_000_001, "is larger than 2,000,000 bytes"),
    }
    for name, (content, reason) in cases.items():
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(ClaimError) as refused:
            claims_of(path)
        assert str(path) in str(refused.value), name
        assert reason in str(refused.value), name
    for path in (tmp_path, tmp_path / "absent.toml"):
        with pytest.raises(ClaimError, match="cannot be read"):
            claims_of(path)


def test_ten_thousand_claims_are_too_many(tmp_path: Path) -> None:
    claims = [{**GOOD, "id": f"c{number}"} for number in range(10_000)]
    with pytest.raises(ClaimError, match=f"holds 10,000 claims; at most {MOST_CLAIMS:,} are read"):
        claims_of(written(tmp_path, *claims))
    assert len(claims_of(written(tmp_path, *claims[:MOST_CLAIMS]))) == MOST_CLAIMS


def test_two_claims_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ClaimError, match="claim 'one': id: is there twice"):
        claims_of(written(tmp_path, GOOD, GOOD))


@given(
    st.dictionaries(
        st.sampled_from([*GOOD, "scope", "to", "top", "precision", "together", "x"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates(),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(st.text(max_size=4), inner, max_size=3)
            ),
            max_leaves=4,
        ).filter(lambda value: value is not None),
    )
)
def test_nothing_but_a_refusal_comes_of_a_strange_file(change: dict[str, Any]) -> None:
    try:
        text = tomli_w.dumps({"claim": [GOOD | change]})
    except (TypeError, UnicodeEncodeError):
        return  # no TOML can say it
    try:
        (claim,) = read_claims(text, "file")
    except ClaimError as error:
        assert str(error).startswith("file")
        assert str(error).isprintable()
    else:
        assert claim.figure.text == (GOOD | change)["value"].strip()


def test_no_bundled_claim_carries_its_answer() -> None:
    claims = bundled_claims()
    assert len({claim.id for claim in claims}) == len(claims) == 36
    assert all(claim.said.outlet for claim in claims)
    by_id = {claim.id: claim for claim in claims}
    for claim in claims:
        for other in claim.contradicts:
            assert claim.id in by_id[other].contradicts


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("tencent/hy3", "tencent/hy3"),
        ("tencent/hy3:free", "tencent/hy3:free"),
        ("tencent/hy3:standard", "tencent/hy3:standard"),
        ("stealth/ox-alpha@openrouter:free", "stealth/ox-alpha@openrouter:free"),
        (
            "Gemini 2.5 Flash Image (Code name: Nano Banana)",
            "google/gemini-2.5-flash-image",
        ),
    ],
)
def test_what_comes_after_a_colon_is_a_variant_unless_it_is_of_the_name(
    tmp_path: Path, name: str, model: str
) -> None:
    of_a_model = {key: value for key, value in GOOD.items() if key != "country"}
    [claim] = claims_of(written(tmp_path, {**of_a_model, "model": name}))
    assert claim.of == model
