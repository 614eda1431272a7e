"""How much each token bears on what is predicted for each other."""

from rich.console import RenderableType

from bertcli.render.panels import mutual_panel
from bertcli.render.tables import cells
from bertcli.render.tables.strongest import readable
from bertcli.results.masks import FillMaskRecord
from bertcli.results.texts import RunInfo

_ROWS = "how far masking the column's token moves what is predicted for the row's"
_SCALE = "Jensen-Shannon distance in hundredths: 0 (·) not at all, 83 as far as can be"


def mutual_table(record: FillMaskRecord, info: RunInfo) -> RenderableType:
    """The matrix in hundredths, from the first token that is not special to the last."""
    return cells.figure(cells.title(record.text), readable(mutual_panel(record)), cells.caption(info, _ROWS, _SCALE))
