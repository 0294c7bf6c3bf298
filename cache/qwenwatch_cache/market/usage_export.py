"""Own usage out of a file that another program wrote, where its fields are documented.

* **OpenRouter activity**: the answer of ``GET /api/v1/activity`` (OpenRouterTeam/docs,
  openapi.yaml, `ActivityItem`; API reference "Get user activity grouped by endpoint"): `data` with
  rows of `date`, `model`, `model_permaslug`, `endpoint_id`, `provider_name`, `usage`,
  `byok_usage_inference`, `requests`, `prompt_tokens`, `completion_tokens`, `reasoning_tokens`.
  Reasoning is part of the completion ("Activity Export", note on reasoning tokens). Cached tokens
  are part of the prompt and not told apart. A CSV with these columns is read as well. What the
  Activity page itself exports as CSV has other columns, which OpenRouter documents nowhere.
* **ccusage**: ``ccusage daily --json``, and `weekly`, `monthly`, `session` (ccusage,
  docs/guide/json-output.md): rows of `inputTokens`, `outputTokens`, `cacheCreationTokens`,
  `cacheReadTokens` with `modelBreakdowns`, which hold the same with a `modelName`; `totalTokens`
  is the "sum of all token types", so that `inputTokens` are those that are neither read from nor
  written to the cache. With ``--sections`` a file tells the same usage several times: the first
  section counts. With ``--instances`` the rows stand under `projects`. Names of models are those
  of LiteLLM's price list, which ccusage prices with (docs/guide/cost-modes.md).
"""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any

import msgspec
from msgspec.structs import replace

from qwenwatch_cache.errors import QwenwatchError
from qwenwatch_cache.market.workload import Workload

SECTIONS = ("daily", "weekly", "monthly", "session")

EXPECTED = (
    "expected the JSON of `ccusage daily --json`, or the answer of OpenRouter's "
    "GET /api/v1/activity as JSON, or as CSV with the columns model, prompt_tokens and "
    "completion_tokens"
)

_Tokens = Annotated[int, msgspec.Meta(ge=0, le=10**15)]


class UnknownExport(QwenwatchError):
    """A file is not a usage export that can be read; the message says what was found."""


class Used(msgspec.Struct, frozen=True):
    """What one model was used for.

    Attributes:
        name: The model as the file names it.
        workload: Its tokens.
    """

    name: str
    workload: Workload


class Export(msgspec.Struct, frozen=True):
    """A usage export.

    Attributes:
        source: Which program wrote it.
        feed: Feed whose ids the models' names are.
        first: First day or period in it, "" if not stated.
        last: Last one.
        tells_cached: Whether it tells cached tokens apart.
        models: What each model was used for, most tokens first.
    """

    source: str
    feed: str
    first: str
    last: str
    tells_cached: bool
    models: Sequence[Used]

    @property
    def workload(self) -> Workload:
        """All of it."""
        return _sum(one.workload for one in self.models)

    def with_parts(self, cached: int, written: int) -> "Export":
        """The same with so many tokens cached and written, in equal parts of every model's input.

        For an export that does not tell them. Parts of tokens are rounded down, so that the sum may
        be some tokens short.
        """
        whole = max(1, self.workload.input)
        models = []
        for one in self.models:
            mine = one.workload
            parts = mine.input * cached // whole, mine.input * written // whole
            workload = replace(mine, cached=parts[0], written=parts[1])
            models.append(Used(one.name, workload))
        return replace(self, models=tuple(models))


class _Activity(msgspec.Struct):
    model: Annotated[str, msgspec.Meta(min_length=1)]
    prompt_tokens: _Tokens
    completion_tokens: _Tokens
    requests: _Tokens | None = None
    date: str = ""


class _Answer(msgspec.Struct):
    data: list[_Activity]


class _Breakdown(msgspec.Struct, rename="camel"):
    model_name: Annotated[str, msgspec.Meta(min_length=1)]
    input_tokens: _Tokens
    output_tokens: _Tokens
    cache_creation_tokens: _Tokens
    cache_read_tokens: _Tokens


class _Period(msgspec.Struct, rename="camel"):
    model_breakdowns: list[_Breakdown]
    date: str = ""
    period: str = ""


