"""The opening Market view, kept on disk: the first frame has figures before Polars is loaded."""

import contextlib
import json
from pathlib import Path

from msgspec.structs import replace

from qwenwatch import __version__
from qwenwatch.config import Config
from qwenwatch.files import write_whole
from qwenwatch_widgets.views.codec import View, from_plain, to_plain
from qwenwatch_widgets.views.market import MarketView
from qwenwatch_widgets.views.query import MarketQuery


class Made(View, frozen=True):
    """What a view was computed from, so that it can be computed again.

    Attributes:
        at: Nothing learned later was used; ISO 8601.
        now: The moment by which ages are counted; ISO 8601.
        stamp: The state of the cache and of the program's own data; another gives another view.
        mix: The workload behind blended prices.
        panels: Vendors to show.
        offline: Whether no feed could be asked.
        replayed: Whether the program was told to believe in another time.
    """

    at: str
    now: str
    stamp: str
    mix: tuple[str, ...]
    panels: tuple[str, ...]
    offline: bool
    replayed: bool


class KeptMarket(View, frozen=True):
    """The view that is kept, the program that wrote it, for which query, and from what."""

    program: str
    query: MarketQuery
    view: MarketView
    made: Made


def opening_query(config: Config) -> MarketQuery:
    """What the screen asks first."""
    return MarketQuery(
        definition=config.metric, grain=config.window, by=config.by, baseline=config.baseline
    )


def read_ready_market(root: Path | str, query: MarketQuery) -> MarketView | None:
    """The view kept for exactly this query, None if there is none that can be used."""
    if isinstance(root, str):
        return None  # in an object store nothing is kept ready
    try:
        kept = read_kept_market(root)
    except (OSError, ValueError, KeyError, TypeError):
        return None  # A convenience: whatever is wrong with it, the real answer follows.
    return kept.view if kept is not None and kept.query == query else None


def read_kept_market(root: Path) -> KeptMarket | None:
    """All that is kept; None if another version of the program wrote it.

    Raises:
        OSError: It cannot be read; FileNotFoundError if nothing is kept.
        ValueError, KeyError, TypeError: It is not what was written.
    """
    plain = json.loads(market_path(root).read_text(encoding="utf-8"))
    if plain["program"] != __version__ or "made" not in plain:
        return None
    return from_plain(KeptMarket, plain)


def write_ready_market(root: Path | str, query: MarketQuery, view: MarketView, made: Made) -> None:
    """Keep the view that the screen opens with; views further back in time are not kept.

    A disk that refuses is no reason to withhold the answer, so failures are passed over.
    """
    if query.steps_back or isinstance(root, str):
        return
    fresh = KeptMarket(__version__, query, view, made)
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        kept = read_kept_market(root)
        # Where nothing changed nothing is written, though it was asked at another moment.
        if kept and kept.made.stamp == made.stamp and replace(kept, made=made) == fresh:
            return
    with contextlib.suppress(OSError):
        path = market_path(root)
        path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(to_plain(fresh), ensure_ascii=False, separators=(",", ":"))
        write_whole(path, text)


def market_path(root: Path) -> Path:
    """Where the view is kept."""
    return root / "ready" / "market.json"
