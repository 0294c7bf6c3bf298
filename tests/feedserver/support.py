"""What the tests of the feed server share."""

from pathlib import Path

import httpx

from tests.feedserver import FeedServer

ROOT = Path(__file__).parents[2]

RANKINGS = "/api/v1/datasets/rankings-daily"
APPS = "/api/v1/datasets/app-rankings"
SESSIONS = "/api/v1/datasets/session-cost"
TASKS = "/api/v1/classifications/task"
MODELS = "/api/v1/models"
ENDPOINTS = "/api/v1/models/qwen/qwen3-max/endpoints"
MODELS_DEV = "/api.json"
VERCEL = "/api/ai/leaderboard-export"
ALIBABA = "/modelstudioai/skills/main/skills/bailian-docs-llm-wiki/models/groups/qwen-max.json"
LITELLM = "/BerriAI/litellm/main/model_prices_and_context_window.json"
ECB_DAILY = "/stats/eurofxref/eurofxref-daily.xml"
ECB_HIST = "/stats/eurofxref/eurofxref-hist.zip"
HUGGINGFACE = "/api/models?author=Qwen"

PATHS = {
    "openrouter-rankings": RANKINGS,
    "openrouter-apps": APPS,
    "openrouter-sessions": SESSIONS,
    "openrouter-tasks": TASKS,
    "openrouter-models": MODELS,
    "openrouter-endpoints": ENDPOINTS,
    "models-dev": MODELS_DEV,
    "vercel-leaderboard": VERCEL,
    "litellm": LITELLM,
    "alibaba-list": ALIBABA,
    "ecb-fx": ECB_DAILY,
    "huggingface": HUGGINGFACE,
}


def client_of(server: FeedServer) -> httpx.Client:
    """A client with a good key that no proxy setting of the machine can lead astray."""
    # Nothing here is TLS; not to load the certificates saves most of a test's time.
    return httpx.Client(
        base_url=server.url,
        headers={"Authorization": "Bearer sk-test"},
        trust_env=False,
        verify=False,
        timeout=5,
    )
