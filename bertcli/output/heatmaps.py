"""Heatmaps of attention, of distances between heads, of statistics, of mutual influence and of similar tokens."""

from collections.abc import Sequence
from dataclasses import replace
from math import nan

from bertcli.output.display import AttentionDisplay, Heatmap
from bertcli.results.attention import AttnRecord, HeadStatistics
from bertcli.results.embeddings import TokenSimilarity
from bertcli.results.masks import Attribution, FillMaskRecord, HeadEffects
from bertcli.results.texts import FloatArray

# The maximum of the Jensen-Shannon distance: the square root of ln 2 nats.
_MAX_DISTANCE = 0.8326
_NEGLIGIBLE = "·"


def head_heatmap(record: AttnRecord, layer: int, head: int | None, display: AttentionDisplay) -> Heatmap:
    """Return the attention weights of one head, queries down and keys across."""
    name, note = f"layer {layer}, head {head}", f"attentions[{layer}][:, {head}]"
    return _token_heatmap(record, name, note, record.attention, display)


def map_heatmaps(record: AttnRecord, display: AttentionDisplay) -> list[Heatmap]:
    """Return a heatmap for each matrix that the record has."""
    heatmaps = []
    if record.attention is not None:
        heatmaps.append(head_heatmap(record, record.heads[0].layer, record.heads[0].head, display))
    if record.rollout is not None:
        heatmaps.append(_token_heatmap(record, "rollout", "through all layers", record.rollout, display))
    if record.value_norms is not None and record.heads:
        head, norms = record.heads[0], record.value_norms[0]
        name = f"value norms, layer {head.layer}, head {head.head}"
        drawn = _token_heatmap(record, name, "||a f(x)||", norms, display)
        heatmaps.append(replace(drawn, quantity="norm", unit="", digits=one_decimal, strong=float(norms.max())))
    if record.head_distance is not None and record.heads:
        heatmaps.append(distance_heatmap(record.heads, record.head_distance))
    return heatmaps


def distance_heatmap(heads: Sequence[HeadStatistics], distance: FloatArray) -> Heatmap:
    """Return the distance between each pair of heads, which are named layer.head. Near pairs are drawn strong."""
    names, places = [f"{head.layer}.{head.head}" for head in heads], range(len(heads))
    values = [[nan if row == column else float(distance[row][column]) for column in places] for row in places]
    return Heatmap(
        name="head distance",
        note="heads as layer.head; Jensen-Shannon distance",
        quantity="distance",
        unit="hundredths",
        values=values,
        rows=places,
        columns=places,
        row_names=names,
        column_names=names,
        row_axis="head",
        column_axis="head",
        digits=hundredths,
        faint=1,
        strong=0,
        is_symmetric=True,
        is_even=True,
    )


def grid_heatmap(heads: Sequence[HeadStatistics], statistic: str) -> Heatmap:
    """Return a statistic with a row for each layer and a column for each head, scaled to its range."""
    by_place = {(head.layer, head.head): float(getattr(head, statistic)) for head in heads}
    layers = sorted({layer for layer, _ in by_place})
    numbers = sorted({head for _, head in by_place if head is not None})
    columns: list[int | None] = [*numbers] or [None]
    least, most = min(by_place.values()), max(by_place.values())
    return Heatmap(
        name=statistic,
        note=f"rows: layers, columns: heads; from {least:.3f} to {most:.3f}",
        quantity=statistic,
        unit="",
        values=[[by_place.get((layer, head), nan) for head in columns] for layer in layers],
        rows=layers,
        columns=numbers or [0],
        row_names=[""] * len(layers),
        column_names=["all" if head is None else str(head) for head in columns],
        row_axis="layer",
        column_axis="head",
        digits=lambda value: f"{value:.2f}",
        faint=least,
        strong=most,
        is_even=True,
    )


def grid_heatmaps(heads: Sequence[HeadStatistics], display: AttentionDisplay) -> list[Heatmap]:
    """Return the grid that the user chose, or no heatmap if there is no grid or no head."""
    return [grid_heatmap(heads, display.grid)] if display.grid is not None and heads else []


def mutual_heatmap(record: FillMaskRecord) -> Heatmap:
    """Return the influence of masking each token on the prediction of each other token.

    It reaches from the first token that is not special to the last.
    """
    assert record.mutual is not None
    own = [at for at, row in enumerate(record.mutual) if row[at] == row[at]]  # special tokens are NaN
    shown = range(own[0], own[-1] + 1)
    values = [[nan if row == column else float(record.mutual[row][column]) for column in shown] for row in shown]
    names = record.text.tokens[shown.start : shown.stop]
    return Heatmap(
        name="mutual influence",
        note="Jensen-Shannon distance",
        quantity="distance",
        unit="hundredths",
        values=values,
        rows=shown,
        columns=shown,
        row_names=names,
        column_names=names,
        row_axis="predicted",
        column_axis="masked",
        digits=hundredths,
        strong=_MAX_DISTANCE,
    )


