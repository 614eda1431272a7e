"""Matrices of attention: a head's weights, rollout, value norms, distances between heads."""

from rich.console import RenderableType
from rich.text import Text

from bertcli.output.heatmap import Heatmap
from bertcli.output.heatmaps import head_heatmap, map_heatmaps
from bertcli.output.schemas.attn import AttentionDisplay
from bertcli.output.tables import cells
from bertcli.output.tables.matrix import matrix, readable
from bertcli.results.attention import AttnRecord, Expansion
from bertcli.results.texts import RunInfo

COUNTED_FROM_0 = "layers and heads count from 0"
COUNTED = f"{COUNTED_FROM_0}, as in attentions[layer][:, head]"
_ROWS = "a row: where its token looks (from query to key); ·: under 0.005"
DISTANCE = "head distance: 0 (·) for heads that look alike, 83 at the most"
_PART = "a part as a matrix: --rows 0-20 --cols 0-20"


def matrix_table(record: AttnRecord, layer: int, head: int, info: RunInfo, look: AttentionDisplay) -> RenderableType:
    """The weights of one head, from the token of the row to the token of the column."""
    drawn = _drawn(head_heatmap(record, layer, head, look), look)
    return cells.figure(cells.title(record.text), drawn, cells.caption(info, COUNTED_FROM_0, _ROWS))


def maps_table(record: AttnRecord, info: RunInfo, look: AttentionDisplay) -> RenderableType:
    """Each matrix that was asked for."""
    parts: list[RenderableType] = [_drawn(heatmap, look) for heatmap in map_heatmaps(record, look)]
    if not record.heads:
        parts.append(Text("no head of this label", cells.QUIET))
    notes = []
    if record.rollout is not None:
        notes.append("rollout: how much of the column's token reaches the row's through all layers")
    if record.value_norms is not None:
        notes.append("value norms: each weight times the norm of what it weighs")
    if record.head_distance is not None:
        notes.append(DISTANCE)
    return cells.figure(cells.title(record.text), *parts, cells.caption(info, COUNTED_FROM_0, *notes))


def expansion_table(result: Expansion, info: RunInfo) -> RenderableType:
    """A row for each layer."""
    drawn = cells.table()
    cells.add_numbers(drawn, "layer", "expansion")
    for layer, rate in zip(result.layers, result.rates, strict=True):
        drawn.add_row(Text(str(layer)), cells.number(rate))
    note = "expansion: how much longer f(x) is than x, by the weights alone"
    return cells.figure(Text("expansion rate", cells.STRONG), drawn, cells.caption(info, COUNTED_FROM_0, note))


def _drawn(heatmap: Heatmap, look: AttentionDisplay) -> RenderableType:
    is_part = look.rows is not None or look.columns is not None
    return matrix(heatmap) if is_part else readable(heatmap, "" if heatmap.is_symmetric else _PART)
