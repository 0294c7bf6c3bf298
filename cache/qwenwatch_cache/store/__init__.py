"""What is kept on disk, and how it is never lost."""

from qwenwatch_cache.store.revisions import as_of
from qwenwatch_cache.store.store import Store

__all__ = ["Store", "as_of"]
