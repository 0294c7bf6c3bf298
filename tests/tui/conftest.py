"""Pictures of the screen, compared with those that were looked at and found good."""

import re
from collections.abc import Awaitable, Callable

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from qwenwatch.app import QwenwatchApp

Shot = Callable[..., Awaitable[bool]]


class Svg(SingleFileSnapshotExtension):
    """One .svg file per picture."""

    file_extension = "svg"
    _write_mode = WriteMode.TEXT


@pytest.fixture
def shot(snapshot: SnapshotAssertion) -> Shot:
    """Press keys in an app and compare its picture."""

    async def take(app: QwenwatchApp, *keys: str, size: tuple[int, int] = (80, 24)) -> bool:
        async with app.run_test(size=size) as pilot:
            await app.workers.wait_for_complete()
            await pilot.press(*keys)
            await app.workers.wait_for_complete()
            await pilot.pause()
            svg = app.export_screenshot(simplify=True)
        picture = re.sub(r"terminal-\d+", "terminal", svg)
        return bool(picture == snapshot(extension_class=Svg))

    return take
