"""Table that splits its columns into blocks, one under another, if the terminal is too narrow for all of them."""

from collections.abc import Iterator, Sequence
from copy import copy

from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.table import Column, Table
from rich.text import Text

from bertcli.lazy_dataclass import dataclass

_GAP = 2
_UNLIMITED = 1_000_000


@dataclass(frozen=True, slots=True)
class Blocks:
    """Table in blocks of columns. Columns of numbers (no_wrap) keep their width if one of them fits the terminal.

    Attributes:
        table: Table to draw.
        keys: Number of first columns to repeat in every block.
        narrowest: Width to which a column of text may be folded, unless the column has a min_width.
    """

    table: Table
    keys: int
    narrowest: int = 10

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield each block, with an empty line between blocks."""
        widest = [self._widest(console, options, column) for column in self.table.columns]
        least = [self._least(column, width) for column, width in zip(self.table.columns, widest, strict=True)]
        for number, columns in enumerate(self._blocks(least, options.max_width)):
            if number:
                yield Text()
            widths = _filled([least[each] for each in columns], [widest[each] for each in columns], options.max_width)
            yield self._block(columns, widths)

    def _blocks(self, widths: Sequence[int], width: int) -> Iterator[Sequence[int]]:
        """Yield the column numbers of each block. A block holds the columns that fit the width."""
        keys = list(range(self.keys))
        block = keys
        for column in range(self.keys, len(widths)):
            if len(block) > len(keys) and _total([widths[each] for each in (*block, column)]) > width:
                yield block
                block = keys
            block = [*block, column]
        yield block

    def _block(self, columns: Sequence[int], widths: Sequence[int] | None) -> Table:
        """Return a table of these columns, with these widths. Without them, its numbers are folded too."""
        block = copy(self.table)
        block.columns, block.rows = [], []
        chosen = [self.table.columns[number] for number in columns]
        for number, column in enumerate(chosen):
            no_wrap, width = (False, None) if widths is None else (column.no_wrap, widths[number])
            block.add_column(column.header, justify=column.justify, overflow="fold", no_wrap=no_wrap, width=width)
        for row, cells in zip(self.table.rows, zip(*(column.cells for column in chosen), strict=True), strict=True):
            block.add_row(*cells, style=row.style, end_section=row.end_section)
        return block

    def _widest(self, console: Console, options: ConsoleOptions, column: Column) -> int:
        """Return the width of the widest cell of the column."""
        unlimited = options.update_width(_UNLIMITED)
        shown = (column.header, *column.cells)
        return max(Measurement.get(console, unlimited, each).maximum for each in shown)

    def _least(self, column: Column, widest: int) -> int:
        """Return the least width of the column, of which widest is enough."""
        return widest if column.no_wrap else min(widest, column.min_width or self.narrowest)


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + _GAP * (len(widths) - 1)


def _filled(least: Sequence[int], widest: Sequence[int], width: int) -> Sequence[int] | None:
    """Return the widths of columns that share a width, or None if they do not fit. The narrowest ones grow first."""
    room = width - _total(least)
    if room < 0:
        return None
    widths = list(least)
    for _ in range(min(room, sum(widest) - sum(least))):
        _, column = min((size, column) for column, size in enumerate(widths) if size < widest[column])
        widths[column] += 1
    return widths
