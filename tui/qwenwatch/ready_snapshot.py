"""Snapshots of closed days kept ready to print, so that printing one needs no data-frame library.

Beside the exact JSON text lies a small file that says what it answers and what it was computed
from. Both are a convenience: whatever is odd about them, the answer is computed anew.
"""

import contextlib
import json
import time
import zlib
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, NamedTuple

import qwenwatch_cache
from qwenwatch import __version__
from qwenwatch.config import Config
from qwenwatch.files import write_whole
from qwenwatch_cache.clock import CLOCK_SKEW, SETTLED, is_replayed
from qwenwatch_cache.manifest import FORMAT, Manifest, read_manifest

FOLDER = "ready/snapshots"
MOST = 40
"""Answers that are kept; beyond that those that were computed longest ago go."""

_ABOUT = ".about.json"

_LEFT = 3600.0
"""Seconds after which a file that belongs to no answer must have been left by a kill."""


class Question(NamedTuple):
    """The snapshot of a named day with all its parts: everything that its bytes depend on.

    Names are as they were given: what fits a part of a name need not be looked up.

    Attributes:
        day: Which, YYYY-MM-DD.
        metric: Definition asked for, "" lets the data decide.
        window: Length of the window.
        baseline: Model that price ratios refer to.
        mix: Parts of input, output and cached input.
        top: Rows of the tables for people.
        replayed: Whether the program was told to believe in another time.
    """

    day: str
    metric: str
    window: str
    baseline: str
    mix: tuple[str, ...]
    top: int
    replayed: bool

    @classmethod
    def default(cls, config: Config, day: date) -> "Question":
        """What is asked about a day if nothing else is said than what the configuration says."""
        return cls(
            day=day.isoformat(),
            metric=config.metric,
            window=config.window,
            baseline=config.baseline,
            mix=tuple(str(part) for part in config.mix),
            top=config.top,
            replayed=is_replayed(),
        )


class Answer(NamedTuple):
    """A snapshot in the forms in which it is printed."""

    json: str
    text: str
    coloured: str
    markdown: str

    @property
    def checksum(self) -> int:
        """Of all forms together."""
        forms = (self.json, self.text, self.coloured, self.markdown)
        return zlib.crc32("\0".join(forms).encode())


class Kept(NamedTuple):
    """An answer that is kept.

    Attributes:
        question: What it answers.
        answer: The answer.
        known_at: When the day closed; nothing learned later is in the answer.
        made_at: When it was computed.
        basis: What it was computed from (see `basis_of`).
        checksum: Of the answer, as it was when it was written.
    """

    question: Question
    answer: Answer
    known_at: datetime
    made_at: datetime
    basis: Mapping[str, Any]
    checksum: int

    @property
    def is_whole(self) -> bool:
        """Whether its files belong together: two programs may have written at once."""
        return self.answer.checksum == self.checksum

    def holds(self, manifest: Manifest, now: datetime) -> bool:
        """Whether it is still the answer, as far as can be told without computing it.

        Args:
            manifest: The state of the cache.
            now: The present moment.
        """
        return (
            self.basis == basis_of(manifest)
            and is_settled(manifest, self.known_at)
            and now >= self.known_at + SETTLED
            # At an earlier moment less may have been known of the day, or nothing.
            and now >= self.made_at - CLOCK_SKEW
        )


def read_ready_snapshot(root: Path | str, question: Question, now: datetime) -> Answer | None:
    """The answer kept for exactly this question, None if there is none that holds."""
    if not isinstance(root, Path):  # nothing is kept at the address of an object store
        return None
    path = path_of(root, question)
    try:
        kept = read_kept(path)
        manifest = read_manifest(lambda name: (root / name).read_bytes())
        if kept and kept.question == question and kept.is_whole and kept.holds(manifest, now):
            return kept.answer
    except Exception:  # whatever is wrong with it, the question can be put to the tables
        pass
    return None


