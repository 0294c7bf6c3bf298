"""A real S3-compatible server on this machine (moto's), and caches that are copied to it."""

import contextlib
import importlib.util
import os
import re
import secrets
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
import pytest

NEEDED = ("moto", "flask", "flask_cors", "obstore")
PATIENCE_SECONDS = 60
REGION = "us-east-1"

_LISTENS = re.compile(r"Running on (http://127\.0\.0\.1:\d+)")
_REQUEST = re.compile(r'"\S*?(?:\x1b\[[\d;]*m)*(GET|HEAD|PUT|DELETE) (\S+) HTTP')


class S3Server:
    """Runs while its context lasts, in a process of its own."""

    def __enter__(self) -> Self:
        """Start it, and wait until it listens."""
        missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
        if missing:
            pytest.skip(f"needs {', '.join(missing)}: pip install 'qwenwatch[test]'")
        self._folder = tempfile.TemporaryDirectory(prefix="qwenwatch-s3-")
        self._log = Path(self._folder.name) / "log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-u", "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"],
                # Told of no network and no credentials of the developer's own.
                env={
                    name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ
                },
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        until = time.monotonic() + PATIENCE_SECONDS
        while (listens := _LISTENS.search(self._log.read_text(encoding="utf-8"))) is None:
            if self._process.poll() is not None or time.monotonic() > until:
                self._stop()
                raise RuntimeError("moto's server did not start")
            time.sleep(0.02)
        self.endpoint = listens[1]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End it."""
        self._stop()

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables that whoever reads from this server has set."""
        return {
            "AWS_ACCESS_KEY_ID": "a-reader",
            "AWS_SECRET_ACCESS_KEY": "a-secret",
            "AWS_REGION": REGION,
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ALLOW_HTTP": "true",
        }

    def new_bucket(self) -> str:
        """Make a bucket of which there is no other; returns its address."""
        name = f"b-{secrets.token_hex(8)}"
        httpx.put(f"{self.endpoint}/{name}").raise_for_status()
        return f"s3://{name}"

    def requests(self) -> Counter[tuple[str, str]]:
        """How often which path was asked with which method since the server started."""
        return Counter(_REQUEST.findall(self._log.read_text(encoding="utf-8")))

    def put(self, url: str, name: str, content: bytes) -> None:
        """Put one object below an address."""
        self._store(url).put(name, content)

    def delete(self, url: str, names: Sequence[str]) -> None:
        """Delete objects below an address."""
        for name in names:
            self._store(url).delete(name)

    def objects(self, url: str) -> dict[str, bytes]:
        """Everything below an address."""
        store = self._store(url)
        names = [one["path"] for page in store.list() for one in page]
        return {name: store.get(name).bytes().to_bytes() for name in sorted(names)}

    def copy(self, root: Path, url: str) -> None:
        """Copy a cache in the order of docs/data.md: parts, manifest, then away with the rest."""
        for name in upload_order(root):
            self.put(url, name, (root / name).read_bytes())
        gone = self.objects(url).keys() - set(upload_order(root))
        self.delete(url, sorted(gone))

    def _store(self, url: str) -> Any:
        from obstore.store import from_url

        return from_url(
            url,
            endpoint=self.endpoint,
            access_key_id="the-owner",
            secret_access_key="another-secret",
            region=REGION,
            client_options={"allow_http": True},
        )

    def _stop(self) -> None:
        self._process.kill()
        self._process.wait()
        # Windows may still hold the log for a moment.
        with contextlib.suppress(OSError):
            self._folder.cleanup()


def upload_order(root: Path) -> Sequence[str]:
    """Names of the files that a reader needs: parts first, what names them last."""
    parts = sorted(path.relative_to(root).as_posix() for path in root.glob("*/*.parquet"))
    return [
        *(name for name in parts if not name.startswith("set-aside/")),
        "manifest.json",
        "format.json",
    ]


@contextlib.contextmanager
def only_these(variables: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An environment in which no credentials of the developer's own are found."""
    with monkeypatch.context() as patch:
        for name in os.environ:
            if name.startswith(("AWS_", "GOOGLE_", "AZURE_")):
                patch.delenv(name)
        for name, value in variables.items():
            patch.setenv(name, value)
        yield
