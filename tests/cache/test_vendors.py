"""The vendor table: who stands behind an author, and where the company sits."""

import gzip
import json
import re
from collections import Counter
from fractions import Fraction
from pathlib import Path

import pytest

from qwenwatch_cache.vendors import UNKNOWN, Vendor, Vendors, load_vendors


def vendor(id: str, *, openrouter: tuple[str, ...] = (), provider: str = "") -> Vendor:
    return Vendor(
        id=id,
        name=id.title(),
        label=id.title(),
        name_zh="",
        country="",
        aliases={"openrouter": openrouter},
        list_prices={"models-dev": {provider: "global"}} if provider else {},
    )


class TestTable:
    def test_ids_are_plain_and_sorted(self) -> None:
        ids = [each.id for each in load_vendors()]
        assert ids == sorted(ids)
        assert [each for each in ids if not re.fullmatch(r"[a-z0-9][a-z0-9-]*", each)] == []

    def test_countries_are_two_letters_or_unknown(self) -> None:
        countries = {each.country for each in load_vendors()}
        assert {each for each in countries if not re.fullmatch(r"[A-Z]{2}|", each)} == set()

    def test_regions_are_the_three_declared_ones(self) -> None:
        regions = {
            region
            for each in load_vendors()
            for providers in each.list_prices.values()
            for region in providers.values()
        }
        assert regions == {"global", "intl", "cn"}

    def test_namespaces_are_the_three_declared_ones(self) -> None:
        namespaces = {space for each in load_vendors() for space in each.aliases}
        assert namespaces == {"openrouter", "huggingface", "vercel"}

    def test_the_unknown_bucket_is_not_a_vendor(self) -> None:
        assert load_vendors().get(UNKNOWN) is None


class TestLookup:
    @pytest.mark.parametrize("author", ["qwen", "alibaba"])
    def test_qwen_is_alibaba(self, author: str) -> None:
        found = load_vendors().by_alias("openrouter", author)
        assert found is not None
        assert (found.id, found.country, found.label) == ("alibaba", "CN", "Alibaba · Qwen")

    @pytest.mark.parametrize("author", ["openrouter", "stealth", "other", "Others", "~openai", ""])
    def test_cloaked_authors_are_unknown(self, author: str) -> None:
        assert load_vendors().by_alias("openrouter", author) is None

    def test_namespaces_are_kept_apart(self) -> None:
        assert load_vendors().by_alias("huggingface", "x-ai") is None
        assert load_vendors().by_alias("openrouter", "xai-org") is None

    @pytest.mark.parametrize(
        ("feed", "provider", "expected"),
        [
            ("models-dev", "alibaba", ("alibaba", "intl")),
            ("models-dev", "alibaba-cn", ("alibaba", "cn")),
            ("models-dev", "zai", ("zhipuai", "intl")),
            ("models-dev", "zhipuai", ("zhipuai", "cn")),
            ("models-dev", "google", ("google", "global")),
            ("litellm", "dashscope", ("alibaba", "intl")),
            ("litellm", "gemini", ("google", "global")),
            ("litellm", "cohere_chat", ("cohere", "global")),
        ],
    )
    def test_list_prices_have_a_region(
        self, feed: str, provider: str, expected: tuple[str, str]
    ) -> None:
        found = load_vendors().list_price_region(feed, provider)
        assert found is not None
        assert (found[0].id, found[1]) == expected

    @pytest.mark.parametrize(
        ("feed", "provider"),
        [
            ("models-dev", "google-vertex"),
            ("models-dev", "alibaba-coding-plan"),
            ("models-dev", "zai-coding-plan"),
            ("models-dev", "kimi-for-coding"),
            ("models-dev", "openrouter"),
            ("litellm", "vertex_ai"),
            ("litellm", "azure"),
            ("litellm", "bedrock"),
            ("litellm", "qwencloud"),
            ("litellm", "volcengine"),
            # A provider of one feed is none of the other.
            ("litellm", "alibaba"),
            ("models-dev", "dashscope"),
        ],
    )
    def test_subscriptions_and_resellers_have_no_list_price(self, feed: str, provider: str) -> None:
        assert load_vendors().list_price_region(feed, provider) is None

    @pytest.mark.parametrize(
        ("vendor", "name", "own"),
        [
            ("alibaba", "qwen3-max", True),
            ("alibaba", "glm-5.1", False),
            ("mistral", "open-mistral-nemo", True),
            ("mistral", "zai-glm-5", False),
            ("perplexity", "sonar-pro", True),
            ("perplexity", "llama-3.1-sonar-large-128k-online", True),
            ("perplexity", "llama-3.1-70b-instruct", False),
            ("openai", "gpt-4", True),
        ],
    )
    def test_a_vendor_makes_what_goes_by_its_names(self, vendor: str, name: str, own: bool) -> None:
        found = load_vendors().get(vendor)
        assert found is not None
        assert found.makes(name) is own