def read_kept(path: Path) -> Kept | None:
    """What is kept under a name; None if another version of the program wrote it.

    Raises:
        OSError: A file of it is missing, or cannot be read.
        ValueError, KeyError, TypeError: It is not what was written.
    """
    about = json.loads(_beside(path).read_bytes())
    if about["basis"]["program"] != __version__:
        return None
    asked = about["question"]
    return Kept(
        question=Question(**{**asked, "mix": tuple(asked["mix"])}),
        answer=Answer(json=path.read_bytes().decode(), **about["forms"]),
        known_at=datetime.fromisoformat(about["known_at"]),
        made_at=datetime.fromisoformat(about["made_at"]),
        basis=about["basis"],
        checksum=about["checksum"],
    )


def write_kept(root: Path, kept: Kept) -> None:
    """Keep an answer, and let go of those that are too many.

    A cache that is not there, or that cannot be written, is passed over.
    """
    path = path_of(root, kept.question)
    about = {
        "question": kept.question._asdict(),
        "known_at": kept.known_at.astimezone(UTC).isoformat(),
        "made_at": kept.made_at.isoformat(),
        "basis": kept.basis,
        "checksum": kept.checksum,
        "forms": {form: text for form, text in kept.answer._asdict().items() if form != "json"},
    }
    with contextlib.suppress(OSError):
        if root.is_dir():
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, kept.answer.json)
            write_whole(_beside(path), json.dumps(about, ensure_ascii=False, indent=1) + "\n")
            _let_go(path.parent)


def kept_paths(root: Path) -> list[Path]:
    """The answers kept in a cache, whether they still hold or not, by name."""
    return sorted(_json_of(path) for path in (root / FOLDER).glob(f"*{_ABOUT}"))


def path_of(root: Path, question: Question) -> Path:
    """Where the answer to a question is kept."""
    asked = json.dumps(question._asdict(), sort_keys=True).encode()
    return root / FOLDER / f"{question.day}-{zlib.crc32(asked):08x}.json"


def basis_of(manifest: Manifest) -> dict[str, Any]:
    """What an answer for an earlier moment depends on besides the question: it holds until then.

    Args:
        manifest: The state of the cache before the answer is computed.
    """
    begin = min((part.first for part in manifest.parts if part.first), default=None)
    return {
        "program": __version__,
        "data": data_state(),
        "past": manifest.past,
        # A cache that was deleted and begun anew counts its past from 0 again.
        "begin": begin.isoformat() if begin else None,
    }


def data_state() -> dict[str, str]:
    """Size and time of the program's own data: whoever replaces it gets other answers."""
    folder = Path(qwenwatch_cache.__path__[0])
    names = ["identity.csv", "vendors.json"]
    names += sorted(f"baseline/{path.name}" for path in (folder / "baseline").iterdir())
    states = {name: (folder / name).stat() for name in names}
    return {name: f"{state.st_size} {state.st_mtime_ns}" for name, state in states.items()}


def is_settled(manifest: Manifest, known_at: datetime) -> bool:
    """Whether a row that still comes with a time before a moment would change `Manifest.past`."""
    newest = manifest.newest
    return manifest.format == FORMAT and newest is not None and newest > known_at + SETTLED


def _beside(path: Path) -> Path:
    return path.with_suffix(_ABOUT)


def _json_of(beside: Path) -> Path:
    return beside.with_name(beside.name.removesuffix(_ABOUT) + ".json")


def _let_go(folder: Path) -> None:
    """Delete the answers that were computed longest ago, and what kills left."""
    kept = sorted(folder.glob(f"*{_ABOUT}"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in kept[MOST:]:
        path.unlink(missing_ok=True)
        _json_of(path).unlink(missing_ok=True)
    wanted = {*kept, *(_json_of(path) for path in kept)}
    for path in {*folder.iterdir()} - wanted:
        if time.time() - path.stat().st_mtime > _LEFT:
            path.unlink(missing_ok=True)
