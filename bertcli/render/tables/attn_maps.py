"""Matrices of attention: a head's weights, rollout, value norms, distances between heads, a grid of heads."""

from collections.abc import Callable, Iterator, Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from bertcli.render.tables import cells
from bertcli.render.tables.blocks import Blocks
from bertcli.render.tables.matrix import Matrix
from bertcli.render.views.attn import AttnLook
from bertcli.results.arrays import FloatArray
from bertcli.results.attention import AttnRecord, Expansion, HeadStatistics
from bertcli.results.texts import RunInfo

COUNTED_FROM_0 = "layers and heads count from 0"
COUNTED = f"{COUNTED_FROM_0}, as in attentions[layer][:, head]"
_ROWS = "a row: where its token looks (from query to key); ·: under 0.005"
# A matrix of more tokens than that is told of by its strongest weights, unless a part of it is asked for.
_WHOLE, _STRONGEST = 40, 20
# From which part of the largest on a cell is drawn in which style. Reversed, so that the digits have the terminal's own
# background as their colour, whether that is light or dark.
_SHADES = (
    (0.5, f"reverse {cells.STRONG} {cells.ACCENT}"),
    (0.25, f"reverse {cells.ACCENT}"),
    (0.1, cells.ACCENT),
    (0.05, ""),
    (0.0, cells.QUIET),
)


def matrix_table(record: AttnRecord, layer: int, head: int, info: RunInfo, look: AttnLook) -> RenderableType:
    """The weights of one head, from the token of the row to the token of the column."""
    heading = f"layer {layer}, head {head}", f"attentions[{layer}][:, {head}] in hundredths"
    matrix = _map(record, record.attention, heading, look, _hundredths)
    return cells.figure(cells.title(record.text), matrix, cells.caption(info, COUNTED_FROM_0, _ROWS))


def maps_table(record: AttnRecord, info: RunInfo, look: AttnLook) -> RenderableType:
    """Each matrix that was asked for."""
    parts: list[RenderableType] = []
    notes: list[str] = []
    if record.rollout is not None:
        parts.append(_map(record, record.rollout, ("rollout", "through all layers, in hundredths"), look, _hundredths))
        notes.append("rollout: how much of the column's token reaches the row's through all layers")
    if record.value_norms is not None:
        head = record.heads[0]
        heading = f"value norms, layer {head.layer}, head {head.head}", "||a f(x)||"
        parts.append(_map(record, record.value_norms[0], heading, look, _two_digits))
        notes.append("value norms: each weight times the norm of what it weighs")
    if record.head_distance is not None:
        parts.append(distance_matrix(record.heads, record.head_distance))
    return cells.figure(cells.title(record.text), *parts, cells.caption(info, COUNTED_FROM_0, *notes))


def distance_matrix(heads: Sequence[HeadStatistics], distance: FloatArray) -> RenderableType:
    """The distance between each two heads, called layer.head."""
    names = [Text(f"{head.layer}.{head.head}") for head in heads]
    heading = cells.subtitle("head distance", "Jensen-Shannon, in hundredths; heads as layer.head")

    def cell(row: int, column: int) -> tuple[str, str]:
        value = float(distance[row][column])
        return (_hundredths(value), _shade(1 - value)) if row != column else ("", "")

    return Group(heading, Matrix(names, names, cell, cell_width=4))


def grid(heads: Sequence[HeadStatistics], name: str) -> RenderableType:
    """A row for each layer, a column for each head, shaded between the smallest and the largest value."""
    found = {(head.layer, head.head): float(getattr(head, name)) for head in heads}
    layers, numbers = sorted({layer for layer, _ in found}), sorted({head for _, head in found if head is not None})
    columns: list[int | None] = [*numbers] or [None]
    least, most = min(found.values()), max(found.values())

    def cell(row: int, column: int) -> tuple[str, str]:
        value = found.get((layers[row], columns[column]))
        if value is None:
            return "", ""
        return f"{value:.2f}", _shade((value - least) / (most - least) if most > least else 0)

    names = [Text("all" if head is None else str(head)) for head in columns]
    heading = cells.subtitle(name, f"layers down, heads across; from {least:.3f} to {most:.3f}")
    drawn = Matrix([Text() for _ in layers], names, cell, cell_width=5, rows=layers, columns=numbers)
    return Group(heading, drawn)


def expansion_table(result: Expansion, info: RunInfo) -> RenderableType:
    """A row for each layer."""
    drawn = cells.table()
    cells.add_numbers(drawn, "layer", "expansion")
    for layer, rate in zip(result.layers, result.rates, strict=True):
        drawn.add_row(Text(str(layer)), cells.number(rate))
    note = "expansion: how much longer f(x) is than x, by the weights alone"
    return cells.figure(Text("expansion rate", cells.STRONG), drawn, cells.caption(info, COUNTED_FROM_0, note))


def _map(
    record: AttnRecord, matrix: FloatArray, heading: tuple[str, str], look: AttnLook, digits: Callable[[float], str]
) -> RenderableType:
    """A square over tokens or words, or the part of it that was asked for, or what is strongest in it."""
    names = record.text.tokens if record.words is None else record.words
    if len(names) > _WHOLE and look.rows is None and look.columns is None:
        return Group(cells.subtitle(*heading), *_strongest(names, matrix))
    rows, columns = (_part(asked, len(names)) for asked in (look.rows, look.columns))
    largest = max(float(matrix.max()), 1e-30)

    def cell(row: int, column: int) -> tuple[str, str]:
        value = float(matrix[rows[row]][columns[column]])
        return digits(value), _shade(value / largest if digits is not _hundredths else value)

    drawn = Matrix(
        [cells.cell(names[row]) for row in rows],
        [cells.cell(names[column]) for column in columns],
        cell,
        cell_width=4,
        rows=rows,
        columns=columns,
    )
    return Group(cells.subtitle(*heading), drawn)


def _strongest(names: Sequence[str], matrix: FloatArray) -> Iterator[RenderableType]:
    """The largest of the matrix, and what is left out beside them."""
    size = len(names)
    flat = matrix.reshape(-1)
    order = (-flat).argsort(kind="stable")[:_STRONGEST]
    drawn = cells.table()
    cells.add_numbers(drawn, "weight", "#")
    cells.add_words(drawn, "from")
    cells.add_numbers(drawn, "#")
    cells.add_words(drawn, "to")
    for place in order:
        query, key = divmod(int(place), size)
        weight = float(flat[place])
        drawn.add_row(
            cells.share(weight),
            Text(str(query), cells.QUIET),
            cells.cell(names[query]),
            Text(str(key), cells.QUIET),
            cells.cell(names[key]),
        )
    yield Blocks(drawn, keys=1)
    left_out = f"the {len(order)} largest of {size:,} x {size:,}; a part as a matrix: --rows 0-20 --cols 0-20"
    yield Text(left_out, cells.QUIET)


def _part(asked: range | None, size: int) -> range:
    """Which positions of so many are meant."""
    return range(size) if asked is None else range(min(asked.start, size), min(asked.stop, size))


def _shade(part: float) -> str:
    return next((style for least, style in _SHADES if part >= least), "")


def _hundredths(weight: float) -> str:
    return f"{100 * weight:.0f}" if not weight < 0.005 else "·"


def _two_digits(value: float) -> str:
    return f"{value:.1f}" if not value < 0.05 else "·"
