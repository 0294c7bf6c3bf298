"""`python -m qwenwatch`."""

from qwenwatch.cli import run

run()
