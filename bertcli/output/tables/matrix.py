"""Matrix of short cells in as many blocks of columns as the width needs, and the largest values of a long one."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from heapq import nlargest
from itertools import product

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.text import Text

from bertcli.lazy_dataclass import dataclass
from bertcli.output.display import Heatmap
from bertcli.output.tables import cells
from bertcli.output.tables.blocks import Blocks
from bertcli.output.tables.cells import ACCENT, OPPOSITE, QUIET, STRONG

# A matrix with more rows is shown by its strongest values.
_MOST_ROWS, _STRONGEST = 40, 20
# If the width is too small, row labels get this fraction of it, and at least a few cells.
_LABEL_FRACTION, _NARROWEST_LABEL = 5, 4
_NARROWEST_CELL = 4  # two digits with a space on either side
# Styles from strong to faint, and the least strength for each. The strong ones are reversed, so that the digits take
# the background of the terminal as their colour, be it light or dark.
_STYLES = (f"reverse {STRONG} {ACCENT}", f"reverse {ACCENT}", ACCENT, "", QUIET)
_SHADES, _EVEN_SHADES = (0.5, 0.25, 0.1, 0.05, 0.0), (0.8, 0.6, 0.4, 0.2, 0.0)


def matrix_or_strongest(heatmap: Heatmap, hint: str = "") -> RenderableType:
    """Draw the whole matrix, or the strongest values of one that is too long to read.

    Args:
        heatmap: Matrix to draw.
        hint: Advice on how to see the rest of a long matrix.
    """
    return whole_matrix(heatmap) if len(heatmap.rows) <= _MOST_ROWS else _strongest(heatmap, hint)


def whole_matrix(heatmap: Heatmap) -> RenderableType:
    """Draw the matrix under its name, its cells shaded by their strength."""
    places = product(range(len(heatmap.rows)), range(len(heatmap.columns)))
    widest = max((len(heatmap.cell(row, column)[0]) for row, column in places), default=0)
    drawn = Matrix(
        [cells.token(name) for name in heatmap.row_names],
        [cells.token(name) for name in heatmap.column_names],
        lambda row, column: _shaded(heatmap, row, column),
        cell_width=max(widest + 1, _NARROWEST_CELL),
        rows=heatmap.rows,
        columns=heatmap.columns,
    )
    note = f"{heatmap.note}, in {heatmap.unit}" if heatmap.unit else heatmap.note
    return Group(cells.subtitle(heatmap.name, note), drawn)


@dataclass(frozen=True, slots=True)
class Matrix:
    """Square or rectangle of short cells with labels.

    Attributes:
        labels: Labels of the rows, drawn after the row numbers.
        names: Names of the columns. If they do not fit, the column numbers are drawn instead.
        cell: Return the text and the style of the cell at (row, column).
        cell_width: Width of the widest cell with the space around it.
        rows: Row numbers, or None for 0, 1, 2 ...
        columns: Column numbers, or None for the numbers of the rows.
    """

    labels: Sequence[Text]
    names: Sequence[Text]
    cell: Callable[[int, int], tuple[str, str]]
    cell_width: int
    rows: Sequence[int] | None = None
    columns: Sequence[int] | None = None

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the lines of each block of columns, with the labels of its rows and columns."""
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
            texts = (Text(*self.cell(row, column)) for column in columns)
            widths = (header.cell_len for header in headers)
            yield _line(first, margin, (_right(text, width) for text, width in zip(texts, widths, strict=True)))
            yield from rest

    def _headers(self, width: int) -> Sequence[Text]:
        """Return the names of the columns if all of them fit beside the labels, else their numbers."""
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
        """Return the least width of row numbers and labels, each with a space after it."""
        widest = max((label.cell_len for label in self.labels), default=0)
        return self._digits + 1 + min(widest, max(width // _LABEL_FRACTION, _NARROWEST_LABEL)) + 1

    def _label_lines(self, console: Console, row: int, margin: int) -> list[Text]:
        """Return the lines of a row's number and label, which is folded or shortened as its overflow says."""
        label, indent = self.labels[row], self._digits + 1
        lines = label.wrap(console, margin - indent - 1, overflow=label.overflow, no_wrap=label.no_wrap)
        numbers = [f"{self._row_numbers[row]:>{self._digits}} ", *(" " * indent for _ in lines[1:])]
        return [Text.assemble((number, QUIET), line, " ") for number, line in zip(numbers, lines, strict=True)]


def _shaded(heatmap: Heatmap, row: int, column: int) -> tuple[str, str]:
    """Return the text of a cell and the style of its strength."""
    shown, strength = heatmap.cell(row, column)
    return shown, shade(strength, is_even=heatmap.is_even) if shown else ""


def shade(strength: float, *, is_even: bool = False) -> str:
    """Return the style of a value between -1 and 1 by its size. Negative values have another colour."""
    style = _style(abs(strength), _EVEN_SHADES if is_even else _SHADES)
    return style if strength >= 0 else style.replace(ACCENT, OPPOSITE)


def even_style(strength: float) -> str:
    """Return the style of a cell, from its strength from 0 to 1, if cells spread over the whole range."""
    return _style(strength, _EVEN_SHADES)


def _style(strength: float, shades: Sequence[float]) -> str:
    return next(style for least, style in zip(shades, _STYLES, strict=True) if strength >= least)


def _digits(numbers: Sequence[int]) -> int:
    return len(str(max(numbers, default=0)))


def _blocks(headers: Sequence[Text], width: int) -> Iterator[range]:
    """Yield ranges of columns that fit side by side, at least one column each."""
    start = used = 0
    for column, header in enumerate(headers):
        if used and used + header.cell_len > width:
            yield range(start, column)
            start, used = column, 0
        used += header.cell_len
    yield range(start, len(headers))


def _line(label: Text, margin: int, texts: Iterable[Text]) -> Text:
    padding = " " * (margin - label.cell_len)
    return Text.assemble(label, padding, *texts, no_wrap=True, overflow="ignore")


def _right(text: Text, width: int, style: str = "") -> Text:
    """Return the text aligned to the right, with a space after it so that a reversed cell has a margin."""
    before = " " * (width - text.cell_len - 1)
    return Text.assemble(before, text, " ", style=style or text.style)


def _width(texts: Iterable[Text]) -> int:
    return sum(text.cell_len for text in texts)


def _strongest(heatmap: Heatmap, hint: str) -> RenderableType:
    """Draw a table of the strongest values, and a note that the others are left out."""
    axes = (
        (heatmap.row_axis, heatmap.rows, heatmap.row_names),
        (heatmap.column_axis, heatmap.columns, heatmap.column_names),
    )
    drawn = cells.table()
    cells.add_numbers(drawn, heatmap.quantity)
    for axis, _, _ in axes:
        cells.add_numbers(drawn, "#")
        cells.add_words(drawn, axis)
    found = nlargest(_STRONGEST, _values(heatmap))
    for _, row, column in found:
        named = [
            shown
            for (_, numbers, names), at in zip(axes, (-row, -column), strict=True)
            for shown in (Text(str(numbers[at]), QUIET), cells.cell(names[at]))
        ]
        drawn.add_row(cells.share(float(heatmap.values[-row][-column])), *named)
    size = f"{len(heatmap.rows):,} x {len(heatmap.columns):,}"
    summary = f"{len(found)} {'largest' if heatmap.strong > heatmap.faint else 'smallest'} of {size} values"
    left_out = Text("; ".join(filter(None, (summary, hint))), QUIET)
    return Group(cells.subtitle(heatmap.name, heatmap.note), Blocks(drawn, keys=1), left_out)


def _values(heatmap: Heatmap) -> Iterator[tuple[float, int, int]]:
    """Yield (strength, -row, -column) of each value; among equal values the first in the matrix is the largest."""
    sign = 1 if heatmap.strong > heatmap.faint else -1
    for row in range(len(heatmap.rows)):
        for column in range(row + 1 if heatmap.is_symmetric else 0, len(heatmap.columns)):
            yield sign * float(heatmap.values[row][column]), -row, -column
