"""A cache under attack: writers that are killed, and many processes at once.

    python benchmarks/kills.py --kills 1000 --seed 7
    python benchmarks/kills.py --crowd 60

The first begins writes (append, log, bodies, compaction, import, migration of an old cache), kills
each with SIGKILL at a random moment while another process reads, and stops at the first row that is
missing, or state that is torn. The second lets two writers, three readers and one who compacts use
one cache for so many seconds, and counts. Both end with 1 if anything was wrong.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.cache.kills import crowd, kill_writers


def main() -> int:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(description="kill writers of a cache, or crowd it")
    parser.add_argument("--kills", type=int, default=0, help="how many")
    parser.add_argument("--crowd", type=float, default=0, metavar="SECONDS", help="how long")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 10**9)
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    wrong = False
    with tempfile.TemporaryDirectory(prefix="qwenwatch-") as folder:
        if options.kills:
            wrong |= _kills(Path(folder), options.kills, options.seed)
        if options.crowd:
            wrong |= _crowd(Path(folder) / "crowd", options.crowd, options.seed)
    return int(wrong)


def _kills(folder: Path, kills: int, seed: int) -> bool:
    began = time.monotonic()
    try:
        killed = kill_writers(folder, kills, seed)
    except AssertionError as error:
        print(f"kills: WRONG: {error}")
        return True
    by_kind = ", ".join(f"{count} of {kind}" for kind, count in sorted(killed.kills.items()))
    print(
        f"kills: {killed.kills.total()} ({by_kind}) in {killed.caches} caches; "
        f"{killed.acknowledged} acknowledged writes, none missing; "
        f"{killed.reads} reads, none torn; "
        f"{time.monotonic() - began:.0f} s"
    )
    return False


def _crowd(root: Path, seconds: float, seed: int) -> bool:
    came = crowd(root, seconds, seed)
    found = came.written - len(came.missing) + len(came.strange)
    print(
        f"crowd: {seconds:g} s; writes acknowledged {came.written}, found {found}; "
        f"{came.compactions} compactions; {came.reads} reads, {len(came.errors)} errors"
    )
    for text in (*came.errors[:5], *came.missing[:5], *came.strange[:5]):
        print(f"  {text}")
    return bool(came.errors or came.missing or came.strange)


if __name__ == "__main__":
    sys.exit(main())
