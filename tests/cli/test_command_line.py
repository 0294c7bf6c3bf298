"""The parser is made of the command that is named, and says the same as the whole one."""

import pytest

from qwenwatch.command_line import build_parser

WHOLE = build_parser()

HELP = [
    ("-h", "cache"),
    ("--offline", "--help", "prices"),
    ("changes", "--help"),
    ("--cache-dir", "cache", "leaders", "-h"),
    ("--config=prices", "diff", "-h"),
]

MISTAKES = [
    ("snpashot", "cache"),
    ("--config", "prices", "frob"),
    ("prices", "--frob"),
    ("-q", "diff", "2026-08-01"),
    ("cache", "frob"),
]


@pytest.mark.parametrize("words", [*HELP, *MISTAKES], ids=" ".join)
def test_what_is_wrong_and_what_there_is_are_told_alike(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    told = []
    for parser in (WHOLE, build_parser(words)):
        with pytest.raises(SystemExit) as ended:
            parser.parse_args(words)
        told.append((ended.value.code, capsys.readouterr()))
    assert told[0] == told[1]


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--cache-dir", "cache"),
        ("--cache-dir", "cache", "leaders", "--by", "model"),
        ("-q", "prices", "cache"),
        ("check", "prices", "--strict"),
    ],
    ids=" ".join,
)
def test_what_is_right_is_read_alike(words: tuple[str, ...]) -> None:
    assert build_parser(words).parse_args(words) == WHOLE.parse_args(words)


@pytest.mark.parametrize("text", ["x", "-1", "1.5", "", "1_000"])
def test_a_number_of_rows_is_asked_for_in_words(
    text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        WHOLE.parse_args(["leaders", f"--top={text}"])
    told = capsys.readouterr().err
    assert f"argument --top: expected a whole number of 0 or more, not {text!r}" in told
