"""What attention heads do: their statistics, and what a token attends to."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby

from rich.box import HORIZONTALS
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from bertcli.choices import Statistic
from bertcli.output.formatting import visible
from bertcli.output.heatmaps import distance_heatmap, grid_heatmap
from bertcli.output.schemas.attn import AttentionDisplay, summary_title
from bertcli.output.tables import cells
from bertcli.output.tables.attn_maps import COUNTED, DISTANCE
from bertcli.output.tables.blocks import Blocks
from bertcli.output.tables.matrix import matrix, readable
from bertcli.results.attention import AttnRecord, AttnSummary, HeadStatistics, KeyWeight, StrongestKeys
from bertcli.results.texts import RunInfo

_STRONGEST = "weights and their tokens, strongest first; #5: the token at position 5"
# A weight, a token of ten letters and a position.
_NARROWEST = 18
_HEADERS: Mapping[str, str] = {statistic: statistic.heading for statistic in Statistic}
_SHARES = {
    statistic: heading
    for statistic, heading in _HEADERS.items()
    if statistic not in (Statistic.ENTROPY, Statistic.DISTANCE, Statistic.CONFIDENCE)
}


def attn_table(record: AttnRecord, info: RunInfo, look: AttentionDisplay) -> RenderableType:
    """A row for each head of each layer, or the grid of layers by heads."""
    caption = cells.caption(info, *_legend(record.heads, look))
    return cells.figure(cells.title(record.text), *_heads(record.heads, look), caption)


def summary_table(summary: AttnSummary, info: RunInfo, look: AttentionDisplay) -> RenderableType:
    """The same over many texts, weighted by their tokens."""
    heading = Text(summary_title(summary), cells.STRONG)
    distance = []
    if summary.head_distance is not None and summary.heads:
        distance = [readable(distance_heatmap(summary.heads, summary.head_distance))]
    notes = [*_legend(summary.heads, look), *([DISTANCE] if distance else [])]
    return cells.figure(heading, *_heads(summary.heads, look), *distance, cells.caption(info, *notes))


def _heads(heads: Sequence[HeadStatistics], look: AttentionDisplay) -> Iterator[RenderableType]:
    if not heads:
        yield Text("no head of this label", cells.QUIET)
    elif look.grid is not None:
        yield matrix(grid_heatmap(heads, look.grid))
    else:
        drawn = _by_layer()
        cells.add_numbers(drawn, "layer", "head", *(_HEADERS[name] for name in look.statistics))
        cells.add_words(drawn, "label")
        layers = [(layer, list(of_layer)) for layer, of_layer in groupby(heads, lambda head: head.layer)]
        # In another order than the layers', or with a line for each of them, lines between them would be all there is.
        is_by_layer = not look.is_ordered and any(len(of_layer) > 1 for _, of_layer in layers)
        for layer, of_layer in layers:
            for number, head in enumerate(of_layer):
                drawn.add_row(_layer_number(layer, number), *_statistics(head, look.statistics))
            if is_by_layer:
                drawn.add_section()
        yield Blocks(drawn, keys=2)


def _legend(heads: Sequence[HeadStatistics], look: AttentionDisplay) -> Iterator[str]:
    yield COUNTED
    if look.grid in _SHARES:
        yield f"{look.grid}: a share of the attention"
    elif shares := [short for name, short in _SHARES.items() if name in look.statistics]:
        nats = "; entropy in nats" if Statistic.ENTROPY in look.statistics else ""
        yield f"{', '.join(shares)}: shares of the attention{nats}"
    elif Statistic.ENTROPY in look.statistics:
        yield "entropy in nats"
    means = {
        Statistic.DISTANCE: "dist: mean distance in tokens",
        Statistic.CONFIDENCE: "conf: mean of each query's largest weight",
    }
    if meant := [meaning for name, meaning in means.items() if name in look.statistics]:
        yield "; ".join(meant)
    if any(head.head is None for head in heads):
        yield "a layer: the mean of its heads"
    elif look.grid is None:
        yield look.thresholds


def strongest_keys_table(record: AttnRecord, info: RunInfo) -> RenderableType:
    """What a token attends to most in each head, strongest first; a table for each place where the token stands."""
    parts: list[RenderableType] = []
    for (position, token), heads in groupby(record.strongest_keys or (), lambda found: (found.position, found.token)):
        heading = cells.subtitle(f"from {token}", f"position {position}")
        parts.append(Group(heading, _strongest_keys(list(heads), record.text.tokens)))
    return cells.figure(cells.title(record.text), *parts, cells.caption(info, COUNTED, _STRONGEST))


def _by_layer() -> Table:
    drawn = cells.table()
    drawn.box = HORIZONTALS
    return drawn


def _layer_number(layer: int, row: int) -> Text:
    return Text(str(layer), cells.QUIET if row else "")


def _statistics(head: HeadStatistics, names: Sequence[str]) -> Iterator[Text]:
    yield Text("all", cells.QUIET) if head.head is None else Text(str(head.head))
    for name in names:
        yield _DRAWN.get(name, cells.share)(getattr(head, name))
    yield cells.cell(head.label or "")


def _distance(value: float) -> Text:
    # A distance of 100 tokens has no place for a decimal.
    return cells.number(value, 1 if value < 99.95 else 0)


def _confidence(value: float) -> Text:
    return cells.number(value, 2)


_DRAWN: Mapping[str, Callable[[float], Text]] = {
    Statistic.ENTROPY: cells.number,
    Statistic.DISTANCE: _distance,
    Statistic.CONFIDENCE: _confidence,
}


def _strongest_keys(heads: Sequence[StrongestKeys], tokens: Sequence[str]) -> Blocks:
    drawn = _by_layer()
    cells.add_numbers(drawn, "layer", "head")
    cells.add_words(drawn, *(f"{rank}." for rank in range(1, 1 + max(len(head.keys) for head in heads))))
    for layer, of_layer in groupby(heads, lambda head: head.layer):
        for number, head in enumerate(of_layer):
            keys = (_key(key, is_repeated=tokens.count(key.token) > 1) for key in head.keys)
            drawn.add_row(_layer_number(layer, number), Text(str(head.head)), *keys)
        drawn.add_section()
    return Blocks(drawn, keys=2, narrowest=_NARROWEST)


def _key(key: KeyWeight, *, is_repeated: bool) -> Text:
    """A weight and its token, with the token's position where the text has more than one of it."""
    shown = cells.cell("").append(f"{key.weight:.2f} ", cells.share_style(key.weight)).append(visible(key.token))
    return shown.append(f" #{key.position}", cells.QUIET) if is_repeated else shown
