"""How probable each token of a text is to the model, and the text."""

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.text import Text

from bertcli.output.heatmaps import mutual_heatmap
from bertcli.output.tables import cells
from bertcli.output.tables.blocks import Blocks
from bertcli.output.tables.fill_mask import bar, probability
from bertcli.output.tables.matrix import readable
from bertcli.results.masks import (
    Comparison,
    FillMaskRecord,
    LensLayer,
    MaskPredictions,
    TextScore,
    TokenScore,
    rank_change,
)
from bertcli.results.texts import RunInfo

_READABLE = 1e6
_UNKNOWN = {"[UNK]", "<unk>"}
_METHODS = {
    "PLL-original": "each token masked on its own",
    "PLL-word-l2r": "each token masked together with the later pieces of its word",
}


def score_table(record: FillMaskRecord, info: RunInfo) -> RenderableType:
    """The sum, mean and perplexity of the text, and a row for each of its tokens."""
    assert record.score is not None
    caption = cells.caption(
        info,
        f"{record.score.method}: {_METHODS[record.score.method]}",
        "best: what the model would have said; perplexity: e to the power of -mean ln p",
        *_left_out(record),
    )
    return cells.figure(cells.title(record.text), _summary(record.score), _tokens(record.score), caption)


def _left_out(record: FillMaskRecord) -> Iterator[str]:
    """What a reader of the sum would not expect: tokens that do not count, and such as stand for another."""
    assert record.score is not None
    tokens, scored = record.text.tokens, {token.position for token in record.score.tokens}
    ends = {tokens[0], tokens[-1]}
    special = {token for at, token in enumerate(tokens) if at not in scored and token not in ends}
    if special:
        yield f"special tokens do not count: {', '.join(sorted(special))}"
    if unknown := {token.token for token in record.score.tokens} & _UNKNOWN:
        yield f"{unknown.pop()} is scored as itself, not as the word that it stands for"


def _summary(score: TextScore) -> Text:
    shown = Text(overflow="fold")
    numbers = {"sum": f"{score.sum:z.4f}", "mean": f"{score.mean:z.4f}", "perplexity": _perplexity(score.perplexity)}
    for name, value in numbers.items():
        shown.append(f"{name} ", cells.QUIET).append(value, cells.STRONG).append("   ")
    return shown


def _perplexity(value: float) -> str:
    return f"{value:,.3f}" if value < _READABLE else f"{value:.3e}"


def _tokens(score: TextScore) -> Blocks:
    drawn = cells.table()
    cells.add_numbers(drawn, "#")
    cells.add_words(drawn, "token")
    cells.add_numbers(drawn, "ln p")
    drawn.add_column(cells.cell("surprisal in bits"), no_wrap=True)
    cells.add_numbers(drawn, "rank")
    cells.add_words(drawn, "best")
    most = max(token.surprisal for token in score.tokens)
    width = max(len(f"{token.surprisal:z.2f}") for token in score.tokens)
    for token in score.tokens:
        drawn.add_row(
            Text(str(token.position), cells.QUIET),
            cells.cell(token.token),
            cells.number(token.logprob),
            Text.assemble(
                f"{token.surprisal:>z{width}.2f} ", (bar(token.surprisal / most if most else 0), cells.ACCENT)
            ),
            Text(f"{token.rank:,}"),
            _best(token),
        )
    return Blocks(drawn, keys=2)


def _best(token: TokenScore) -> Text:
    return cells.cell(token.best, cells.QUIET if token.best == token.token else "")


_ABSENT = "–"


def compare_table(record: FillMaskRecord, info: RunInfo, explanation: str) -> RenderableType:
    """A table for each mask: the candidates of both models with both ranks, and the targets beneath them."""
    parts: list[RenderableType] = []
    for ordinal, mask in enumerate(record.masks, 1):
        comparison = mask.comparison
        assert comparison is not None
        place = f"mask {ordinal} of {len(record.masks)}" if len(record.masks) > 1 else "mask"
        heading = cells.subtitle(place, _distance(mask, comparison))
        parts.append(Group(heading, _side_by_side(mask, comparison)))
    other = next((mask.comparison.model for mask in record.masks if mask.comparison), "")
    caption = cells.caption(info, f"A: {info.model}", f"B: {other}", explanation)
    return cells.figure(cells.title(record.text), *parts, caption)


def _distance(mask: MaskPredictions, comparison: Comparison) -> str:
    place = f"position {mask.position}"
    if comparison.jensen_shannon is None:
        return place
    return f"{place}  Jensen-Shannon distance {comparison.jensen_shannon:.3f}"


