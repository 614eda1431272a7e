"""The histogram of shapes --lengths on terminals that are narrow, or have no blocks."""

from io import StringIO

import pytest
from rich.console import Console

from bertcli.output.tables.lengths import Histogram, can_show_blocks
from bertcli.results.lengths import LengthBin

_BINS = [LengthBin(3, 3, 1_000), LengthBin(4, 4, 1), LengthBin(5, 5, 0), LengthBin(6, 1_200, 500)]


def drawn(width: int, *, is_terminal: bool) -> list[str]:
    stream = StringIO()
    Console(file=stream, width=width, force_terminal=is_terminal, color_system=None).print(Histogram(_BINS))
    return [line.rstrip() for line in stream.getvalue().splitlines()]


def test_every_bin_with_texts_has_a_bar() -> None:
    assert drawn(30, is_terminal=False) == [
        " tokens  texts",
        "      3  1,000  ██████████████",
        "      4      1  ▏",
        "      5      0",
        "6-1,200    500  ███████",
    ]
    assert drawn(16, is_terminal=False)[1] == "      3  1,000"


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, True),
        ({"LANG": "en_US.UTF-8"}, True),
        ({"LC_ALL": "C"}, False),
        ({"LC_ALL": "", "LC_CTYPE": "de_DE.ISO-8859-1", "LANG": "C.UTF-8"}, False),
        ({"LANG": "C", "LC_ALL": "C.utf8"}, True),
    ],
)
def test_bars_are_ascii_on_a_terminal_whose_locale_is_not_utf8(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], expected: bool
) -> None:
    for name in ("LC_ALL", "LC_CTYPE", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert can_show_blocks() == expected
    in_ascii = ["      4      1  #", "      5      0", "6-1,200    500  #######"]
    in_blocks = drawn(30, is_terminal=False)[2:]
    assert drawn(30, is_terminal=True)[2:] == (in_blocks if expected else in_ascii)
    assert in_blocks[-1].endswith("\u2588")
