"""How fast it is, as ratios to floors measured in the same run.

    python benchmarks/bench.py [start] [snapshot] [ready] [question] [decade] [refresh] [parse]
                               [append] [imports]

Machines drift, so every program is run in turn with its floor (A B A B …) and the medians of both
and the median of the ratios are printed. Compiled files are made first; without them every start
pays for compiling. Nothing here is a test: it judges nothing and fails for no timing.
"""

import compileall
import contextlib
import gzip
import json
import os
import pty
import select
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from fcntl import ioctl
from functools import partial
from pathlib import Path
from termios import TIOCSWINSZ

ROOT = Path(__file__).parents[1]
RUNS = 9
BARE_APP = """
from textual.app import App
from textual.widgets import Static
class Bare(App):
    def compose(self):
        yield Static("BARE TEXTUAL APP")
Bare().run()
"""

Measure = Callable[[], float]


def main() -> None:
    """Run the benchmarks named on the command line, or all."""
    for room in ("tui", "widgets", "cache"):
        compileall.compile_dir(ROOT / room, quiet=1)
    named = sys.argv[1:] or list(BENCHMARKS)
    print(f"{'what':44} {'ms':>8} {'floor':>8} {'ratio':>7}   floor is")
    for name in named:
        BENCHMARKS[name]()


def start() -> None:
    """Live data on the screen, warm cache, against a Textual app with one Static."""
    with _cache() as environment:
        # The first start makes the view that the second one opens with.
        until_shown([sys.executable, "-m", "qwenwatch"], "DeepSeek", environment)
        _compare(
            "start: data shown, warm cache",
            lambda: until_shown([sys.executable, "-m", "qwenwatch"], "DeepSeek", environment),
            "Textual with one Static",
            lambda: until_shown([sys.executable, "-c", BARE_APP], "BARE TEXTUAL", environment),
        )
    _compare(
        "start: data shown, no cache at all (--demo)",
        lambda: until_shown([sys.executable, "-m", "qwenwatch", "--demo"], "DeepSeek", {}),
        "Textual with one Static",
        lambda: until_shown([sys.executable, "-c", BARE_APP], "BARE TEXTUAL", {}),
    )


def snapshot() -> None:
    """A day's snapshot printed, against `import polars`."""
    with _cache() as environment:
        for kind in ("text", "json"):
            command = ["snapshot", "--date", "2026-08-21", "--format", kind]
            _compare(
                f"snapshot --format {kind}",
                partial(until_end, ["-m", "qwenwatch", *command], environment),
                "import polars",
                lambda: until_end(["-c", "import polars"], environment),
            )


def ready() -> None:
    """A closed day's snapshot that is kept ready, printed, against `import polars`."""
    from datetime import UTC, datetime

    import polars as pl

    from qwenwatch_cache.frames import FETCH
    from qwenwatch_cache.store import Store

    with _cache() as environment:
        learned = datetime(2026, 8, 24, tzinfo=UTC)  # the day has closed by then
        row = dict.fromkeys(FETCH) | {"feed": "models-dev", "url": "x", "started": learned}
        Store(Path(environment["QWENWATCH_CACHE_DIR"])).log(pl.DataFrame([row], FETCH), learned)
        for kind in ("text", "json", "csv"):
            command = ["snapshot", "--date", "2026-08-21", "--format", kind]
            _compare(
                f"snapshot kept ready --format {kind}",
                partial(until_end, ["-m", "qwenwatch", *command], environment),
                "import polars",
                lambda: until_end(["-c", "import polars"], environment),
            )


def question() -> None:
    """One question, cold, against `import polars`."""
    with _cache() as environment:
        for command in (["leaders", "--by", "model"], ["prices", "claude-opus-4.6"]):
            _compare(
                " ".join(command),
                partial(until_end, ["-m", "qwenwatch", *command], environment),
                "import polars",
                lambda: until_end(["-c", "import polars"], environment),
            )


