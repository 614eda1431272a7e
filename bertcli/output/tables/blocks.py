"""Table that splits its columns into blocks, one under another, if the terminal is too narrow for all of them."""

from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.table import Column, Table
from rich.text import Text

_GAP = 2
_UNLIMITED = 1_000_000


@dataclass(frozen=True, slots=True)
class Blocks:
    """Table in blocks of columns. Columns of numbers (no_wrap) keep their width if one of them fits the terminal.

    Attributes:
        table: Table to draw.
        keys: Number of first columns to repeat in every block.
        narrowest: Width to which a column of text may be folded.
    """

    table: Table
    keys: int
    narrowest: int = 10

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield each block, with an empty line between blocks."""
        widths = [self._width(console, options, column) for column in self.table.columns]
        for number, columns in enumerate(self._blocks(widths, options.max_width)):
            if number:
                yield Text()
            yield self._block(columns, fits=_total(widths, columns) <= options.max_width)

    def _blocks(self, widths: Sequence[int], width: int) -> Iterator[Sequence[int]]:
        """Yield the column numbers of each block. A block holds the columns that fit the width."""
        keys = list(range(self.keys))
        block = keys
        for column in range(self.keys, len(widths)):
            if len(block) > len(keys) and _total(widths, [*block, column]) > width:
                yield block
                block = keys
            block = [*block, column]
        yield block

    def _block(self, columns: Sequence[int], *, fits: bool) -> Table:
        """Return a table of these columns. Its numbers are folded unless the block fits."""
        block = copy(self.table)
        block.columns, block.rows = [], []
        chosen = [self.table.columns[column] for column in columns]
        for column in chosen:
            no_wrap = column.no_wrap and fits
            block.add_column(column.header, justify=column.justify, overflow="fold", no_wrap=no_wrap)
        for row, cells in zip(self.table.rows, zip(*(column.cells for column in chosen), strict=True), strict=True):
            block.add_row(*cells, style=row.style, end_section=row.end_section)
        return block

    def _width(self, console: Console, options: ConsoleOptions, column: Column) -> int:
        """Return the least width that the column needs."""
        unlimited = options.update_width(_UNLIMITED)
        shown = (column.header, *column.cells)
        widest = max(Measurement.get(console, unlimited, each).maximum for each in shown)
        return widest if column.no_wrap else min(widest, self.narrowest)


def _total(widths: Sequence[int], columns: Sequence[int]) -> int:
    return sum(widths[column] for column in columns) + _GAP * (len(columns) - 1)
