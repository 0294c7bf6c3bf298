"""The user's configuration: every key optional, everything unknown refused by name.

=====================  =========================================================================
read from              in this order, the first that is given
=====================  =========================================================================
file                   --config, QWENWATCH_CONFIG, config.toml in the platform's config directory
cache directory        --cache-dir, QWENWATCH_CACHE_DIR, [cache] dir, the platform's cache directory
address of all feeds   QWENWATCH_FEEDS_URL, [feeds] url
API keys               key_env (a variable's name), key_file, the feed's own variable
=====================  =========================================================================
"""

import os
import re
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from platformdirs import user_cache_path, user_config_path

from qwenwatch_cache.errors import QwenwatchError
from qwenwatch_cache.places import is_url

DEFAULT_BASELINE = "alibaba/qwen3-max"
DEFAULT_MIX = (Decimal("0.80"), Decimal("0.05"), Decimal("0.15"))

_EVERY = re.compile(r"(\d+)\s*(m|h|d)")
_SPANS = {"m": "minutes", "h": "hours", "d": "days"}


class ConfigError(QwenwatchError):
    """The configuration cannot be used; the message names file, key, what was found, what fits."""


class FeedConfig(NamedTuple):
    """What the user says of one feed; None and "" leave it to the feed."""

    enabled: bool = True
    url: str = ""
    key_env: str = ""
    key_file: str = ""
    every: timedelta | None = None


class Config(NamedTuple):
    """The configuration with all defaults filled in.

    Attributes:
        path: The file, whether it is there or not.
        cache_dir: Directory of the cache; or its address in an object store, which is only read.
        metric: Definition to open with ("tokens", "spend/vercel-leaderboard"); "" lets the data
            decide.
        by: Grouping of the leaderboard.
        window: Length of the windows.
        top: Rows of printed leaderboards.
        baseline: Model that price ratios refer to.
        theme: Textual theme, "" for the program's own.
        panels: Vendor ids to show as panels, empty for all.
        watch_vendors: Vendor ids to watch.
        watch_models: Models to watch, by any of their names.
        mix: Parts of input, output and cached input behind blended prices.
        raw_days: How long response bodies are kept.
        feeds_url: One address for all feeds, "" for their own.
        feeds: By feed name.
        keys: Keys by binding id.
    """

    path: Path
    cache_dir: Path | str
    metric: str = ""
    by: str = "vendor"
    window: str = "week"
    top: int = 20
    baseline: str = DEFAULT_BASELINE
    theme: str = ""
    panels: tuple[str, ...] = ()
    watch_vendors: tuple[str, ...] = ()
    watch_models: tuple[str, ...] = ()
    mix: tuple[Decimal, Decimal, Decimal] = DEFAULT_MIX
    raw_days: int = 14
    feeds_url: str = ""
    feeds: Mapping[str, FeedConfig] = MappingProxyType({})
    keys: Mapping[str, str] = MappingProxyType({})


def default_config_path() -> Path:
    """Where the configuration is looked for if nothing else is said."""
    stated = os.environ.get("QWENWATCH_CONFIG")
    if stated:
        return Path(stated)
    return user_config_path("qwenwatch", appauthor=False) / "config.toml"


def load_config(path: Path | None = None, cache_dir: str | None = None) -> Config:
    """Read the configuration.

    Args:
        path: File named on the command line; it must exist.
        cache_dir: Cache directory, or address of a cache, named on the command line.

    Raises:
        ConfigError: The file is missing though named, is no TOML, or says something unknown.
    """
    where = path or default_config_path()
    named = path is not None or bool(os.environ.get("QWENWATCH_CONFIG"))
    try:
        text = where.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        if named:
            raise ConfigError(f"{where}: there is no such file") from error
        text = ""
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{where} cannot be read: {error}") from error
    reader = _Reader(where, _parsed(where, text))
    view, watch, cache, mix, feeds = (
        reader.table(name) for name in ("view", "watch", "cache", "mix", "feeds")
    )
    configured_dir = cache.text("dir")
    stated_dir = cache_dir or os.environ.get("QWENWATCH_CACHE_DIR") or configured_dir
    stated_url = feeds.text("url")
    config = Config(
        path=where,
        metric=view.text("metric"),
        by=view.choice("by", ("vendor", "model", "country"), "vendor"),
        window=view.choice("window", ("day", "week", "month"), "week"),
        top=view.number("top", 20, least=1),
        baseline=view.text("baseline") or DEFAULT_BASELINE,
        theme=view.text("theme"),
        panels=view.texts("panels"),
        watch_vendors=watch.texts("vendors"),
        watch_models=watch.texts("models"),
        mix=mix.mix(),
        raw_days=cache.number("raw_days", 14, least=0),
        feeds_url=os.environ.get("QWENWATCH_FEEDS_URL") or stated_url,
        feeds={name: _feed(feeds.table(name)) for name in feeds.tables()},
        keys=reader.table("keys").all_texts(),
        cache_dir=_root(stated_dir)
        if stated_dir
        else user_cache_path("qwenwatch", appauthor=False),
    )
    for table in (view, watch, cache, mix):
        table.refuse_rest()
    names = (config.metric, config.panels, config.watch_vendors, config.watch_models)
    if any(names) or config.baseline != DEFAULT_BASELINE:
        _check_names(config)
    reader.refuse_rest()
    return config