def decade() -> None:
    """Questions over 1 and 10 years of all feeds, against `import polars` and one another."""
    from decade import make_cache

    with tempfile.TemporaryDirectory() as folder:
        caches: dict[int, dict[str, str]] = {}
        for years in (1, 10):
            root = Path(folder) / str(years)
            make_cache(root, years)
            caches[years] = {
                "QWENWATCH_CACHE_DIR": str(root),
                "QWENWATCH_OFFLINE": "1",
                "QWENWATCH_NOW": "2026-08-22T12:00:00Z",
            }
        for command in (
            ["leaders", "--by", "model"],
            ["prices", "claude-opus-4.6"],
            ["definitions"],
        ):
            ask = {
                years: partial(until_end, ["-m", "qwenwatch", *command], variables)
                for years, variables in caches.items()
            }
            for years, question in ask.items():
                floor = partial(until_end, ["-c", "import polars"], caches[years])
                _compare(f"{' '.join(command)}, {years} y", question, "import polars", floor)
            _compare(f"{' '.join(command)}, 10 y", ask[10], "the same over 1 year", ask[1])
        short, long = (_appending(Path(folder) / str(years)) for years in (1, 10))
        _compare("append of prices and a day's ranking, 10 y", long, "the same at 1 year", short)


def _appending(root: Path) -> Measure:
    """Stores an answer of two feeds and their log, each time an hour later than before."""
    from datetime import UTC, datetime, timedelta

    import polars as pl

    from qwenwatch_cache.frames import FETCH, PRICE_TABLE, USAGE_TABLE
    from qwenwatch_cache.store import Store, as_of

    store = Store(root)
    now = datetime(2026, 8, 22, 12, tzinfo=UTC)
    price = as_of(store.cached(PRICE_TABLE, feeds=["openrouter-models"]), PRICE_TABLE)
    price = price.filter("listed")
    usage = as_of(store.cached(USAGE_TABLE, feeds=["openrouter-rankings"]), USAGE_TABLE)
    usage = usage.filter(pl.col("period") >= now.date() - timedelta(days=3))

    def work() -> None:
        nonlocal now, price, usage
        now += timedelta(hours=1)
        # Three prices have moved, and the newest day was restated.
        moved = pl.int_range(pl.len()) < 3
        price = price.with_columns(
            pl.when(moved).then(pl.col("input") + 1).otherwise("input").cast(price.schema["input"]),
            observed_at=pl.lit(now),
        )
        newest = pl.col("period") == pl.col("period").max()
        usage = usage.with_columns(
            pl.when(newest).then(pl.col("value") + 1).otherwise("value"), observed_at=pl.lit(now)
        )
        for frames in ({"price": price}, {"usage": usage}):
            feed = next(iter(frames.values())).item(0, "feed")
            new = store.append(frames, now)
            row = dict.fromkeys(FETCH.names()) | {"feed": feed, "url": "x", "started": now}
            store.log(pl.DataFrame([{**row, "rows_new": new}], schema=FETCH), now)

    return partial(_timed, work)


def refresh() -> None:
    """A round over all feeds on loopback, everything due, against `import polars`."""
    sys.path.insert(0, str(ROOT))
    from tests.feedserver import FIXTURE_NOW, FeedServer, FixtureBodies

    with FeedServer(FixtureBodies(), now=lambda: FIXTURE_NOW) as server, _cache() as environment:
        variables = {
            **environment,
            "QWENWATCH_OFFLINE": "",
            "QWENWATCH_FEEDS_URL": server.url,
            "QWENWATCH_NOW": "2026-08-17T12:00:00Z",
            "OPENROUTER_API_KEY": "any",
        }
        _compare(
            "refresh --force, small bodies",
            lambda: until_end(["-m", "qwenwatch", "refresh", "--force"], variables),
            "import polars",
            lambda: until_end(["-c", "import polars"], environment),
        )


def parse() -> None:
    """A large body to frames, in process, against `json.loads` of the same bytes."""
    recordings = ROOT.parent / "shared" / "recordings" / "prices"
    bodies = {
        "openrouter-models": sorted((recordings / "openrouter/models").glob("*.json.gz"))[-1:],
        "models-dev": sorted((recordings / "models.dev/generated").glob("*.json.gz"))[-1:],
    }
    from datetime import UTC, datetime

    from qwenwatch_cache.feeds import models_dev, openrouter_models

    parsers = {"openrouter-models": openrouter_models.parse, "models-dev": models_dev.parse}
    now = datetime.now(UTC)
    for feed, paths in bodies.items():
        for path in paths:
            body = gzip.decompress(path.read_bytes())
            _compare(
                f"parse {feed}, {len(body) / 1e6:.1f} MB",
                partial(_timed, partial(parsers[feed], body, now)),
                "json.loads",
                partial(_timed, partial(json.loads, body)),
            )


