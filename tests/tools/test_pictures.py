"""Tests that README.md has a picture of each table, and that the pictures match the current output."""

import re
from pathlib import Path

import pytest

from tests.pictures import Picture, letters, read_picture
from tests.test_docs import EXAMPLES, PAGES, TOLERANCE, is_number, parts
from tools.pictures.__main__ import FOLDER, Pictured, draw, pictured

PICTURED = [each for page in PAGES.values() for each in pictured(page)]
FIGURES = [each for each in PICTURED if each.name in ("attn-matrix.svg", "fill-mask-mutual.svg")]
TABLES = [each for each in PICTURED if each not in FIGURES]
REMEDY = "run `python -m tools.pictures` to draw the pictures again"


def frame(svg: str) -> str:
    """Return the picture without its text and positions: format, fonts, sizes and colours remain."""
    without_number = re.sub(r"terminal-\d+", "terminal", svg)
    return re.sub(r"(?s)<g transform=\"translate\(9.*", "", without_number)


def numbers_apart(picture: Picture) -> tuple[list[str], list[float]]:
    """Return the words and the numbers of a picture apart, since the last digits of numbers differ between machines."""
    found = [part for line in picture.lines for part in parts(line)]
    return [part for part in found if not is_number(part)], [float(part) for part in found if is_number(part)]


def test_every_table_of_the_readme_has_its_picture() -> None:
    shown = [example for example in EXAMPLES["README.md"] if "────" in example.output]
    tables = [example.command for example in shown if example.command.startswith("bertcli ")]
    assert len(tables) >= 5
    assert [each.command for each in pictured(PAGES["README.md"])] == tables


def test_every_picture_is_linked_once() -> None:
    assert sorted(path.name for path in FOLDER.glob("*.svg")) == sorted(each.name for each in PICTURED), REMEDY


@pytest.mark.parametrize("each", FIGURES, ids=[each.name for each in FIGURES])
def test_a_figure_is_what_the_program_draws(each: Pictured, tmp_path: Path) -> None:
    draw(each.command, tmp_path / "now.svg")
    kept, now = (letters(path.read_bytes()) for path in (FOLDER / each.name, tmp_path / "now.svg"))
    assert "from" in kept or "masked" in kept
    for one, other in zip(kept, now, strict=True):
        # The figures show hundredths, whose last digit may differ between machines.
        is_near = is_number(one) and is_number(other) and abs(float(one) - float(other)) <= 1
        assert one == other or is_near, REMEDY


@pytest.mark.parametrize("each", TABLES, ids=[each.name for each in TABLES])
def test_a_picture_is_what_the_program_draws(each: Pictured, tmp_path: Path) -> None:
    draw(each.command, tmp_path / "now.svg")
    svgs = [path.read_text(encoding="utf-8") for path in (FOLDER / each.name, tmp_path / "now.svg")]
    kept, now = map(read_picture, svgs)
    (kept_words, kept_numbers), (words, numbers) = numbers_apart(kept), numbers_apart(now)
    assert kept_words == words, REMEDY
    assert kept_numbers == pytest.approx(numbers, abs=TOLERANCE), REMEDY
    places = [
        [(piece.line, piece.start, piece.cells, picture.rules[piece.style]) for piece in picture.pieces]
        for picture in (kept, now)
    ]
    assert places[0] == places[1], REMEDY
    assert frame(svgs[0]) == frame(svgs[1]), REMEDY