def _check_names(config: Config) -> None:
    """Refuse names of definitions, models and vendors that do not exist."""
    # The tables are loaded only for those who name something.
    from qwenwatch_cache.identity import load_identity
    from qwenwatch_cache.market.definitions import definition_of
    from qwenwatch_cache.vendors import load_vendors

    try:
        if config.metric:
            key = "view.metric"
            definition_of(config.metric)
        if config.baseline != DEFAULT_BASELINE:
            key = "view.baseline"
            load_identity().resolve(config.baseline)
        key = "watch.models"
        for model in config.watch_models:
            load_identity().resolve(model)
    except QwenwatchError as error:
        raise ConfigError(f"{config.path}: {key}: {error}") from error
    for key, vendors in (("view.panels", config.panels), ("watch.vendors", config.watch_vendors)):
        for vendor in vendors:
            if load_vendors().get(vendor) is None:
                raise ConfigError(f"{config.path}: {key}: there is no vendor {vendor!r}")


def _parsed(path: Path, text: str) -> dict[str, Any]:
    if not text.strip():
        return {}
    # Most people have no configuration; the parser would be a good part of their start-up.
    import tomllib

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not valid TOML: {error}") from error


def _feed(table: "_Reader") -> FeedConfig:
    every = table.text("every")
    span = None
    if every:
        match = _EVERY.fullmatch(every)
        if match is None:
            raise table.wrong("every", every, 'a time like "30m", "6h" or "1d"')
        span = timedelta(**{_SPANS[match[2]]: int(match[1])})
    config = FeedConfig(
        enabled=table.flag("enabled", True),
        url=table.text("url"),
        key_env=table.text("key_env"),
        key_file=table.text("key_file"),
        every=span,
    )
    table.refuse_rest()
    return config


def _root(text: str) -> Path | str:
    return text if is_url(text) else Path(text).expanduser()


class _Reader:
    """Takes values out of a TOML table and knows afterwards what was never asked for."""

    def __init__(self, path: Path, values: dict[str, Any], prefix: str = "") -> None:
        self._path = path
        self._values = values
        self._prefix = prefix
        self._known: set[str] = set()

    def wrong(self, key: str, found: object, wanted: str) -> ConfigError:
        return ConfigError(f"{self._path}: {self._prefix}{key} is {found!r}, expected {wanted}")

    def table(self, key: str) -> "_Reader":
        value = self._take(key, {})
        if not isinstance(value, dict):
            raise self.wrong(key, value, "a table")
        return _Reader(self._path, value, f"{self._prefix}{key}.")

    def tables(self) -> list[str]:
        """Names of everything that was not asked for; each must be a table."""
        return [key for key in self._values if key not in self._known]

    def text(self, key: str) -> str:
        value = self._take(key, "")
        if not isinstance(value, str):
            raise self.wrong(key, value, "a text")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        value = self._take(key, [])
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise self.wrong(key, value, "a list of texts")
        return tuple(value)

    def all_texts(self) -> dict[str, str]:
        """Every text, those of inner tables under dotted names."""
        texts: dict[str, str] = {}
        for key, value in self._values.items():
            if isinstance(value, dict):
                inner = self.table(key).all_texts()
                texts |= {f"{key}.{name}": text for name, text in inner.items()}
            else:
                texts[key] = self.text(key)
        return texts

    def choice(self, key: str, allowed: tuple[str, ...], default: str) -> str:
        value = self.text(key) or default
        if value not in allowed:
            raise self.wrong(key, value, f"one of {', '.join(allowed)}")
        return value

    def number(self, key: str, default: int, *, least: int) -> int:
        value = self._take(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise self.wrong(key, value, f"a whole number of at least {least}")
        return value

    def flag(self, key: str, default: bool) -> bool:
        value = self._take(key, default)
        if not isinstance(value, bool):
            raise self.wrong(key, value, "true or false")
        return value

    def mix(self) -> tuple[Decimal, Decimal, Decimal]:
        parts = []
        for key, default in zip(("input", "output", "cached"), DEFAULT_MIX, strict=True):
            value = self._take(key, default)
            if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
                raise self.wrong(key, value, "a number")
            parts.append(Decimal(str(value)))
        if min(parts) < 0 or abs(sum(parts, Decimal(-1))) > Decimal("0.001"):
            stated = " + ".join(str(part) for part in parts)
            raise ConfigError(
                f"{self._path}: {self._prefix.rstrip('.')}: {stated} must add up to 1, none below 0"
            )
        return parts[0], parts[1], parts[2]

    def refuse_rest(self) -> None:
        unknown = [key for key in self._values if key not in self._known]
        if unknown:
            allowed = ", ".join(sorted(self._known)) or "nothing"
            raise ConfigError(
                f"{self._path}: {self._prefix}{unknown[0]} is not known; there are {allowed}"
            )

    def _take(self, key: str, default: object) -> Any:
        self._known.add(key)
        return self._values.get(key, default)
