"""From configuration and environment to what the data side needs: feeds, addresses, keys."""

import os
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from qwenwatch.config import Config, ConfigError, FeedConfig
from qwenwatch_cache.feeds import FEEDS
from qwenwatch_cache.feeds.feed import Feed
from qwenwatch_cache.schedule import LOOPBACK, FeedSettings


def feed_settings(config: Config) -> Sequence[FeedSettings]:
    """What the configuration says of every feed, in the order in which they are shown.

    Raises:
        ConfigError: It names a feed that does not exist, or an address or key file is wrong.
    """
    for name in config.feeds:
        if name not in FEEDS:
            raise ConfigError(
                f"{config.path}: feeds.{name} is not known; there are {', '.join(FEEDS)}"
            )
    return [
        _settings(config, feed, config.feeds.get(name, FeedConfig()))
        for name, feed in FEEDS.items()
    ]


def _settings(config: Config, feed: Feed, stated: FeedConfig) -> FeedSettings:
    base_url = stated.url or config.feeds_url
    if base_url and not _is_address(base_url):
        raise ConfigError(
            f"the address for {feed.name} is not usable: it must begin with http:// or https:// "
            "and name a host (see QWENWATCH_FEEDS_URL and [feeds] url)"
        )
    if stated.every is not None and stated.every < feed.floor:
        raise ConfigError(
            f"{config.path}: feeds.{feed.name}.every is below what this feed allows, "
            f"{feed.floor.total_seconds() / 3600:g}h"
        )
    key = _key(config.path, feed, stated)
    open_to_all = _why_no_key_goes(base_url) if key else ""
    return FeedSettings(
        feed=feed,
        enabled=stated.enabled,
        base_url=base_url,
        key="" if open_to_all else key,
        every=stated.every or feed.floor,
        key_withheld=open_to_all,
    )


def _why_no_key_goes(base_url: str) -> str:
    """Why a key must not be sent to an address: anyone on the way could read it."""
    parts = urlsplit(base_url)
    if parts.scheme != "http" or parts.hostname in LOOPBACK:
        return ""
    return f"the key is not sent over http:// to {parts.hostname}; give an https:// address"


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port or a bracketed host that is none
        return False


def _key(path: Path, feed: Feed, stated: FeedConfig) -> str:
    if stated.key_file:
        try:
            key = Path(stated.key_file).expanduser().read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            # Without the name: it is not unheard of that the key itself is given for it.
            raise ConfigError(
                f"{path}: the file that feeds.{feed.name}.key_file names cannot be read"
            ) from error
        place = f"{path}: the file that feeds.{feed.name}.key_file names"
    else:
        place = stated.key_env or feed.key_env
        key = os.environ.get(place, "").strip() if place else ""
    if not key.isprintable():
        raise ConfigError(f"{place} holds characters that no API key has")
    return key