def _side_by_side(mask: MaskPredictions, comparison: Comparison) -> Blocks:
    drawn = cells.table()
    cells.add_words(drawn, "token")
    for model in ("A", "B"):
        cells.add_numbers(drawn, f"rank {model}")
        drawn.add_column(cells.cell(f"probability {model}"), no_wrap=True)
    cells.add_numbers(drawn, "A to B")
    for found in comparison.changes:
        ranks = _rank(found.rank), _score(found.score), _rank(found.other_rank), _score(found.other_score)
        drawn.add_row(cells.cell(found.token_str), *ranks, _change(found.change))
    targets = list(zip(mask.targets or (), comparison.targets or (), strict=True))
    if targets:
        drawn.add_section()
        drawn.add_row(Text("targets", cells.QUIET))
    for own, other in targets:
        ranks = _rank(own.rank), _score(own.score), _rank(other.rank), _score(other.score)
        drawn.add_row(cells.cell(own.target), *ranks, _change(rank_change(own.rank, other.rank)))
    return Blocks(drawn, keys=1)


def _rank(rank: int | None) -> Text:
    return Text(_ABSENT, cells.QUIET) if rank is None else Text(f"{rank:,}")


def _score(score: float | None) -> Text:
    return Text(_ABSENT, cells.QUIET) if score is None else probability(score)


def _change(change: int | None) -> Text:
    """By how many ranks a candidate rises from the one model to the other, or falls."""
    if not change:
        return Text(_ABSENT if change is None else "=", cells.QUIET)
    return Text(f"↑{change:,}" if change > 0 else f"↓{-change:,}", cells.ACCENT if change > 0 else "")


_LAYERS = "layer 0: the embeddings; the MLM head was trained on the last layer alone"
_TOP = "of each layer's candidates the first; --json has all that -k asks for"
_RANKS = "beneath a target: its rank in the vocabulary"


def lens_table(record: FillMaskRecord, info: RunInfo) -> RenderableType:
    """A row for each layer; for each mask the top prediction, its probability, and the rank of each target."""
    drawn = cells.table()
    cells.add_numbers(drawn, "layer")
    several = len(record.masks) > 1
    for ordinal, mask in enumerate(record.masks, 1):
        cells.add_words(drawn, f"mask {ordinal}" if several else "top")
        drawn.add_column(cells.cell("probability"), no_wrap=True)
        cells.add_numbers(drawn, *(target.target for target in mask.targets or ()))
    for layers in zip(*(mask.lens or () for mask in record.masks), strict=True):
        parts = (part for layer in layers for part in _cells(layer))
        drawn.add_row(Text(str(layers[0].layer)), *parts)
    notes = (_LAYERS, _TOP, _RANKS) if any(mask.targets for mask in record.masks) else (_LAYERS, _TOP)
    return cells.figure(cells.title(record.text), Blocks(drawn, keys=1), cells.caption(info, *notes))


def _cells(layer: LensLayer) -> Iterator[Text]:
    best = layer.predictions[0]
    yield cells.cell(best.token_str)
    yield probability(best.score)
    for target in layer.targets or ():
        yield Text(f"{target.rank:,}", cells.STRONG if target.rank == 1 else "")


_ORDERS = {
    "confidence": "filled in order of confidence: the surest mask first",
    "l2r": "filled from left to right",
}
_LOGPROB = "ln p: the sum over the masks, each given those filled before it"


def joint_table(record: FillMaskRecord, order: str, info: RunInfo) -> RenderableType:
    """A row for each sequence: what fills each mask, its log-probability, and the whole text."""
    count = len(record.masks)
    drawn = cells.table()
    cells.add_numbers(drawn, "rank", "ln p")
    cells.add_words(drawn, *(f"mask {ordinal}" if count > 1 else "mask" for ordinal in range(1, count + 1)), "text")
    for rank, filled in enumerate(record.sequences or (), 1):
        tokens = (cells.cell(token, cells.STRONG) for token in filled.tokens)
        drawn.add_row(Text(f"{rank:,}"), cells.number(filled.logprob), *tokens, cells.cell(filled.sequence))
    caption = cells.caption(info, _ORDERS[order], _LOGPROB)
    return cells.figure(cells.title(record.text), Blocks(drawn, keys=2), caption)


_ROWS = "how far masking the column's token moves what is predicted for the row's"
_SCALE = "Jensen-Shannon distance in hundredths: 0 (·) not at all, 83 as far as can be"


def mutual_table(record: FillMaskRecord, info: RunInfo) -> RenderableType:
    """The matrix in hundredths, from the first token that is not special to the last."""
    return cells.figure(cells.title(record.text), readable(mutual_heatmap(record)), cells.caption(info, _ROWS, _SCALE))
