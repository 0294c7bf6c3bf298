"""Printers: a snapshot as text, JSON, NDJSON, CSV or Markdown."""
