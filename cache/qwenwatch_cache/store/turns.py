"""Whose turn it is to ask a host, among all programs that use one cache."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from filelock import AsyncFileLock, Timeout

from qwenwatch_cache.errors import StoreError

PATIENCE_SECONDS = 30.0


@contextlib.asynccontextmanager
async def turn(root: Path, host: str, patience: float = PATIENCE_SECONDS) -> AsyncIterator[bool]:
    """Be the only one who asks a host.

    Args:
        root: The cache directory.
        host: Whom to ask; a host name, perhaps with a port.
        patience: Seconds to wait for another program that is asking it.

    Yields:
        Whether it was our turn in time.

    Raises:
        StoreError: The disk refused.
    """
    path = root / "asking" / f"{host.replace(':', '-')}.lock"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # In this thread: the attempts do not block, and a lock belongs to whoever took it.
        lock = AsyncFileLock(path, run_in_executor=False)
        await lock.acquire(timeout=patience, poll_interval=0.1)
    except Timeout:
        yield False
        return
    except OSError as error:
        raise StoreError(f"cannot write to the cache {root}: {error.strerror}") from error
    try:
        yield True
    finally:
        await lock.release()
