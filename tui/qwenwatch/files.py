"""Text files that are replaced as a whole."""

import contextlib
import os
from pathlib import Path


def write_whole(path: Path, text: str) -> None:
    """Put a text in place of a file, so that no reader ever sees a part of it.

    A link stays a link, and what is no plain file (a pipe, a device) is written into.

    Raises:
        OSError: It cannot be written; what was there before is unchanged.
    """
    path = path.resolve()
    if path.exists() and not path.is_file():
        path.write_text(text, encoding="utf-8", newline="")
        return
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_text(text, encoding="utf-8", newline="")
        temporary.replace(path)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
