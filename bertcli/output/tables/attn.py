"""Tables of attn: statistics of heads, matrices, the tokens that a token attends to, and expansion rates."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby

from rich.box import HORIZONTALS
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from bertcli.choices import Statistic
from bertcli.output.display import AttentionDisplay, Heatmap, corpus_title
from bertcli.output.formatting import visible
from bertcli.output.heatmaps import distance_heatmap, grid_heatmap, head_heatmap, map_heatmaps
from bertcli.output.tables import cells
from bertcli.output.tables.blocks import Blocks
from bertcli.output.tables.matrix import matrix_or_strongest, whole_matrix
from bertcli.results.attention import AttnRecord, AttnSummary, Expansion, HeadStatistics, KeyWeight, StrongestKeys
from bertcli.results.texts import RunInfo

# encode numbers hidden states, of which the first is that of the embeddings.
_LAYERS = "layer 0 reads hidden_states[0]"
_NUMBERED_FROM_0 = f"layers and heads are numbered from 0; {_LAYERS}"
_NUMBERING = f"numbered from 0: attentions[layer][:, head]; {_LAYERS}"
_WEIGHTS = "from: query token (rows), to: key token (columns); ·: under 0.5 %"
_ROLLOUT = "rollout: share of the column's token in the row's token after all layers"
_VALUE_NORMS = "value norms: weight times the norm of the transformed value, ||a f(x)||"
_DISTANCE = "head distance: 0 for heads that attend alike, at most 0.833"
_EXPANSION = "expansion: how much f(x) lengthens a vector x, from the weights alone"
_PART_HINT = "for a part: --rows 0-20 --cols 0-20"
_STRONGEST = "weight and token of each key, largest first; #5: the token at position 5"
_NO_HEAD = "no head has this label"
# A weight, a token of ten letters and a position.
_NARROWEST = 18
_HEADERS: Mapping[str, str] = {statistic: statistic.heading for statistic in Statistic}
_NOT_SHARES = (Statistic.ENTROPY, Statistic.DISTANCE, Statistic.CONFIDENCE)
# Shares of attention, with the headers of their columns.
_SHARES = {statistic: header for statistic, header in _HEADERS.items() if statistic not in _NOT_SHARES}
_MEANS: Mapping[str, str] = {
    Statistic.DISTANCE: "dist: mean distance in tokens",
    Statistic.CONFIDENCE: "conf: mean of each query's largest weight",
}


def head_table(record: AttnRecord, info: RunInfo, display: AttentionDisplay) -> RenderableType:
    """Draw the statistics of one text: a row for each head, or a grid of layers by heads."""
    caption = cells.caption(info, *_legend(record.heads, display))
    return cells.figure(cells.title(record.text), *_heads(record.heads, display), caption)


def summary_table(summary: AttnSummary, info: RunInfo, display: AttentionDisplay) -> RenderableType:
    """Draw the statistics over all texts, which are weighted by their tokens."""
    heading = Text(corpus_title(summary.text_count, summary.token_count), cells.STRONG)
    distance = []
    if summary.head_distance is not None and summary.heads:
        distance = [matrix_or_strongest(distance_heatmap(summary.heads, summary.head_distance))]
    notes = [*_legend(summary.heads, display), *([_DISTANCE] if distance else [])]
    return cells.figure(heading, *_heads(summary.heads, display), *distance, cells.caption(info, *notes))


def weight_table(record: AttnRecord, layer: int, head: int, info: RunInfo, display: AttentionDisplay) -> RenderableType:
    """Draw the attention weights of one head, queries down and keys across."""
    drawn = _map(head_heatmap(record, layer, head, display), display)
    return cells.figure(cells.title(record.text), drawn, cells.caption(info, _NUMBERED_FROM_0, _WEIGHTS))


def map_table(record: AttnRecord, info: RunInfo, display: AttentionDisplay) -> RenderableType:
    """Draw each matrix that the record has."""
    parts: list[RenderableType] = [_map(heatmap, display) for heatmap in map_heatmaps(record, display)]
    if not record.heads:
        parts.append(Text(_NO_HEAD, cells.QUIET))
    matrices = {_ROLLOUT: record.rollout, _VALUE_NORMS: record.value_norms, _DISTANCE: record.head_distance}
    notes = [note for note, matrix in matrices.items() if matrix is not None]
    return cells.figure(cells.title(record.text), *parts, cells.caption(info, _NUMBERED_FROM_0, *notes))


def strongest_keys_table(record: AttnRecord, info: RunInfo) -> RenderableType:
    """Draw the strongest keys of a token in each head, in a table for each position of the token."""
    parts: list[RenderableType] = []
    for (position, token), heads in groupby(record.strongest_keys or (), lambda found: (found.position, found.token)):
        heading = cells.subtitle(f"from {token}", f"position {position}")
        parts.append(Group(heading, _strongest_keys(list(heads), record.text.tokens)))
    return cells.figure(cells.title(record.text), *parts, cells.caption(info, _NUMBERING, _STRONGEST))


def expansion_table(result: Expansion, info: RunInfo) -> RenderableType:
    """Draw the expansion rate of each layer."""
    drawn = cells.table()
    cells.add_numbers(drawn, "layer", "expansion")
    for layer, rate in zip(result.layers, result.rates, strict=True):
        drawn.add_row(Text(str(layer)), cells.number(rate))
    caption = cells.caption(info, _NUMBERED_FROM_0, _EXPANSION)
    return cells.figure(Text("expansion rate", cells.STRONG), drawn, caption)


def _heads(heads: Sequence[HeadStatistics], display: AttentionDisplay) -> Iterator[RenderableType]:
    if not heads:
        yield Text(_NO_HEAD, cells.QUIET)
    elif display.grid is not None:
        yield whole_matrix(grid_heatmap(heads, display.grid))
    else:
        drawn = _layered_table()
        cells.add_numbers(drawn, "layer", "head", *(_HEADERS[name] for name in display.statistics))
        cells.add_words(drawn, "label")
        layers = [(layer, list(layer_heads)) for layer, layer_heads in groupby(heads, lambda head: head.layer)]
        # Lines separate the layers, unless heads are sorted otherwise or every layer has one row.
        has_lines = not display.is_ordered and any(len(layer_heads) > 1 for _, layer_heads in layers)
        for layer, layer_heads in layers:
            for row, head in enumerate(layer_heads):
                drawn.add_row(_layer_number(layer, row), *_statistics(head, display.statistics))
            if has_lines:
                drawn.add_section()
        yield Blocks(drawn, keys=2)


def _legend(heads: Sequence[HeadStatistics], display: AttentionDisplay) -> Iterator[str]:
    """Yield the lines that explain the numbers."""
    has_entropy = Statistic.ENTROPY in display.statistics
    yield _NUMBERING
    if display.grid in _SHARES:
        yield f"{display.grid}: share of attention"
    elif shares := [header for name, header in _SHARES.items() if name in display.statistics]:
        yield f"{', '.join(shares)}: share of attention{'; entropy in nats' if has_entropy else ''}"
    elif has_entropy:
        yield "entropy in nats"
    if means := [meaning for name, meaning in _MEANS.items() if name in display.statistics]:
        yield "; ".join(means)
    if any(head.head is None for head in heads):
        yield "all: mean of the layer's heads"
    elif display.grid is None:
        yield from display.thresholds.split("\n")


def _map(heatmap: Heatmap, display: AttentionDisplay) -> RenderableType:
    """Draw a matrix: whole if the user chose a part of it, else its strongest values if it is long."""
    is_part = display.rows is not None or display.columns is not None
    hint = "" if heatmap.is_symmetric else _PART_HINT
    return whole_matrix(heatmap) if is_part else matrix_or_strongest(heatmap, hint)


def _layered_table() -> Table:
    drawn = cells.table()
    drawn.box = HORIZONTALS
    return drawn


def _layer_number(layer: int, row: int) -> Text:
    """Return a layer's number, which is faint after the first row of the layer."""
    return Text(str(layer), cells.QUIET if row else "")


