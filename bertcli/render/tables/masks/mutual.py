"""How much each token bears on what is predicted for each other."""

from rich.console import Group, RenderableType

from bertcli.render.tables import cells
from bertcli.render.tables.matrix import Matrix
from bertcli.results.masks import FillMaskRecord
from bertcli.results.texts import RunInfo

# From which distance on a cell is drawn in which style: the largest that there can be is 0.83.
_SHADES = (
    (0.4, f"reverse {cells.STRONG} {cells.ACCENT}"),
    (0.2, f"reverse {cells.ACCENT}"),
    (0.1, cells.ACCENT),
    (0.05, ""),
    (0.0, cells.QUIET),
)
_ROWS = "how far masking the column's token moves what is predicted for the row's"
_SCALE = "Jensen-Shannon distance in hundredths: 0 (·) not at all, 83 as far as can be"


def mutual_table(record: FillMaskRecord, info: RunInfo) -> RenderableType:
    """The matrix in hundredths, from the first token that is not special to the last."""
    assert record.mutual is not None
    distances = [[float(distance) for distance in row] for row in record.mutual]
    own = [at for at, row in enumerate(distances) if row[at] == row[at]]  # special tokens have none
    first, tokens = own[0], record.text.tokens[own[0] : own[-1] + 1]

    def distance(row: int, column: int) -> tuple[str, str]:
        value = distances[first + row][first + column]
        if row == column or value != value:
            return " ", ""
        shown = f"{100 * value:.0f}" if not value < 0.005 else "·"
        return shown, next((style for least, style in _SHADES if value >= least), "")

    labels = [cells.cell(token) for token in tokens]
    heading = cells.subtitle("mutual influence", "of masked tokens, in hundredths")
    matrix = Group(heading, Matrix(labels, labels, distance, cell_width=4, rows=range(first, first + len(labels))))
    return cells.figure(cells.title(record.text), matrix, cells.caption(info, _ROWS, _SCALE))
