"""Which path belongs to which feed, and who answers it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from tests.feedserver import alibaba, ecb, huggingface, openrouter, vercel
from tests.feedserver.answers import Answer, not_played
from tests.feedserver.bodies import Bodies

Endpoint = Callable[[Bodies, Mapping[str, str], datetime], Answer]


@dataclass(frozen=True)
class Route:
    """One endpoint of a feed."""

    feed: str
    endpoint: Endpoint
    needs_key: bool = False


def _document(feed: str) -> Endpoint:
    def endpoint(bodies: Bodies, query: Mapping[str, str], now: datetime) -> Answer:
        body = bodies.document(feed)
        return not_played(f"{feed} at this time") if body is None else Answer(body)

    return endpoint


ROUTES: Mapping[str, Route] = {
    "/api/v1/datasets/rankings-daily": Route(
        "openrouter-rankings", openrouter.rankings_daily, needs_key=True
    ),
    "/api/v1/datasets/app-rankings": Route(
        "openrouter-apps", openrouter.app_rankings, needs_key=True
    ),
    "/api/v1/datasets/session-cost": Route(
        "openrouter-sessions", openrouter.session_cost, needs_key=True
    ),
    "/api/v1/classifications/task": Route(
        "openrouter-tasks", openrouter.task_classifications, needs_key=True
    ),
    "/api/v1/models": Route("openrouter-models", _document("openrouter-models")),
    "/api.json": Route("models-dev", _document("models-dev")),
    "/api/ai/leaderboard-export": Route("vercel-leaderboard", vercel.leaderboard_export),
    "/BerriAI/litellm/main/model_prices_and_context_window.json": Route(
        "litellm", _document("litellm")
    ),
    alibaba.INDEX: Route("alibaba-list", alibaba.file("index.json")),
    "/stats/eurofxref/eurofxref-daily.xml": Route("ecb-fx", ecb.daily_xml),
    "/stats/eurofxref/eurofxref-hist.zip": Route("ecb-fx", ecb.hist_zip),
    huggingface.MODELS: Route("huggingface", huggingface.models),
}

FEEDS = (*dict.fromkeys(route.feed for route in ROUTES.values()), "openrouter-endpoints")


def route_of(path: str) -> Route | None:
    """The route of a path, None if no feed has it; some feeds have many paths of one kind."""
    if family := alibaba.file_of(path):
        return Route("alibaba-list", alibaba.file(family))
    if model := openrouter.model_of(path):
        return Route("openrouter-endpoints", openrouter.endpoints(model))
    return ROUTES.get(path)
