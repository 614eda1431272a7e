"""Titles of records."""

from dataclasses import replace

from bertcli.output.tables.cells import title
from bertcli.results.texts import TextInfo, TokenSpan, WindowPlace

TEXT = TextInfo(0, None, "how are you", None, (), (), (), truncated=False)


def test_a_title_says_that_a_text_was_read_in_windows() -> None:
    windows = [TokenSpan(0, 2), TokenSpan(1, 3)]
    assert title(TEXT).plain == "how are you"
    assert title(replace(TEXT, windows=windows)).plain == "how are you  (2 windows)"
    assert title(replace(TEXT, windows=windows[1:], window=WindowPlace(1, 4, 11))).plain == "how are you  (window 1)"