def mask_name(record: FillMaskRecord, ordinal: int) -> str:
    """Return the name of a mask of a record, with its number from 1 if there are several."""
    return f"mask {ordinal + 1} of {len(record.masks)}" if len(record.masks) > 1 else "mask"


def head_effects_heatmap(effects: HeadEffects, place: str) -> Heatmap:
    """Return the effect of each head on a token, a row for each layer and a column for each head.

    Args:
        effects: The effects.
        place: Names the mask, for the heading.
    """
    layers, heads = effects.values.shape
    return Heatmap(
        name=f"{place}: {effects.target}",
        note=f"ln p {effects.logprob:.3f}; rows: layers, columns: heads",
        quantity="change of ln p",
        unit="",
        values=effects.values,
        rows=range(layers),
        columns=range(heads),
        row_names=[""] * layers,
        column_names=[str(head) for head in range(heads)],
        row_axis="layer",
        column_axis="head",
        digits=signed,
        strong=float(abs(effects.values).max()),
        is_signed=True,
    )


def attributions_heatmap(tokens: Sequence[str], attributions: Sequence[Attribution], place: str) -> Heatmap:
    """Return the contribution of each token or word, across, to each explained token of a mask, down.

    Args:
        tokens: The tokens of the text.
        attributions: The contributions to each explained token, at least one.
        place: Names the mask, for the heading.
    """
    values = [contributions(each) for each in attributions]
    words = attributions[0].words
    names = tokens if words is None else [word.word for word in words]
    return Heatmap(
        name=f"{place}: {attributions[0].method}",
        note=f"rows: targets, columns: {'tokens' if words is None else 'words'}",
        quantity="contribution to ln p",
        unit="",
        values=values,
        rows=range(len(values)),
        columns=range(len(names)),
        row_names=[each.target for each in attributions],
        column_names=names,
        row_axis="target",
        column_axis="token" if words is None else "word",
        digits=signed,
        strong=max(abs(value) for row in values for value in [0.0, *row] if value == value),
        is_signed=True,
    )


def contributions(found: Attribution) -> list[float]:
    """Return the contribution of each word of an attribution, or of each token if it has no words. NaN for none."""
    if found.words is None:
        return [float(value) for value in found.values]
    return [nan if word.value is None else word.value for word in found.words]


def token_similarity_heatmap(similarity: TokenSimilarity) -> Heatmap:
    """Return the cosine of each token of A, down, with each of B, across."""
    return Heatmap(
        name="cosine",
        note="rows: tokens of A, columns: tokens of B",
        quantity="cosine",
        unit="hundredths",
        values=similarity.cosine,
        rows=similarity.rows,
        columns=similarity.columns,
        row_names=similarity.row_tokens,
        column_names=similarity.column_tokens,
        row_axis="A",
        column_axis="B",
        digits=lambda value: f"{100 * value:z.0f}",
        is_even=True,
    )


def hundredths(value: float) -> str:
    """Return a value between 0 and 1 in hundredths, or a dot if it rounds to 0.

    >>> hundredths(0.38), hundredths(0.001)
    ('38', '·')
    """
    return f"{100 * value:.0f}" if not value < 0.005 else _NEGLIGIBLE


def signed(value: float) -> str:
    """Return a change with two decimals, or a dot if it rounds to 0.

    >>> signed(0.386), signed(-1.0), signed(-0.001)
    ('0.39', '-1.00', '·')
    """
    return f"{value:.2f}" if not abs(value) < 0.005 else _NEGLIGIBLE


def one_decimal(value: float) -> str:
    """Return a value with one decimal, or a dot if it rounds to 0."""
    return f"{value:.1f}" if not value < 0.05 else _NEGLIGIBLE


def _token_heatmap(record: AttnRecord, name: str, note: str, matrix: FloatArray, display: AttentionDisplay) -> Heatmap:
    """Return a matrix of weights over tokens or words, or the part of it that display selects."""
    names = record.text.tokens if record.words is None else record.words
    rows, columns = display.part(len(names))
    return Heatmap(
        name=name,
        note=note,
        quantity="weight",
        unit="percent",
        values=matrix[rows.start : rows.stop, columns.start : columns.stop],
        rows=rows,
        columns=columns,
        row_names=names[rows.start : rows.stop],
        column_names=names[columns.start : columns.stop],
        row_axis="from",
        column_axis="to",
        digits=hundredths,
    )
