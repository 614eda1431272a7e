"""What attention heads do: their statistics, one head's weights, and what a token attends to."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from rich.box import HORIZONTALS
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from bertcli.render.tables import cells
from bertcli.render.tables.blocks import Blocks
from bertcli.render.tables.matrix import Matrix
from bertcli.render.visible import visible
from bertcli.results import Attended, AttendedFrom, AttnRecord, FloatArray, HeadStatistics, RunInfo

_COUNTED_FROM_0 = "layers and heads count from 0"
_COUNTED = f"{_COUNTED_FROM_0}, as in attentions[layer][:, head]"
_SHARES = "self, prev, next, cls, sep, punct: shares of the attention; entropy in nats"
_ROWS = "a row: where its token looks (from query to key); ·: under 0.005"
_STRONGEST = "weights and their tokens, strongest first; #5: the token at position 5"
_MEANS = "dist: mean distance in tokens; conf: mean of each query's largest weight"
# A weight, a token of ten letters and a position.
_NARROWEST = 18
# From which weight on a cell of the matrix is drawn in which style. Reversed, so that the digits have the terminal's
# own background as their colour, whether that is light or dark.
_SHADES = (
    (0.5, f"reverse {cells.STRONG} {cells.ACCENT}"),
    (0.25, f"reverse {cells.ACCENT}"),
    (0.1, cells.ACCENT),
    (0.05, ""),
    (0.0, cells.QUIET),
)


def attn_table(record: AttnRecord, info: RunInfo, thresholds: str) -> RenderableType:
    """A row for each head of each layer. thresholds: what the labels mean."""
    drawn = _by_layer()
    cells.add_numbers(
        drawn, "layer", "head", "entropy", "self", "prev", "next", "cls", "sep", "punct", "dist", "conf"
    )  # fmt: skip
    cells.add_words(drawn, "label")
    for layer, heads in groupby(record.heads, lambda head: head.layer):
        for number, head in enumerate(heads):
            drawn.add_row(_layer_number(layer, number), *_statistics(head))
        drawn.add_section()
    caption = cells.caption(info, _COUNTED, _SHARES, _MEANS, thresholds)
    return cells.figure(cells.title(record.text), Blocks(drawn, keys=2), caption)


def matrix_table(record: AttnRecord, layer: int, head: int, info: RunInfo) -> RenderableType:
    """The weights of one head, from the token of the row to the token of the column."""
    attention: FloatArray = record.attention

    def weight(query: int, key: int) -> tuple[str, str]:
        value = float(attention[query][key])
        return _hundredths(value), next((style for least, style in _SHADES if value >= least), "")

    tokens = [cells.cell(token) for token in record.text.tokens]
    heading = cells.subtitle(f"layer {layer}, head {head}", f"attentions[{layer}][:, {head}] in hundredths")
    matrix = Group(heading, Matrix(tokens, tokens, weight, cell_width=4))
    return cells.figure(cells.title(record.text), matrix, cells.caption(info, _COUNTED_FROM_0, _ROWS))


def attended_table(record: AttnRecord, info: RunInfo) -> RenderableType:
    """What a token attends to most in each head, strongest first; a table for each place where the token stands."""
    parts: list[RenderableType] = []
    for (position, token), heads in groupby(record.attended or (), lambda found: (found.position, found.token)):
        heading = cells.subtitle(f"from {token}", f"position {position}")
        parts.append(Group(heading, _attended(list(heads), record.text.tokens)))
    return cells.figure(cells.title(record.text), *parts, cells.caption(info, _COUNTED, _STRONGEST))


def _by_layer() -> Table:
    drawn = cells.table()
    drawn.box = HORIZONTALS
    return drawn


def _layer_number(layer: int, row: int) -> Text:
    return Text(str(layer), cells.QUIET if row else "")


def _statistics(head: HeadStatistics) -> Iterator[Text]:
    yield Text(str(head.head))
    yield cells.number(head.entropy)
    for share in (head.self, head.previous, head.next, head.cls, head.sep, head.punctuation):
        yield cells.share(share)
    # A distance of 100 tokens has no place for a decimal.
    yield cells.number(head.distance, 1 if head.distance < 99.95 else 0)
    yield cells.number(head.confidence, 2)
    yield cells.cell(head.label or "")


def _hundredths(weight: float) -> str:
    return f"{100 * weight:.0f}" if not weight < 0.005 else "·"


def _attended(heads: Sequence[AttendedFrom], tokens: Sequence[str]) -> Blocks:
    drawn = _by_layer()
    cells.add_numbers(drawn, "layer", "head")
    cells.add_words(drawn, *(f"{rank}." for rank in range(1, 1 + max(len(head.keys) for head in heads))))
    for layer, of_layer in groupby(heads, lambda head: head.layer):
        for number, head in enumerate(of_layer):
            keys = (_key(key, is_repeated=tokens.count(key.token) > 1) for key in head.keys)
            drawn.add_row(_layer_number(layer, number), Text(str(head.head)), *keys)
        drawn.add_section()
    return Blocks(drawn, keys=2, narrowest=_NARROWEST)


def _key(key: Attended, *, is_repeated: bool) -> Text:
    """A weight and its token, with the token's position where the text has more than one of it."""
    shown = cells.cell("").append(f"{key.weight:.2f} ", cells.share_style(key.weight)).append(visible(key.token))
    return shown.append(f" #{key.position}", cells.QUIET) if is_repeated else shown
