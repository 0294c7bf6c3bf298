"""Makes docs/claims-report.md: what becomes of the bundled claims on the bundled figures.

python -m tests.cli.claims_report
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

REPORT = Path(__file__).parents[2] / "docs" / "claims-report.md"
MOMENT = "2026-08-22T12:00:00Z"
"""The bundled figures of usage end on the day before."""


def report() -> bytes:
    """What the command prints in an empty cache, offline, at a fixed time."""
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [
                *(sys.executable, "-m", "qwenwatch", "check"),
                *("--format", "md", "--known-at", MOMENT),
            ],
            env={
                **kept,
                "HOME": folder,
                "QWENWATCH_CACHE_DIR": f"{folder}/cache",
                "QWENWATCH_OFFLINE": "1",
                "QWENWATCH_NOW": MOMENT,
            },
            capture_output=True,
            timeout=120,
            check=True,
        )
    return done.stdout


if __name__ == "__main__":
    REPORT.write_bytes(report())
