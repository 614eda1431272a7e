"""A square of short cells, under one another in as many blocks of columns as the width asks for: none is cut off."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from heapq import nlargest
from itertools import product

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.text import Text

from bertcli.output.heatmap import Heatmap
from bertcli.output.tables import cells
from bertcli.output.tables.blocks import Blocks
from bertcli.output.tables.cells import ACCENT, QUIET, STRONG, cell, subtitle

# Where the whole width does not suffice, labels of rows take this part of it, and a few cells at the least.
_LABELS_PART, _NARROWEST_LABELS = 5, 4
_NARROWEST_CELL = 4  # two digits with a space on either side
# How strongly a value must be drawn for which style. Reversed, so that the digits have the terminal's own background as
# their colour, whether that is light or dark.
_STYLES = (f"reverse {STRONG} {ACCENT}", f"reverse {ACCENT}", ACCENT, "", QUIET)
_SHADES, _EVEN_SHADES = (0.5, 0.25, 0.1, 0.05, 0.0), (0.8, 0.6, 0.4, 0.2, 0.0)


@dataclass(frozen=True, slots=True)
class Matrix:
    """labels: of the rows, beside their numbers. names: of the columns; their numbers where they do not fit.

    rows, columns: these numbers; None for 0 and on, and for columns that have the numbers of the rows. cell: what
    stands at (row, column), and its style. cell_width: of the widest cell and the spaces around it.
    """

    labels: Sequence[Text]
    names: Sequence[Text]
    cell: Callable[[int, int], tuple[str, str]]
    cell_width: int
    rows: Sequence[int] | None = None
    columns: Sequence[int] | None = None

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Each block, with the labels of its rows and columns."""
        headers = self._headers(options.max_width)
        margin = max(self._margin(options.max_width), options.max_width - _width(headers))
        labels = [self._label_lines(console, row, margin) for row in range(len(self.labels))]
        margin = max((line.cell_len for lines in labels for line in lines), default=0)
        for block in _blocks(headers, options.max_width - margin):
            if block.start:
                yield Text()
            yield from self._block(labels, headers[block.start : block.stop], block, margin)

    def _block(
        self, labels: Sequence[Sequence[Text]], headers: Sequence[Text], columns: range, margin: int
    ) -> Iterator[Text]:
        yield _line(Text(), margin, headers)
        yield Text("─" * (margin + _width(headers)), QUIET)
        for row, (first, *rest) in enumerate(labels):
            cells = (self.cell(row, column) for column in columns)
            widths = (header.cell_len for header in headers)
            yield _line(first, margin, (_right(Text(*cell), width) for cell, width in zip(cells, widths, strict=True)))
            yield from rest

    def _headers(self, width: int) -> Sequence[Text]:
        """The columns' names where all of them fit beside the labels, else their numbers."""
        names = [_right(name, max(self.cell_width, name.cell_len + 1), STRONG) for name in self.names]
        if _width(names) <= width - self._margin(width):
            return names
        columns = self._row_numbers if self.columns is None else self.columns
        cell_width = max(self.cell_width, _digits(columns) + 1)
        return [_right(Text(str(column)), cell_width, STRONG) for column in columns]

    @property
    def _row_numbers(self) -> Sequence[int]:
        return range(len(self.labels)) if self.rows is None else self.rows

    @property
    def _digits(self) -> int:
        return _digits(self._row_numbers)

    def _margin(self, width: int) -> int:
        """What numbers and labels of rows take of a width that does not suffice, each with a space after it."""
        widest = max((label.cell_len for label in self.labels), default=0)
        return self._digits + 1 + min(widest, max(width // _LABELS_PART, _NARROWEST_LABELS)) + 1

    def _label_lines(self, console: Console, row: int, margin: int) -> list[Text]:
        """The row's number and its label, folded or shortened as the label says."""
        label, indent = self.labels[row], self._digits + 1
        lines = label.wrap(console, margin - indent - 1, overflow=label.overflow, no_wrap=label.no_wrap)
        numbers = [f"{self._row_numbers[row]:>{self._digits}} ", *(" " * indent for _ in lines[1:])]
        return [Text.assemble((number, QUIET), line, " ") for number, line in zip(numbers, lines, strict=True)]


def matrix(heatmap: Heatmap) -> RenderableType:
    """The heatmap under its name, with digits where there is no colour."""

    def shaded(row: int, column: int) -> tuple[str, str]:
        shown, strength = heatmap.shown(row, column)
        shades = zip(_EVEN_SHADES if heatmap.is_even else _SHADES, _STYLES, strict=True)
        return shown, next(style for least, style in shades if strength >= least) if shown else ""

    places = product(range(len(heatmap.rows)), range(len(heatmap.columns)))
    widest = max((len(heatmap.shown(row, column)[0]) for row, column in places), default=0)
    drawn = Matrix(
        [cell(name) for name in heatmap.row_names],
        [cell(name) for name in heatmap.column_names],
        shaded,
        cell_width=max(widest + 1, _NARROWEST_CELL),
        rows=heatmap.rows,
        columns=heatmap.columns,
    )
    return Group(subtitle(heatmap.name, heatmap.note), drawn)


def _digits(numbers: Sequence[int]) -> int:
    return len(str(max(numbers, default=0)))


def _blocks(headers: Sequence[Text], width: int) -> Iterator[range]:
    """The columns that fit side by side; at least one."""
    start = used = 0
    for column, header in enumerate(headers):
        if used and used + header.cell_len > width:
            yield range(start, column)
            start, used = column, 0
        used += header.cell_len
    yield range(start, len(headers))


def _line(label: Text, margin: int, cells: Iterable[Text]) -> Text:
    padding = " " * (margin - label.cell_len)
    return Text.assemble(label, padding, *cells, no_wrap=True, overflow="ignore")


def _right(text: Text, width: int, style: str = "") -> Text:
    """The text with a space after it, so that what is drawn reversed stands within its background."""
    before = " " * (width - text.cell_len - 1)
    return Text.assemble(before, text, " ", style=style or text.style)


def _width(cells: Iterable[Text]) -> int:
    return sum(cell.cell_len for cell in cells)


# A matrix of more rows than that is told of by its strongest values.
_WHOLE, _STRONGEST = 40, 20


def readable(heatmap: Heatmap, how: str = "") -> RenderableType:
    """The matrix whole, or what is strongest in it. how: to see it in another way."""
    return matrix(heatmap) if len(heatmap.rows) <= _WHOLE else _strongest(heatmap, how)


def _strongest(heatmap: Heatmap, how: str) -> RenderableType:
    """What stands out in a matrix, and that the rest is left out."""
    drawn = cells.table()
    cells.add_numbers(drawn, "weight" if heatmap.strong > heatmap.faint else "distance")
    axes = (
        (heatmap.row_axis, heatmap.rows, heatmap.row_names),
        (heatmap.column_axis, heatmap.columns, heatmap.column_names),
    )
    for axis, _, _ in axes:
        cells.add_numbers(drawn, "#")
        cells.add_words(drawn, axis)
    found = nlargest(_STRONGEST, _values(heatmap))
    for _, row, column in found:
        places = zip(axes, (-row, -column), strict=True)
        drawn.add_row(
            cells.share(float(heatmap.values[-row][-column])),
            *(each for (_, numbers, names), at in places for each in (_number(numbers[at]), cells.cell(names[at]))),
        )
    size = f"{len(heatmap.rows):,} x {len(heatmap.columns):,}"
    kind = "largest" if heatmap.strong > heatmap.faint else "smallest"
    left_out = Text("; ".join(filter(None, (f"the {len(found)} {kind} of {size}", how))), cells.QUIET)
    return Group(cells.subtitle(heatmap.name, heatmap.note), Blocks(drawn, keys=1), left_out)


def _values(heatmap: Heatmap) -> Iterator[tuple[float, int, int]]:
    """Each value with its place, so that the strongest is the largest, and of equal ones the first in the matrix."""
    sign = 1 if heatmap.strong > heatmap.faint else -1
    for row in range(len(heatmap.rows)):
        for column in range(row + 1 if heatmap.is_symmetric else 0, len(heatmap.columns)):
            yield sign * float(heatmap.values[row][column]), -row, -column


def _number(position: int) -> Text:
    return Text(str(position), cells.QUIET)
