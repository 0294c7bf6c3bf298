"""The configuration: everything optional, everything unknown refused by name."""

from pathlib import Path

import pytest

from tests.cli.conftest import Run


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[view]\ntopp = 3\n", "view.topp is not known"),
        ("[view]\ntop = 'many'\n", "view.top is 'many', expected a whole number"),
        ("[view]\nby = 'planet'\n", "expected one of vendor, model, country"),
        ("[viev]\n", "viev is not known"),
        ("[mix]\ninput = 0.9\n", "must add up to 1"),
        ("[feeds.openrouter-rankngs]\nenabled = false\n", "feeds.openrouter-rankngs is not known"),
        ("[feeds.models-dev]\nevery = '1m'\n", "below what this feed allows, 6h"),
        ("[feeds.models-dev]\nevery = 'often'\n", "expected a time like"),
        ("[feeds]\nurl = 'ftp://example'\n", "must begin with http://"),
        ("[feeds]\nurl = 'http://localhost:99999'\n", "must begin with http://"),
        ("[feeds]\nurl = 'http://[bad'\n", "must begin with http://"),
        ("[view\n", "not valid TOML"),
    ],
)
def test_mistakes_are_named(run: Run, tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text(text, encoding="utf-8")
    ran = run("snapshot", "--config", str(path))
    assert ran.code == 2
    assert says in ran.err
    assert ran.out == ""


def test_a_named_file_must_exist(run: Run, tmp_path: Path) -> None:
    ran = run("snapshot", "--config", str(tmp_path / "none.toml"))
    assert ran.code == 2
    assert "there is no such file" in ran.err


def test_values_are_used(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(
        "[view]\ntop = 2\nbaseline = 'glm-5'\n[mix]\ninput = 0.5\noutput = 0.5\ncached = 0\n",
        encoding="utf-8",
    )
    out = run("snapshot", "--config", str(path)).out
    assert "mix 50:50:0" in out
    assert "◆ GLM 5" in out
    by_vendor = out.partition("Leaders · by vendor")[2].partition("\n\n")[0]
    assert "Tencent" in by_vendor
    assert "OpenAI" not in by_vendor
    assert "unattributed" in by_vendor


def test_init_writes_a_file_that_is_accepted_and_left_alone(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "conf" / "config.toml"
    assert run("config", "init", "--config", str(path)).out == f"{path}\n"
    assert run("snapshot", "--config", str(path), "--section", "definitions").code == 0
    again = run("config", "init", "--config", str(path))
    assert again.code == 2
    assert "left as it is" in again.err


def test_paths(run: Run, tmp_path: Path) -> None:
    assert run("cache", "path").out == f"{tmp_path / 'cache'}\n"
    assert run("config", "path", QWENWATCH_CONFIG="x.toml").out == "x.toml\n"