class TestDuplicates:
    def test_of_ids_are_refused(self) -> None:
        with pytest.raises(ValueError, match="id 'acme' is claimed by both 'Acme' and 'Acme'"):
            Vendors([vendor("acme"), vendor("acme")])

    def test_of_aliases_are_refused_naming_both(self) -> None:
        both = [vendor("acme", openrouter=("a",)), vendor("other", openrouter=("a",))]
        with pytest.raises(ValueError, match=r"openrouter alias 'a' .* 'Acme' and 'Other'"):
            Vendors(both)

    def test_of_providers_are_refused_naming_both(self) -> None:
        both = [vendor("acme", provider="p"), vendor("other", provider="p")]
        with pytest.raises(ValueError, match=r"models-dev provider 'p' .* 'Acme' and 'Other'"):
            Vendors(both)


class TestRecordings:
    def test_every_recorded_author_has_a_vendor(self, recordings: Path) -> None:
        authors = {
            model["id"].partition("/")[0]
            for path in (recordings / "prices/openrouter/models").glob("*.json.gz")
            for model in json.loads(gzip.decompress(path.read_bytes()))["data"]
        }
        authors |= {slug.partition("/")[0] for day in rankings(recordings).values() for slug in day}
        share = recordings / "usage/openrouter-frontend/market-share.2026-08-01.raw.json"
        authors |= {
            author for week in json.loads(share.read_bytes())["data"] for author in week["ys"]
        }
        nobody = {a for a in authors if load_vendors().by_alias("openrouter", a) is None}
        assert {a for a in nobody if not a.startswith("~")} == {
            "openrouter",
            "other",
            "others",
            "stealth",
        }

    def test_countries_of_one_recorded_week(self, recordings: Path) -> None:
        """Poolside counts as US and Nex AGI as CN; `other` stays unattributed."""
        tokens: Counter[str] = Counter()
        for date, day in rankings(recordings).items():
            if "2026-08-10" <= date <= "2026-08-16":
                for slug, row in day.items():
                    maker = load_vendors().by_alias("openrouter", slug.partition("/")[0])
                    country = maker.country if maker else ""
                    bucket = country if country in ("CN", "US", "") else "elsewhere"
                    tokens[bucket] += int(row["total_tokens"])
        assert tokens.total() == 75_340_581_084_831
        shares = {
            key: round(float(Fraction(n * 100, tokens.total())), 2) for key, n in tokens.items()
        }
        assert shares == {"CN": 57.25, "US": 35.48, "elsewhere": 0.82, "": 6.45}


def rankings(recordings: Path) -> dict[str, dict[str, dict[str, str]]]:
    folder = recordings / "usage/openrouter-data-api"
    days: dict[str, dict[str, dict[str, str]]] = json.loads(
        next(folder.glob("casualstudy.*.json")).read_bytes()
    )
    return days