def read_export(body: bytes, name: str) -> Export:
    """Read a usage export.

    Args:
        body: The file.
        name: Its name, for messages.

    Raises:
        UnknownExport: It is none that is documented, or holds no usage.
    """
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnknownExport(f"{name} is not text; {EXPECTED}") from error
    if text.lstrip()[:1] not in {"{", "["}:
        return _from_csv(text, name)
    try:
        plain = msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise UnknownExport(f"{name} is no whole JSON ({error}); {EXPECTED}") from error
    keys = list(plain) if isinstance(plain, dict) else []
    try:
        if "data" in keys and _has(plain["data"], "prompt_tokens"):
            return _from_activity(msgspec.convert(plain, _Answer).data, name)
        section = next((key for key in keys if key in SECTIONS), "")
        if section:
            return _from_ccusage(msgspec.convert(plain[section], list[_Period]), name)
        if "projects" in keys:
            projects = msgspec.convert(plain["projects"], dict[str, list[_Period]])
            return _from_ccusage([row for rows in projects.values() for row in rows], name)
    except msgspec.ValidationError as error:
        raise UnknownExport(f"{name}: a field is missing or wrong ({error}); {EXPECTED}") from error
    found = f"an object with {_listed(keys)}" if keys else "a list" if plain else "nothing"
    raise UnknownExport(f"{name} holds {found}; {EXPECTED}")


def _from_csv(text: str, name: str) -> Export:
    reader = csv.DictReader(io.StringIO(text))
    columns = [column.strip() for column in reader.fieldnames or ()]
    needed = {"model", "prompt_tokens", "completion_tokens"}
    if not needed <= set(columns):
        found = f"the columns {_listed(columns)}" if len(columns) > 1 else "no table"
        raise UnknownExport(f"{name} holds {found}; {EXPECTED}")
    reader.fieldnames = columns
    rows: list[_Activity] = []
    for row in reader:
        stated = {key: value for key, value in row.items() if key and value}
        try:
            rows.append(msgspec.convert(stated, _Activity, strict=False))
        except msgspec.ValidationError as error:
            raise UnknownExport(f"{name}, line {reader.line_num}: {error}; {EXPECTED}") from error
    return _from_activity(rows, name)


def _from_activity(rows: Sequence[_Activity], name: str) -> Export:
    models: dict[str, list[Workload]] = {}
    for row in rows:
        if row.prompt_tokens + row.completion_tokens:
            workload = Workload(
                row.prompt_tokens, row.completion_tokens, requests=row.requests or None
            )
            models.setdefault(row.model, []).append(workload)
    days = sorted(row.date[:10] for row in rows if row.date)
    return _export("OpenRouter activity", "openrouter-models", days, False, models, name)


def _from_ccusage(rows: Sequence[_Period], name: str) -> Export:
    models: dict[str, list[Workload]] = {}
    for row in rows:
        for one in row.model_breakdowns:
            cached, written = one.cache_read_tokens, one.cache_creation_tokens
            prompt = one.input_tokens + cached + written
            if prompt + one.output_tokens:
                workload = Workload(prompt, one.output_tokens, cached, written)
                models.setdefault(one.model_name, []).append(workload)
    days = sorted(when for row in rows if (when := row.date or row.period))
    return _export("ccusage", "litellm", days, True, models, name)


def _export(
    source: str,
    feed: str,
    days: Sequence[str],
    tells_cached: bool,
    models: Mapping[str, Sequence[Workload]],
    name: str,
) -> Export:
    if not models:
        raise UnknownExport(f"{name}: this {source} holds no tokens")
    used = [Used(model, _sum(parts)) for model, parts in models.items()]
    used.sort(key=lambda one: (-one.workload.input - one.workload.output, one.name))
    first, last = (days[0], days[-1]) if days else ("", "")
    return Export(source, feed, first, last, tells_cached, tuple(used))


def _sum(workloads: Iterable[Workload]) -> Workload:
    """All of some workloads; how many requests is known only if it is of each."""
    parts = list(workloads)
    requests = [one.requests for one in parts]
    return Workload(
        input=sum(one.input for one in parts),
        output=sum(one.output for one in parts),
        cached=sum(one.cached for one in parts),
        written=sum(one.written for one in parts),
        requests=None if None in requests else sum(one or 0 for one in requests),
    )


def _has(rows: Any, field: str) -> bool:
    return isinstance(rows, list) and any(isinstance(row, dict) and field in row for row in rows)


def _listed(names: Sequence[str]) -> str:
    """Some names, the first of many; they are somebody's file's and may be anything."""
    shown = ["".join(letter for letter in name if letter.isprintable())[:40] for name in names[:12]]
    return ", ".join(shown) + (" …" if len(names) > len(shown) else "")
