"""The screen's process stays small: what it never needs is never imported."""

import subprocess
import sys

SCRIPT = """
import asyncio, sys
from qwenwatch.app import QwenwatchApp
from tests.tui.fakes import FakeAnswers

async def first_frame():
    async with QwenwatchApp(FakeAnswers(), poll=False).run_test(size=(160, 48)) as pilot:
        await pilot.pause()
    print(" ".join(sorted(sys.modules)))

asyncio.run(first_frame())
"""


def test_first_frame_needs_no_data_library_and_no_heavy_widget() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], check=True, capture_output=True, text=True
    )
    loaded = set(done.stdout.split())
    unwanted = {"polars", "httpx", "qwenwatch_cache"}
    unwanted |= {f"textual.widgets._{name}" for name in ("data_table", "footer", "markdown")}
    screens = ("vendor", "feeds", "help", "hosts", "tables", "prices", "compare", "claims")
    unwanted |= {f"qwenwatch.screens.{name}" for name in screens}
    assert not unwanted & loaded
