"""Tables and lines that fit a terminal."""

from __future__ import annotations

import pytest

from scheduler.cli.render import cut, paint, table, width, wrap


def test_chinese_characters_take_two_columns() -> None:
    """Wide characters count twice, accents that combine not at all."""
    assert width("春海A") == 5
    assert width("e\u0301") == 1


def test_columns_line_up() -> None:
    """Texts stand left and numbers right, whatever the width of the characters."""
    text = table(("name", "people"), [("春海社区", 1200), ("ab", 7), ("c", None)])
    assert text.splitlines() == [
        "name      people",
        "--------  ------",
        "春海社区   1,200",
        "ab             7",
        "c              -",
    ]


def test_wide_tables_are_cut_to_fit() -> None:
    """A table never takes more columns than it is given; ids and numbers keep theirs longest."""
    rows = [("采样点" * 20, "long text " * 9, 12345, "0.125 %")]
    lines = table(("site", "text", "n", "gap"), rows).splitlines()
    assert max(map(width, lines)) <= 80
    assert "12,345" in lines[-1]
    assert "0.125 %" in lines[-1]
    assert "…" in lines[-1]


def test_empty_tables_have_their_headers() -> None:
    """Without rows the headers remain."""
    assert table(("a", "bc"), []) == "a  bc\n-  --"


def test_numbers_that_do_not_fit_are_kept() -> None:
    """Numbers are never cut: a wrong number is worse than a wide line."""
    lines = table(("a", "b"), [(10**15, 10**15)], columns=20).splitlines()
    assert lines[-1].count("1,000,000,000,000,000") == 2


@pytest.mark.parametrize(
    "text", ["本社区的时段内不开放，" * 9, "a word and another " * 9, "x" * 200]
)
def test_lines_are_broken(text: str) -> None:
    """Lines fit where they can be broken, and nothing is lost."""
    wrapped = wrap(text, indent="  ")
    assert wrapped.replace("\n  ", "").replace(" ", "") == text.replace(" ", "")
    if " " in text or width(text) > len(text):
        assert max(map(width, wrapped.splitlines())) <= 80


def test_punctuation_does_not_start_a_line() -> None:
    """A Chinese comma stays with what stands before it."""
    lines = wrap("一" * 39 + "二，三", indent="").splitlines()
    assert lines == ["一" * 39, "二，三"]


def test_cut_keeps_whole_characters() -> None:
    """A text is cut before a wide character that does not fit."""
    assert cut("春海社区", 6) == "春海…"
    assert cut("春海", 4) == "春海"


def test_no_color_is_obeyed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rule: colour is off where NO_COLOR is set and not empty, and on a dumb terminal."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert paint("Error:", "red").startswith("\x1b[")
    monkeypatch.setenv("NO_COLOR", "1")
    assert paint("Error:", "red") == "Error:"
    monkeypatch.setenv("NO_COLOR", "")
    monkeypatch.setenv("TERM", "dumb")
    assert paint("Error:", "red") == "Error:"
