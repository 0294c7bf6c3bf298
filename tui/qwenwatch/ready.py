"""The last Market view, kept on disk: the first frame has figures before Polars is loaded."""

import contextlib
import json
from dataclasses import asdict
from pathlib import Path

from qwenwatch import __version__
from qwenwatch.files import write_whole
from qwenwatch_widgets.views.codec import from_plain
from qwenwatch_widgets.views.market import MarketView
from qwenwatch_widgets.views.query import MarketQuery


def read_ready_market(root: Path, query: MarketQuery) -> MarketView | None:
    """The view kept for exactly this query, None if there is none that can be used."""
    try:
        plain = json.loads(_path(root).read_text(encoding="utf-8"))
        if plain["program"] != __version__ or plain["query"] != asdict(query):
            return None
        return from_plain(MarketView, plain["view"])
    except (OSError, ValueError, KeyError, TypeError):
        return None  # A convenience: whatever is wrong with it, the real answer follows.


def write_ready_market(root: Path, query: MarketQuery, view: MarketView) -> None:
    """Keep the view that the screen opens with; views further back in time are not kept.

    A disk that refuses is no reason to withhold the answer, so failures are passed over.
    """
    if query.steps_back:
        return
    plain = {"program": __version__, "query": asdict(query), "view": asdict(view)}
    text = json.dumps(plain, ensure_ascii=False, separators=(",", ":"))
    path = _path(root)
    with contextlib.suppress(OSError):
        if path.exists() and path.read_text(encoding="utf-8") == text:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, text)


def _path(root: Path) -> Path:
    return root / "ready" / "market.json"
