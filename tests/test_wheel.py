"""What is in the wheel: three packages, their data, and nothing else."""

import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_wheel_holds_the_rooms_and_their_data(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    packages = {name.partition("/")[0] for name in names if ".dist-info" not in name}
    assert packages == {"qwenwatch", "qwenwatch_widgets", "qwenwatch_cache"}
    for needed in (
        "qwenwatch/cli.py",
        "qwenwatch_widgets/views/market.py",
        "qwenwatch_cache/vendors.toml",
        "qwenwatch_cache/vendors.json",
        "qwenwatch_cache/identity.csv",
        "qwenwatch_cache/claims.toml",
        "qwenwatch_cache/baseline/usage.parquet",
        "qwenwatch_cache/baseline/NOTICE",
    ):
        assert needed in names
    assert not [name for name in names if "__pycache__" in name or "test" in name]
