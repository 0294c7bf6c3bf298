"""Writes vendors.json, the copy of vendors.toml that the program reads.

    python cache/scripts/make_vendors.py

People edit the TOML, which takes a comment; to parse it would be a good part of every question.
"""

import json
import tomllib
from pathlib import Path

TABLE = Path(__file__).parents[1] / "qwenwatch_cache" / "vendors.toml"


def main() -> None:
    """Write the copy beside the table."""
    vendors = tomllib.loads(TABLE.read_text(encoding="utf-8"))["vendor"]
    lines = ",\n".join(json.dumps(one, ensure_ascii=False) for one in vendors)
    TABLE.with_suffix(".json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main()
