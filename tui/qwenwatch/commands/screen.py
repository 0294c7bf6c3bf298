"""`qwenwatch` without a command: the screen."""

import argparse
import contextlib
import gc
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from qwenwatch.commands.context import is_offline, read_config
from qwenwatch.config import ConfigError
from qwenwatch.exit_codes import ExitCode
from qwenwatch.ready import opening_query
from qwenwatch_cache.errors import QwenwatchError
from qwenwatch_cache.manifest import ManifestLost, read_manifest
from qwenwatch_cache.places import place_of


def run_screen(options: argparse.Namespace) -> int:
    """Open the screen and stay until it is left."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise QwenwatchError("the screen needs a terminal; scripts use `qwenwatch snapshot`")
    config = read_config(options)
    offline = options.demo or is_offline(options) or isinstance(config.cache_dir, str)
    if not options.demo and isinstance(config.cache_dir, Path):
        # What cannot be read at all is said at once, not in a line of the screen.
        with contextlib.suppress(ManifestLost):
            read_manifest(place_of(config.cache_dir).read)
    with _cache_dir(options, config.cache_dir) as cache_dir:
        from qwenwatch.client import ProcessAnswers

        query = opening_query(config)
        arguments = ["--config", str(config.path)] if config.path.exists() else []
        arguments += ["--cache-dir", str(cache_dir), *(["--offline"] if offline else [])]
        answers = ProcessAnswers(arguments, cache_dir, query)
        if answers.ready_market() is None:
            # Nothing to show yet: let the process load Polars while this one loads Textual.
            answers.start()

        from qwenwatch.app import QwenwatchApp

        app = QwenwatchApp(
            answers,
            query=query,
            theme=config.theme or None,
            poll=not offline,
        )
        if config.theme and config.theme not in app.available_themes:
            known = ", ".join(sorted(app.available_themes))
            raise ConfigError(f"{config.path}: view.theme is {config.theme!r}, there are {known}")
        if config.keys:
            from qwenwatch.keys import keymap

            app.set_keymap(keymap(config))
        app.call_later(_collect_garbage_again)
        app.run()
    return app.return_code or ExitCode.GOOD


def _collect_garbage_again() -> None:
    """Undo the command line's gc.disable(); what start-up made is here to stay."""
    gc.freeze()
    gc.enable()


@contextlib.contextmanager
def _cache_dir(options: argparse.Namespace, configured: Path | str) -> Iterator[Path | str]:
    """The cache, or for the demonstration a new one that is thrown away at the end."""
    if not options.demo:
        yield configured
        return
    with tempfile.TemporaryDirectory(prefix="qwenwatch-demo-") as folder:
        yield Path(folder)
