"""Model Studio's price files in a public repository: one index, one file per family of models."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime

from tests.feedserver.answers import Answer, not_played
from tests.feedserver.bodies import Bodies

MODELS = "/modelstudioai/skills/main/skills/bailian-docs-llm-wiki/models/"
INDEX = MODELS + "index.json"

_FILE = re.compile(re.escape(MODELS) + r"(groups/\w[\w.-]*\.json)", re.ASCII)


def file_of(path: str) -> str | None:
    """The file of a family that a path asks for, "groups/qwen-max.json"; None for other paths."""
    match = _FILE.fullmatch(path)
    return match[1] if match else None


def file(name: str) -> Callable[[Bodies, Mapping[str, str], datetime], Answer]:
    """An endpoint that answers with one file, as it is."""

    def endpoint(bodies: Bodies, query: Mapping[str, str], now: datetime) -> Answer:
        body = bodies.alibaba(name)
        return not_played(f"{name} at this time") if body is None else Answer(body)

    return endpoint
