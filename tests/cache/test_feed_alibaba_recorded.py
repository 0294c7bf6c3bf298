"""Alibaba's recorded files: all accounted for, every price exact."""

import functools
import json
import tarfile
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from qwenwatch_cache.feeds.alibaba_list import FEED, FOLDER, parse_group, parse_index, plan
from qwenwatch_cache.feeds.feed import Parsed
from qwenwatch_cache.identity import load_identity
from tests.cache.alibaba import (
    Json,
    accounted,
    cells,
    followed,
)
from tests.feedserver import FIXTURE_NOW, FeedServer, RecordedBodies
from tests.feedserver.support import client_of

# Worked out apart from the program: for each column the types it may come from, best first.
COLUMNS = {
    "input": ["input_token", "text_input_token", "omni_no_audio_input_token"],
    "output": ["output_token", "purein_text_output_token", "omni_no_audio_output_token"],
    "cache_read": ["input_token_cache", "text_input_token_cache", "input_token_cache_read"],
    "cache_write": ["input_token_cache_creation_5m"],
    "audio_input": ["audio_input_token", "omni_audio_input_token"],
    "audio_output": ["multi_output_token", "omni_audio_output_token"],
    "audio_cache_read": ["audio_input_token_cache"],
}
VARIANTS = {
    "": ("", [""]),
    "batch": ("", ["_batch", "_batch_chat"]),
    "thinking": ("thinking_", [""]),
    "thinking-batch": ("thinking_", ["_batch", "_batch_chat"]),
}


def expected(item: Json) -> dict[tuple[str, str, int], dict[str, Decimal]]:
    lists = {0: item["prices"]} if "prices" in item else {}
    lists |= {each["rangeStart"]: each["prices"] for each in item.get("multiPrices", [])}
    found: dict[tuple[str, str, int], dict[str, Decimal]] = {}
    for tier, prices in lists.items():
        by_type = {
            price["type"]: Decimal(price["price"]) * Decimal(str(price.get("discount", 1)))
            for price in prices
        }
        assert len(by_type) == len(prices)
        if "input_token" not in by_type and "thinking_input_token" in by_type:
            by_type = {kind.removeprefix("thinking_"): each for kind, each in by_type.items()}
        for variant, (start, ends) in VARIANTS.items():
            row = {}
            for column, kinds in COLUMNS.items():
                for name in [f"{start}{kind}{end}" for kind in kinds for end in ends]:
                    if name in by_type:
                        row[column] = by_type[name]
                        break
            if row:
                found[item["model"], variant, tier] = row
    return found


@pytest.fixture(scope="module")
def files(recordings: Path) -> dict[str, bytes]:
    """All of the recorded archive."""
    path = next((recordings / "prices/alibaba-model-studio").glob("groups_*.tar.gz"))
    with tarfile.open(path) as archive:
        found = {member.name: archive.extractfile(member) for member in archive.getmembers()}
        return {name: file.read() for name, file in found.items() if file is not None}


@pytest.fixture(scope="module")
def families(files: dict[str, bytes]) -> dict[str, Parsed]:
    """The files that the recorded index leads to, read."""
    index = parse_index(files["index.json"], FIXTURE_NOW)
    names = [request.path.removeprefix(FOLDER) for request in index.follow]
    return {name: parse_group(files[name], FIXTURE_NOW) for name in names}


