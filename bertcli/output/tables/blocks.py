"""A table whose columns stand under one another in blocks, where a narrow terminal has no room for all in a row."""

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
    """keys: how many of the first columns every block begins with. narrowest: to what a column of text may be folded.

    Columns of numbers (no_wrap) keep their width, unless the terminal is too narrow for a single one of them.
    """

    table: Table
    keys: int
    narrowest: int = 10

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Each block, an empty line between any two."""
        widths = [self._width(console, options, column) for column in self.table.columns]
        for number, columns in enumerate(self._blocks(widths, options.max_width)):
            if number:
                yield Text()
            yield self._part(columns, fits=_total(widths, columns) <= options.max_width)

    def _blocks(self, widths: Sequence[int], width: int) -> Iterator[Sequence[int]]:
        keys = list(range(self.keys))
        block = keys
        for column in range(self.keys, len(widths)):
            if len(block) > len(keys) and _total(widths, [*block, column]) > width:
                yield block
                block = keys
            block = [*block, column]
        yield block

    def _part(self, columns: Sequence[int], *, fits: bool) -> Table:
        part = copy(self.table)
        part.columns, part.rows = [], []
        chosen = [self.table.columns[column] for column in columns]
        for column in chosen:
            no_wrap = column.no_wrap and fits
            part.add_column(column.header, justify=column.justify, overflow="fold", no_wrap=no_wrap)
        for row, cells in zip(self.table.rows, zip(*(column.cells for column in chosen), strict=True), strict=True):
            part.add_row(*cells, style=row.style, end_section=row.end_section)
        return part

    def _width(self, console: Console, options: ConsoleOptions, column: Column) -> int:
        """What the column needs at the least."""
        unlimited = options.update_width(_UNLIMITED)
        shown = (column.header, *column.cells)
        widest = max(Measurement.get(console, unlimited, each).maximum for each in shown)
        return widest if column.no_wrap else min(widest, self.narrowest)


def _total(widths: Sequence[int], columns: Sequence[int]) -> int:
    return sum(widths[column] for column in columns) + _GAP * (len(columns) - 1)
