"""Make the pictures of the README by driving the program on its bundled baseline.

    python screenshots/make.py

writes an SVG per screen. PNGs are made beside them where a Chromium is found, because some pages
that show a README do not render text in SVG faithfully.
"""

import asyncio
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from qwenwatch.app import QwenwatchApp
from qwenwatch.client import ProcessAnswers
from qwenwatch_widgets.views.query import MarketQuery

HERE = Path(__file__).parent
PICTURES: dict[str, tuple[tuple[int, int], Sequence[str]]] = {
    "market": ((160, 48), ()),
    "market-spend": ((160, 48), ("d", "d", "d")),
    "market-80x24": ((80, 24), ()),
    "vendor": ((160, 48), ("enter",)),
    "definitions": ((160, 48), ("4",)),
    "changes": ((160, 48), ("6",)),
    "claims": ((160, 48), ("5",)),
}
"""Size and keys pressed, by name."""


def main() -> None:
    """Make all pictures, of the day with which the bundled usage ends, whenever they are made."""
    os.environ["QWENWATCH_NOW"] = "2026-08-22T12:00:00Z"
    for name, (size, keys) in PICTURES.items():
        svg = asyncio.run(picture(size, keys))
        path = HERE / f"{name}.svg"
        path.write_text(svg, encoding="utf-8")
        made = to_png(path)
        print(f"{path.name}{' and .png' if made else ''}")


async def picture(size: tuple[int, int], keys: Sequence[str]) -> str:
    """The screen after some keys, as SVG."""
    with tempfile.TemporaryDirectory() as folder:
        query = MarketQuery()
        arguments = ["--cache-dir", folder, "--offline"]
        app = QwenwatchApp(ProcessAnswers(arguments, Path(folder), query), query=query, poll=False)
        async with app.run_test(size=size) as pilot:
            await app.workers.wait_for_complete()
            for key in keys:
                await pilot.press(key)
                await app.workers.wait_for_complete()
            await pilot.pause()
            svg = app.export_screenshot(title="qwenwatch", simplify=True)
    return re.sub(r"terminal-\d+", "terminal", svg)


def to_png(path: Path) -> bool:
    """Render an SVG with Chromium, if there is one."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("chrome")
    found = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', path.read_text(encoding="utf-8"))
    if browser is None or found is None:
        return False
    width, height = (round(float(number)) for number in found.groups())
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "page.html"
        svg = path.read_text(encoding="utf-8")
        page.write_text(f"<body style='margin:0'>{svg}</body>", encoding="utf-8")
        subprocess.run(
            [
                browser,
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--hide-scrollbars",
                f"--user-data-dir={folder}/profile",
                f"--window-size={width},{height}",
                f"--screenshot={path.with_suffix('.png')}",
                page.as_uri(),
            ],
            check=True,
            capture_output=True,
            timeout=120,
        )
    return True


if __name__ == "__main__":
    main()
