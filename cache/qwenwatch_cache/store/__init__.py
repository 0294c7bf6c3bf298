"""What is kept on disk, and how it is never lost."""

from qwenwatch_cache.store.revisions import as_of
from qwenwatch_cache.store.store import EARLIER, Store

__all__ = ["EARLIER", "Store", "as_of"]
