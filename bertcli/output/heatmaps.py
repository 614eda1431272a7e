"""Which matrices each command has to draw."""

from collections.abc import Callable, Sequence
from math import nan

from bertcli.output.heatmap import Heatmap
from bertcli.output.schemas.attn import AttentionDisplay
from bertcli.results.attention import AttnRecord, HeadStatistics
from bertcli.results.masks import FillMaskRecord
from bertcli.results.texts import FloatArray

# The largest Jensen-Shannon distance that there can be: the square root of ln 2 nats.
_FARTHEST = 0.8326


def head_heatmap(record: AttnRecord, layer: int, head: int | None, look: AttentionDisplay) -> Heatmap:
    """The weights of one head, from the token of the row to the token of the column."""
    name, note = f"layer {layer}, head {head}", f"attentions[{layer}][:, {head}] in hundredths"
    return _of_tokens(record, name, note, record.attention, look)


def map_heatmaps(record: AttnRecord, look: AttentionDisplay) -> list[Heatmap]:
    """Each matrix that was asked for."""
    heatmaps = []
    if record.attention is not None:
        heatmaps.append(head_heatmap(record, record.heads[0].layer, record.heads[0].head, look))
    if record.rollout is not None:
        heatmaps.append(_of_tokens(record, "rollout", "through all layers, in hundredths", record.rollout, look))
    if record.value_norms is not None and record.heads:
        head, norms = record.heads[0], record.value_norms[0]
        name = f"value norms, layer {head.layer}, head {head.head}"
        heatmaps.append(_of_tokens(record, name, "||a f(x)||", norms, look, _two_digits, float(norms.max())))
    if record.head_distance is not None and record.heads:
        heatmaps.append(distance_heatmap(record.heads, record.head_distance))
    return heatmaps


def distance_heatmap(heads: Sequence[HeadStatistics], distance: FloatArray) -> Heatmap:
    """The distance between each two heads, called layer.head: the nearer, the stronger."""
    names, places = [f"{head.layer}.{head.head}" for head in heads], range(len(heads))
    values = [[nan if row == column else float(distance[row][column]) for column in places] for row in places]
    note = "Jensen-Shannon, in hundredths; heads as layer.head"
    return Heatmap(
        "head distance", note, values, places, places, names, names, "head", "head", hundredths,
        faint=1, strong=0, is_symmetric=True, is_even=True,
    )  # fmt: skip


def grid_heatmap(heads: Sequence[HeadStatistics], name: str) -> Heatmap:
    """A row for each layer, a column for each head, between the smallest and the largest value."""
    found = {(head.layer, head.head): float(getattr(head, name)) for head in heads}
    layers, numbers = sorted({layer for layer, _ in found}), sorted({head for _, head in found if head is not None})
    columns: list[int | None] = [*numbers] or [None]
    least, most = min(found.values()), max(found.values())
    return Heatmap(
        name,
        f"layers down, heads across; from {least:.3f} to {most:.3f}",
        [[found.get((layer, head), nan) for head in columns] for layer in layers],
        layers,
        numbers or [0],
        [""] * len(layers),
        ["all" if head is None else str(head) for head in columns],
        "layer",
        "head",
        lambda value: f"{value:.2f}",
        faint=least,
        strong=most,
        is_even=True,
    )


def grid_heatmaps(heads: Sequence[HeadStatistics], look: AttentionDisplay) -> list[Heatmap]:
    """The grid that was asked for, if one was and there are heads to stand in it."""
    return [grid_heatmap(heads, look.grid)] if look.grid is not None and heads else []


def mutual_heatmap(record: FillMaskRecord) -> Heatmap:
    """How tokens bear on one another, from the first token that is not special to the last."""
    assert record.mutual is not None
    own = [at for at, row in enumerate(record.mutual) if row[at] == row[at]]  # special tokens have none
    shown = range(own[0], own[-1] + 1)
    values = [[nan if row == column else float(record.mutual[row][column]) for column in shown] for row in shown]
    names = record.text.tokens[shown.start : shown.stop]
    note = "of masked tokens, in hundredths"
    return Heatmap(
        "mutual influence", note, values, shown, shown, names, names, "predicted", "masked", hundredths,
        strong=_FARTHEST,
    )  # fmt: skip


def hundredths(value: float) -> str:
    """A part of 1 in as few letters as will do."""
    return f"{100 * value:.0f}" if not value < 0.005 else "·"


def _two_digits(value: float) -> str:
    return f"{value:.1f}" if not value < 0.05 else "·"


def _of_tokens(
    record: AttnRecord,
    name: str,
    note: str,
    matrix: FloatArray,
    look: AttentionDisplay,
    digits: Callable[[float], str] = hundredths,
    strong: float = 1.0,
) -> Heatmap:
    """A square over tokens or words, or the part of it that was asked for."""
    names = record.text.tokens if record.words is None else record.words
    rows, columns = look.part(len(names))
    return Heatmap(
        name,
        note,
        matrix[rows.start : rows.stop, columns.start : columns.stop],
        rows,
        columns,
        names[rows.start : rows.stop],
        names[columns.start : columns.stop],
        "from",
        "to",
        digits,
        strong=strong,
    )
