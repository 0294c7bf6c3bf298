"""Nothing but text reaches the terminal, and it takes as many cells as it should."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from qwenwatch_widgets.text import fit, plain, width


class TestPlain:
    @pytest.mark.parametrize(
        ("text", "shown"),
        [
            ("DeepSeek", "DeepSeek"),
            ("通义千问 · Qwen", "通义千问 · Qwen"),
            ("26.2\u202f%", "26.2\u202f%"),
            ("[bold]x[/]", "[bold]x[/]"),
            ("\x1b[31mred\x1b[0m", "[31mred[0m"),
            ("\x1b]52;c;QUJD\x07", "]52;c;QUJD"),
            ("two\nlines\tand a tab", "two lines and a tab"),
            ("\u202egnp.exe", "gnp.exe"),
            ("zero\u200bwidth\ufe0f", "zerowidth"),
            ("lone \ud800 surrogate", "lone  surrogate"),
        ],
    )
    def test_examples(self, text: str, shown: str) -> None:
        assert plain(text) == shown

    @given(st.text(alphabet=st.characters()))
    def test_no_control_character_survives(self, text: str) -> None:
        shown = plain(text)
        assert not any(ord(char) < 32 or 127 <= ord(char) < 160 for char in shown)
        shown.encode()
        assert plain(shown) == shown


class TestFit:
    @given(st.text(), st.integers(0, 40), st.sampled_from(["left", "right"]))
    def test_exact_cells(self, text: str, cells: int, align: str) -> None:
        fitted = fit(plain(text), cells, "right" if align == "right" else "left")
        assert width(fitted) == cell_len(fitted) == cells

    def test_what_was_cut_is_shown(self) -> None:
        assert fit("gemini-3.1-flash-lite", 10) == "gemini-3.…"
        assert fit("千问千问", 5) == "千问…"
        assert fit("千问千问", 4) == "千 …"

    def test_align(self) -> None:
        assert fit("1.20", 6, "right") == "  1.20"
        assert fit("1.20", 6) == "1.20  "
