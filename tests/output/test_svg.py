"""SVG pictures of tables: the same letters at the same places as in a terminal, and no reference to the network."""

import re
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.cells import cell_len

from bertcli.output.schema import Schema
from bertcli.output.svg import SvgWriter
from bertcli.results.texts import TextInfo
from tests.output import samples
from tests.output.drawing import draw
from tests.output.tables.test_golden import CASES
from tests.output.tables.test_invariants import TABLES, TOKENS
from tests.pictures import read_picture


def drawn_svg(schema: Schema[Any], *records: Any, width: int = 80, color: str = "auto") -> str:
    """Return the picture of the records."""
    stream = StringIO()
    writer = SvgWriter(stream, schema, "bertcli & <co>", color, width)
    for record in records:
        writer.write(record)
    writer.finish()
    return stream.getvalue()


def stripped(drawn: str) -> list[str]:
    """Return the lines of a table without the spaces at their ends, which XML and terminals count differently."""
    return [line.rstrip() for line in drawn.rstrip().split("\n")]


@pytest.mark.parametrize("width", [40, 80, 200])
@pytest.mark.parametrize("name", CASES)
def test_a_picture_shows_what_the_terminal_shows(name: str, width: int) -> None:
    schema, records = CASES[name]()
    assert read_picture(drawn_svg(schema, *records, width=width)).lines == stripped(draw(schema, *records, width=width))


@pytest.mark.parametrize("name", CASES)
def test_every_piece_is_on_its_cells_and_inside_the_window(name: str) -> None:
    schema, records = CASES[name]()
    picture = read_picture(drawn_svg(schema, *records))
    for piece in picture.pieces:
        assert piece.text.strip()
        assert piece.cells == cell_len(piece.text), piece
        assert piece.start + cell_len(piece.text.rstrip()) <= picture.width
    widest = max(cell_len(line) for line in picture.lines)
    assert picture.width == max(widest, cell_len(picture.title) + 16)


@example(["\ufffe", "\uffff", "a\ufffeb"], TABLES[0])
@given(TOKENS, st.sampled_from(TABLES))
def test_any_token_makes_a_picture_that_can_be_read(
    tokens: list[str], table: Callable[[TextInfo], tuple[Schema[Any], Any]]
) -> None:
    schema, record = table(samples.text_info(tokens))
    expected = draw(schema, record, width=80).translate({0xFFFE: "\ufffd", 0xFFFF: "\ufffd"})
    picture = read_picture(drawn_svg(schema, record))
    bare = [re.sub(r"\s", "", "".join(lines)) for lines in (picture.lines, stripped(expected))]
    assert bare[0] == bare[1]


@pytest.mark.parametrize("name", CASES)
def test_a_picture_loads_nothing_from_the_network(name: str) -> None:
    schema, records = CASES[name]()
    svg = drawn_svg(schema, *records)
    assert re.findall(r"\w+://[^\s\"]*", svg) == ["http://www.w3.org/2000/svg"]
    assert set(re.findall(r"url\((.)", svg)) == {"#"}
    assert not re.search(r"@import|@font-face|<script|<image|<foreignObject|href", svg)


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours as WCAG 2 defines it."""

    def luminance(color: str) -> float:
        parts = [int(color[place : place + 2], 16) / 255 for place in (0, 2, 4)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    dark, bright = sorted((luminance(one), luminance(other)))
    return (bright + 0.05) / (dark + 0.05)


def test_every_colour_has_enough_contrast_with_the_background() -> None:
    seen: set[str] = set()
    for name in CASES:
        schema, records = CASES[name]()
        svg = drawn_svg(schema, *records)
        (background,) = re.findall(r'<rect fill="#(\w{6})" stroke', svg)
        fills = {rule[7:13] for rule in read_picture(svg).rules.values()} - {background}
        seen |= fills
        assert all(contrast(fill, background) > 3.5 for fill in fills)
    assert len(seen) >= 4


def test_without_colour_a_picture_has_shades_of_grey(monkeypatch: pytest.MonkeyPatch) -> None:
    schema, records = CASES["fill-mask-strange"]()
    monkeypatch.setenv("NO_COLOR", "1")

    def is_grey(color: str) -> bool:
        parts = [int(color[place : place + 2], 16) for place in (0, 2, 4)]
        return max(parts) - min(parts) < 16

    def fills(color: str) -> set[str]:
        return {rule[7:13] for rule in read_picture(drawn_svg(schema, *records, color=color)).rules.values()}

    assert not all(map(is_grey, fills("always")))
    assert all(map(is_grey, fills("never")))
    assert len(fills("never")) > 1


def test_a_run_without_records_makes_an_empty_picture() -> None:
    schema, _ = CASES["fill-mask"]()
    picture = read_picture(drawn_svg(schema))
    assert (picture.pieces, picture.title) == ([], "bertcli & <co>")
