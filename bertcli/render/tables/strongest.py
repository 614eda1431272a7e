"""What is told of a matrix that is too large to be read."""

from collections.abc import Iterator
from heapq import nlargest

from rich.console import Group, RenderableType
from rich.text import Text

from bertcli.render.panel import Panel
from bertcli.render.tables import cells
from bertcli.render.tables.blocks import Blocks
from bertcli.render.tables.matrix import matrix

# A matrix of more rows than that is told of by its strongest values.
_WHOLE, _STRONGEST = 40, 20


def readable(panel: Panel, how: str = "") -> RenderableType:
    """The matrix whole, or what is strongest in it. how: to see it in another way."""
    return matrix(panel) if len(panel.rows) <= _WHOLE else _strongest(panel, how)


def _strongest(panel: Panel, how: str) -> RenderableType:
    """What stands out in a matrix, and that the rest is left out."""
    drawn = cells.table()
    cells.add_numbers(drawn, "weight" if panel.strong > panel.faint else "distance")
    axes = (panel.row_axis, panel.rows, panel.row_names), (panel.column_axis, panel.columns, panel.column_names)
    for axis, _, _ in axes:
        cells.add_numbers(drawn, "#")
        cells.add_words(drawn, axis)
    found = nlargest(_STRONGEST, _values(panel))
    for _, row, column in found:
        places = zip(axes, (-row, -column), strict=True)
        drawn.add_row(
            cells.share(float(panel.values[-row][-column])),
            *(each for (_, numbers, names), at in places for each in (_number(numbers[at]), cells.cell(names[at]))),
        )
    size = f"{len(panel.rows):,} x {len(panel.columns):,}"
    kind = "largest" if panel.strong > panel.faint else "smallest"
    left_out = Text("; ".join(filter(None, (f"the {len(found)} {kind} of {size}", how))), cells.QUIET)
    return Group(cells.subtitle(panel.name, panel.note), Blocks(drawn, keys=1), left_out)


def _values(panel: Panel) -> Iterator[tuple[float, int, int]]:
    """Each value with its place, so that the strongest is the largest, and of equal ones the first in the matrix."""
    sign = 1 if panel.strong > panel.faint else -1
    for row in range(len(panel.rows)):
        for column in range(row + 1 if panel.is_symmetric else 0, len(panel.columns)):
            yield sign * float(panel.values[row][column]), -row, -column


def _number(position: int) -> Text:
    return Text(str(position), cells.QUIET)
