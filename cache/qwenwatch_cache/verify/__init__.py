"""Proof of the cache: the files are as they were written, the rows are what kept bodies say.

`parts` looks at the Parquet files, `bodies` at the kept bodies, `answers` derives rows from bodies
again, `proof` brings them together. All of it is a reader: no lock is taken, nothing is changed.
"""

from qwenwatch_cache.verify.findings import Difference, Findings
from qwenwatch_cache.verify.proof import verify

__all__ = ["Difference", "Findings", "verify"]