class TestRecorded:
    def test_every_family_is_followed_or_left_out_by_rule(self, files: dict[str, bytes]) -> None:
        index = parse_index(files["index.json"], FIXTURE_NOW)
        assert (index.rows, len(index.follow)) == (160, 49)
        assert index.refused == {"writes no text": 101, "another vendor's models": 10}
        assert len(index.follow) + 1 < FEED.budget

    def test_what_is_left_out_has_no_price_of_own_text_tokens(
        self, files: dict[str, bytes]
    ) -> None:
        followed = {
            request.path.removeprefix(FOLDER)
            for request in parse_index(files["index.json"], FIXTURE_NOW).follow
        }
        missed = {
            name
            for name, body in files.items()
            if name.startswith("groups/") and name not in followed
            for item in json.loads(body)["items"]
            if item["provider"] in ("qwen", "qwen-domain-model")
            for price in item.get("prices", [])
            if price["type"] in ("input_token", "output_token")
        }
        # Speech from text: input and output are tokens, what comes out is not text.
        assert missed == {"groups/qwen-tts-realtime.json"}

    def test_every_entry_of_every_file_is_accounted_for(self, files: dict[str, bytes]) -> None:
        """Of families that are not followed too."""
        for name, body in files.items():
            if not name.startswith("groups/"):
                continue
            answer = parse_group(body, FIXTURE_NOW)
            entries = 0
            for item in json.loads(body)["items"]:
                lists = [item.get("prices", [])]
                lists += [each["prices"] for each in item.get("multiPrices", [])]
                own = item["provider"] in ("qwen", "qwen-domain-model")
                entries += max(1, sum(map(len, lists))) if own else 1
            assert (name, answer.rows, accounted(answer)) == (name, entries, entries)
            assert (name, answer.unread) == (name, frozenset())

    def test_every_price_of_every_model_is_exact(
        self, files: dict[str, bytes], families: dict[str, Parsed]
    ) -> None:
        compared = 0
        for name, answer in families.items():
            wanted: dict[tuple[str, str, int], dict[str, Decimal]] = {}
            for item in json.loads(files[name])["items"]:
                wanted |= expected(item)
            assert (name, cells(answer)) == (name, wanted)
            compared += sum(map(len, wanted.values()))
        assert compared == 475

    def test_what_is_left_out_of_the_families(self, families: dict[str, Parsed]) -> None:
        refused: Counter[str] = Counter()
        for answer in families.values():
            refused.update(answer.refused)
        assert refused == {
            # 58 of Batch Chat beside Batch File, 28 of the explicit cache beside the implicit one.
            "beside a price that counts first": 86,
            # Fine-tuning (8), and of omni models what depends on the rest of the request (13).
            "of a type that has no column": 21,
        }

    @pytest.mark.parametrize(
        ("name", "tier", "given", "taken"),
        [
            ("qwen3.5-plus", 0, "0.8", "4.8"),
            ("qwen3-max", 0, "2.5", "10"),
            ("qwen3-max", 32_768, "4", "16"),
            ("qwen-max", 0, "2.4", "9.6"),
            # On sale at half of 12 and 36.
            ("qwen3.7-max", 0, "6", "18"),
        ],
    )
    def test_published_prices(
        self, families: dict[str, Parsed], name: str, tier: int, given: str, taken: str
    ) -> None:
        row = cells(families[f"groups/{name}.json"])[name, "", tier]
        assert (row["input"], row["output"]) == (Decimal(given), Decimal(taken))

    def test_every_model_is_in_the_identity_map(self, families: dict[str, Parsed]) -> None:
        models = [
            name for answer in families.values() for name in answer.frames["catalog"]["model"]
        ]
        assert len(models) == len(set(models)) == 85
        canonical = {load_identity().canonical(FEED.name, name) for name in models}
        assert None not in canonical
        assert len(canonical) == 85
        assert load_identity().canonical(FEED.name, "qwen3-max") == "alibaba/qwen3-max"

    def test_over_http_from_the_day_after_on(self, recordings: Path) -> None:
        moment = datetime(2026, 5, 28, tzinfo=UTC)
        for now, status in ((moment, 200), (moment - timedelta(seconds=1), 404)):
            clock = functools.partial(datetime.fromtimestamp, now.timestamp(), UTC)
            bodies = RecordedBodies(recordings, clock)
            with FeedServer(bodies, now=clock) as server, client_of(server) as client:
                assert client.get(plan(now, [])[0].path).status_code == status
                if status == 200:
                    assert len(list(followed(client))) == 49
