"""Every fault on every feed, played through real rounds: what is said and what is kept.

``python -m tests.faults > docs/faults.md`` plays them and writes the table.
"""
