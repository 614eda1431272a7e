"""SVG pictures of tables, read back into what they show."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree import ElementTree

from rich.cells import cell_len

SVG = "{http://www.w3.org/2000/svg}"
LETTER_WIDTH, LINE_HEIGHT = 12, 24.4


@dataclass(frozen=True)
class Piece:
    """A text of one style.

    Attributes:
        line: Number of its line, from 0.
        start: Cell in which it begins.
        cells: Width in which it is drawn, in cells.
        text: The text, with ordinary spaces.
        style: Name of its style in the rules of the picture.
    """

    line: int
    start: float
    cells: float
    text: str
    style: str


@dataclass(frozen=True)
class Picture:
    """A picture of a terminal window.

    Attributes:
        title: The title of the window.
        width: Width of the window, in cells.
        pieces: The texts, in their order.
        rules: CSS of each style, by its name without the number of the picture.
    """

    title: str
    width: float
    pieces: list[Piece]
    rules: dict[str, str]

    @property
    def lines(self) -> list[str]:
        """Lines of the screen, without spaces at their ends."""
        found: list[str] = []
        for piece in self.pieces:
            found += [""] * (1 + piece.line - len(found))
            gap = round(piece.start) - cell_len(found[piece.line])
            found[piece.line] += " " * gap + piece.text
        return [line.rstrip() for line in found]


def read_picture(svg: str) -> Picture:
    """Parse a picture.

    Raises:
        ParseError: It is not XML.
    """
    root = ElementTree.fromstring(svg)
    title = root.find(f"{SVG}title")
    style = root.find(f"{SVG}style")
    assert title is not None and title.text and style is not None and style.text
    width = (float(root.attrib["width"]) - 18) / LETTER_WIDTH  # 2 of margin, 16 of padding
    rules = dict(re.findall(r"^\.terminal-\d+-(r\d+) \{ (.*) \}$", style.text, re.MULTILINE))
    return Picture(title.text, width, list(_pieces(root)), rules)


def _pieces(root: ElementTree.Element) -> Iterator[Piece]:
    for text in root.iterfind(f"{SVG}g/{SVG}g/{SVG}text"):
        yield Piece(
            line=round((float(text.attrib["y"]) - 20) / LINE_HEIGHT),
            start=float(text.attrib["x"]) / LETTER_WIDTH,
            cells=float(text.attrib["textLength"]) / LETTER_WIDTH,
            text=(text.text or "").replace("\xa0", " "),
            style=text.attrib["class"].rpartition("-")[2],
        )


def letters(svg: bytes) -> list[str]:
    """Return the texts of a picture, in their order."""
    return ["".join(text.itertext()) for text in ElementTree.fromstring(svg).iter(f"{SVG}text")]