def _statistics(head: HeadStatistics, names: Sequence[str]) -> Iterator[Text]:
    yield Text("all", cells.QUIET) if head.head is None else Text(str(head.head))
    for name in names:
        yield _FORMATS.get(name, cells.share)(getattr(head, name))
    yield cells.cell(head.label or "")


def _distance(value: float) -> Text:
    # The column has no room for the decimal of a distance of 100 tokens.
    return cells.number(value, 1 if value < 99.95 else 0)


def _confidence(value: float) -> Text:
    return cells.number(value, 2)


_FORMATS: Mapping[str, Callable[[float], Text]] = {
    Statistic.ENTROPY: cells.number,
    Statistic.DISTANCE: _distance,
    Statistic.CONFIDENCE: _confidence,
}


def _strongest_keys(heads: Sequence[StrongestKeys], tokens: Sequence[str]) -> Blocks:
    drawn = _layered_table()
    cells.add_numbers(drawn, "layer", "head")
    cells.add_words(drawn, *(f"{rank}." for rank in range(1, 1 + max(len(head.keys) for head in heads))))
    for layer, layer_heads in groupby(heads, lambda head: head.layer):
        for row, head in enumerate(layer_heads):
            keys = (_key(key, is_repeated=tokens.count(key.token) > 1) for key in head.keys)
            drawn.add_row(_layer_number(layer, row), Text(str(head.head)), *keys)
        drawn.add_section()
    return Blocks(drawn, keys=2, narrowest=_NARROWEST)


def _key(key: KeyWeight, *, is_repeated: bool) -> Text:
    """Return a weight and its token, with the position of a token that the text repeats."""
    shown = cells.cell("").append(f"{key.weight:.2f} ", cells.share_style(key.weight)).append(visible(key.token))
    return shown.append(f" #{key.position}", cells.QUIET) if is_repeated else shown