def append() -> None:
    """What is new in one answer, among a year of Hugging Face's rows, against sorting them all."""
    from datetime import UTC, date, datetime, timedelta

    import polars as pl

    from qwenwatch_cache.frames import USAGE, USAGE_TABLE
    from qwenwatch_cache.store.revisions import as_of, news, withdrawn

    now = datetime(2026, 8, 22, tzinfo=UTC)
    row = dict.fromkeys(USAGE) | {"feed": "huggingface", "metric": "likes", "kind": "model"}
    row |= {"grain": "total", "scope": "", "value": 1, "as_of": now, "observed_at": now}
    models = [row | {"entity": f"org/m{n}", "period": date(2026, 8, 21)} for n in range(2300)]
    today = pl.DataFrame(models, schema=USAGE)
    past = pl.concat(
        today.with_columns(period=pl.col("period") - timedelta(days=days)) for days in range(1, 366)
    )
    answer = today.head(25)

    def look() -> None:
        news(past, answer, USAGE_TABLE)
        withdrawn(past, answer, USAGE_TABLE, now, whole=frozenset())

    _compare(
        f"one answer among {past.height:,} rows",
        partial(_timed, look),
        "sorting them all",
        partial(_timed, lambda: as_of(past, USAGE_TABLE)),
    )


def imports() -> None:
    """What is imported, against an empty interpreter."""
    for name in ("argparse", "click", "msgspec", "httpx", "polars", "textual.app"):
        if subprocess.run([sys.executable, "-c", f"import {name}"], capture_output=True).returncode:
            print(f"import {name}: not installed")
            continue
        _compare(
            f"import {name}",
            partial(until_end, ["-c", f"import {name}"], {}),
            "pass",
            lambda: until_end(["-c", "pass"], {}),
        )


BENCHMARKS: Mapping[str, Callable[[], None]] = {
    "start": start,
    "snapshot": snapshot,
    "ready": ready,
    "question": question,
    "decade": decade,
    "refresh": refresh,
    "parse": parse,
    "append": append,
    "imports": imports,
}


@contextlib.contextmanager
def _cache() -> Iterator[dict[str, str]]:
    with tempfile.TemporaryDirectory() as folder:
        yield {"QWENWATCH_CACHE_DIR": folder, "QWENWATCH_OFFLINE": "1"}


def _compare(what: str, program: Measure, floor_name: str, floor: Measure) -> None:
    program(), floor()  # a warm-up of both
    pairs = [(program(), floor()) for _ in range(RUNS)]
    ours = statistics.median(one for one, _ in pairs)
    theirs = statistics.median(one for _, one in pairs)
    ratio = statistics.median(one / other for one, other in pairs)
    print(f"{what:44} {ours:8.1f} {theirs:8.1f} {ratio:6.2f}×   {floor_name}", flush=True)


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


def until_end(arguments: list[str], variables: Mapping[str, str]) -> float:
    """Milliseconds from starting Python with some arguments to its end."""
    environment = _environment(variables)
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, *arguments], env=environment, check=True, stdout=subprocess.DEVNULL
    )
    return (time.perf_counter() - began) * 1000


def until_shown(command: list[str], text: str, variables: Mapping[str, str]) -> float:
    """Milliseconds from starting a program in a terminal of 160×48 until it has written a text."""
    environment = _environment({**variables, "TERM": "xterm-256color", "COLORTERM": "truecolor"})
    began = time.perf_counter()
    child, terminal = pty.fork()
    if child == 0:
        os.execvpe(command[0], command, environment)
    ioctl(terminal, TIOCSWINSZ, struct.pack("HHHH", 48, 160, 0, 0))
    seen = b""
    try:
        while text.encode() not in seen:
            if not select.select([terminal], [], [], 20)[0]:
                raise SystemExit(f"{command} did not show {text!r} within 20 s")
            seen += os.read(terminal, 65536)
        return (time.perf_counter() - began) * 1000
    finally:
        os.write(terminal, b"q\x11")
        with contextlib.suppress(OSError):
            while select.select([terminal], [], [], 5)[0] and os.read(terminal, 65536):
                pass
        os.close(terminal)
        os.waitpid(child, 0)


def _environment(variables: Mapping[str, str]) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("QWENWATCH")}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    return {**kept, **variables}


if __name__ == "__main__":
    main()
