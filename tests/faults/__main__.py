"""Write the table of all faults: ``python -m tests.faults > docs/faults.md``."""

import sys
import tempfile
from pathlib import Path

from tests.faults.matrix import every_cell, matrix, passing_cells
from tests.faults.table import page


def main() -> int:
    """Play everything and print the page."""
    with tempfile.TemporaryDirectory() as folder, matrix(Path(folder)) as played:
        cells = [played.play(feed, fault) for feed, fault in every_cell()]
        passing = [played.play(feed, fault, last=2) for feed, fault in passing_cells()]
    sys.stdout.write(page(cells, passing))
    return 0


if __name__ == "__main__":
    sys.exit(main())
