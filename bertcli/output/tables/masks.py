"""Tables of fill-mask's other modes: --joint, --score, --lens, --compare and --mutual."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from rich.console import Group, RenderableType
from rich.text import Text

from bertcli.choices import FillOrder, LensMethod, ScoreOnly
from bertcli.output.display import heads_off
from bertcli.output.heatmaps import mutual_heatmap
from bertcli.output.tables import cells
from bertcli.output.tables.blocks import Blocks
from bertcli.output.tables.fill_mask import probability
from bertcli.output.tables.matrix import matrix_or_strongest
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

_ORDERS: Mapping[str, str] = {
    FillOrder.CONFIDENCE: "filled in order of confidence: the most certain mask first",
    FillOrder.L2R: "filled from left to right",
}
_JOINT_LOGPROB = "ln p: sum over the masks, each given those filled before it"
_SCORE_METHODS = {
    "PLL-original": "each token is masked alone",
    "PLL-word-l2r": "each token is masked together with the later pieces of its word",
    "PLL-whole-word": "each token is masked together with all pieces of its word",
    "PLL-sentence-l2r": "each token is masked together with all tokens to its right",
}
_SCORED_PARTS: Mapping[str, str] = {
    ScoreOnly.SHARED: "only tokens that both texts share are scored",
    ScoreOnly.B: "only sentence B is scored",
}
_WORD_SCORES = "ln p of a word: the sum over its tokens"
_SCORE_COLUMNS = "best: the model's first choice; perplexity: exp(-mean ln p)"
_UNKNOWN = {"[UNK]", "<unk>"}
_LARGEST_WITH_DECIMALS = 1e6
_LENS_METHODS: Mapping[str, str] = {
    LensMethod.RAW: "logit lens (raw): the MLM head was trained on the last layer only",
    LensMethod.TUNED: "tuned lens: a map that was trained for each layer comes before the MLM head",
}
_LENS_LAYERS = "layer 0 is the embeddings"
_LENS_TOP = "only the top candidate of each layer is shown; use --json for all"
_LENS_RANKS = "under each target: its rank in the vocabulary"
_MUTUAL_ROWS = "each value: how much masking the column's token changes the row's prediction"
_MUTUAL_SCALE = "Jensen-Shannon distance: 0 for no change, at most 0.833; ·: under 0.005"
_ABSENT = "–"


def joint_table(record: FillMaskRecord, order: str, info: RunInfo) -> RenderableType:
    """Draw each whole sequence: the tokens that fill the masks, their log-probability, and the text."""
    count = len(record.masks)
    drawn = cells.table()
    cells.add_numbers(drawn, "rank", "ln p")
    cells.add_words(drawn, *(f"mask {ordinal}" if count > 1 else "mask" for ordinal in range(1, count + 1)), "text")
    for rank, filled in enumerate(record.sequences or (), 1):
        tokens = (cells.cell(token, cells.STRONG) for token in filled.tokens)
        drawn.add_row(Text(f"{rank:,}"), cells.number(filled.logprob), *tokens, cells.cell(filled.sequence))
    caption = cells.caption(info, _ORDERS[order], _JOINT_LOGPROB)
    return cells.figure(cells.title(record.text), Blocks(drawn, keys=2), caption)


def score_table(record: FillMaskRecord, info: RunInfo) -> RenderableType:
    """Draw the sum, mean and perplexity of a text, and a row for each of its tokens."""
    score = record.score
    assert score is not None
    caption = cells.caption(info, score_method(score), _SCORE_COLUMNS, *_score_warnings(record, score))
    return cells.figure(cells.title(record.text), score_summary(score), _token_scores(score), caption)


def word_score_table(record: FillMaskRecord, info: RunInfo) -> RenderableType:
    """Draw the sum, mean and perplexity of a text, and a row for each of its words."""
    score = record.score
    assert score is not None
    caption = cells.caption(info, score_method(score), _WORD_SCORES, *_score_warnings(record, score))
    return cells.figure(cells.title(record.text), score_summary(score), _word_scores(record, score), caption)


def score_method(score: TextScore) -> str:
    """Return the name of the method of a score, how it masks tokens, and which tokens it counts."""
    parts = [f"{score.method}: {_SCORE_METHODS[score.method]}"]
    if score.only is not None:
        parts.append(_SCORED_PARTS[score.only])
    if score.only_words is not None:
        parts.append(f"only these words are scored: {', '.join(score.only_words)}")
    return "; ".join(parts)


def lens_table(record: FillMaskRecord, info: RunInfo) -> RenderableType:
    """Draw a row for each layer: the top candidate of each mask, its probability, and the rank of each target."""
    drawn = cells.table()
    cells.add_numbers(drawn, "layer")
    has_several = len(record.masks) > 1
    for ordinal, mask in enumerate(record.masks, 1):
        cells.add_words(drawn, f"mask {ordinal}" if has_several else "top")
        cells.add_bars(drawn, "probability")
        cells.add_numbers(drawn, *(target.target for target in mask.targets or ()))
    for layers in zip(*(mask.lens or () for mask in record.masks), strict=True):
        parts = (part for layer in layers for part in _lens_cells(layer))
        drawn.add_row(Text(str(layers[0].layer)), *parts)
    ranks = [_LENS_RANKS] if any(mask.targets for mask in record.masks) else []
    methods = [_LENS_METHODS[mask.lens_method] for mask in record.masks[:1] if mask.lens_method is not None]
    caption = cells.caption(info, *methods, _LENS_LAYERS, _LENS_TOP, *ranks)
    return cells.figure(cells.title(record.text), Blocks(drawn, keys=1), caption)


def compare_table(record: FillMaskRecord, info: RunInfo, explanation: str) -> RenderableType:
    """Draw the candidates of both models for each mask, with both ranks, and the targets under them."""
    parts: list[RenderableType] = []
    for ordinal, mask in enumerate(record.masks, 1):
        comparison = mask.comparison
        assert comparison is not None
        place = f"mask {ordinal} of {len(record.masks)}" if len(record.masks) > 1 else "mask"
        heading = cells.subtitle(place, _position_and_distance(mask, comparison))
        parts.append(Group(heading, _side_by_side(mask, comparison)))
    other = next((mask.comparison.model for mask in record.masks if mask.comparison), "")
    first = ", ".join(filter(None, (info.model, heads_off(info.ablated))))
    caption = cells.caption(replace(info, ablated=()), f"A: {first}", f"B: {other}", explanation)
    return cells.figure(cells.title(record.text), *parts, caption)


def mutual_table(record: FillMaskRecord, info: RunInfo) -> RenderableType:
    """Draw the influence of masking each token on the prediction of each other token."""
    caption = cells.caption(info, _MUTUAL_ROWS, _MUTUAL_SCALE)
    return cells.figure(cells.title(record.text), matrix_or_strongest(mutual_heatmap(record)), caption)


# --score


def _score_warnings(record: FillMaskRecord, score: TextScore) -> Iterator[str]:
    """Yield notes that a reader of the sum needs: special tokens that are not scored, and unknown words."""
    tokens, scored = record.text.tokens, {token.position for token in score.tokens}
    ends = {tokens[0], tokens[-1]}
    special = {token for at, token in enumerate(tokens) if at not in scored and token not in ends}
    if special and score.only is None and score.only_words is None:
        yield f"special tokens are not scored: {', '.join(sorted(special))}"
    if unknown := {token.token for token in score.tokens} & _UNKNOWN:
        yield f"{unknown.pop()} is scored as itself, not as the word that it replaces"


def score_summary(score: TextScore) -> Text:
    """Return the sum, the mean and the perplexity of a text in one line."""
    shown = Text(overflow="fold")
    numbers = {"sum": f"{score.sum:z.4f}", "mean": f"{score.mean:z.4f}", "perplexity": perplexity(score.perplexity)}
    for name, value in numbers.items():
        shown.append(f"{name} ", cells.QUIET).append(value, cells.STRONG).append("   ")
    return shown


def perplexity(value: float) -> str:
    """Return a perplexity with three decimals, or in powers of ten if it is large."""
    return f"{value:,.3f}" if value < _LARGEST_WITH_DECIMALS else f"{value:.3e}"


def _token_scores(score: TextScore) -> Blocks:
    drawn = cells.table()
    cells.add_numbers(drawn, "#")
    cells.add_words(drawn, "token")
    cells.add_numbers(drawn, "ln p")
    cells.add_bars(drawn, "surprisal in bits")
    cells.add_numbers(drawn, "rank")
    cells.add_words(drawn, "best")
    bars = _surprisal_bars([token.surprisal for token in score.tokens])
    for token, bar in zip(score.tokens, bars, strict=True):
        drawn.add_row(
            Text(str(token.position), cells.QUIET),
            cells.token(token.token),
            cells.number(token.logprob),
            bar,
            Text(f"{token.rank:,}"),
            _best(token),
        )
    return Blocks(drawn, keys=2)


def _word_scores(record: FillMaskRecord, score: TextScore) -> Blocks:
    drawn = cells.table()
    cells.add_numbers(drawn, "#")
    cells.add_words(drawn, "word")
    cells.add_numbers(drawn, *([] if record.text.pair is None else ["seg"]))
    cells.add_words(drawn, "tokens")
    cells.add_numbers(drawn, "ln p")
    cells.add_bars(drawn, "surprisal in bits")
    words = score.words or ()
    for word, bar in zip(words, _surprisal_bars([word.surprisal for word in words]), strict=True):
        drawn.add_row(
            Text(str(word.index), cells.QUIET),
            cells.cell(word.word),
            *([] if record.text.pair is None else [Text(str(word.sentence))]),
            cells.cell(" ".join(record.text.tokens[position] for position in word.positions), cells.QUIET),
            cells.number(word.logprob),
            bar,
        )
    return Blocks(drawn, keys=2)


def _surprisal_bars(values: Sequence[float]) -> list[Text]:
    """Return each surprisal with a bar of proportional length."""
    most = max(values, default=0)
    width = max((len(f"{value:z.2f}") for value in values), default=0)
    return [
        Text.assemble(f"{value:>z{width}.2f} ", (cells.bar(value / most if most else 0), cells.ACCENT))
        for value in values
    ]


def _best(token: TokenScore) -> Text:
    """Return the model's first choice, faint if it is the token itself."""
    return cells.cell(token.best, cells.QUIET if token.best == token.token else "")


# --lens


def _lens_cells(layer: LensLayer) -> Iterator[Text]:
    top = layer.predictions[0]
    yield cells.cell(top.token_str)
    yield probability(top.score)
    for target in layer.targets or ():
        yield Text(f"{target.rank:,}", cells.STRONG if target.rank == 1 else "")


# --compare


def _position_and_distance(mask: MaskPredictions, comparison: Comparison) -> str:
    place = f"position {mask.position}"
    if comparison.jensen_shannon is None:
        return place
    return f"{place}  Jensen-Shannon distance {comparison.jensen_shannon:.3f}"


def _side_by_side(mask: MaskPredictions, comparison: Comparison) -> Blocks:
    drawn = cells.table()
    cells.add_words(drawn, "token")
    for model in ("A", "B"):
        cells.add_numbers(drawn, f"rank {model}")
        cells.add_bars(drawn, f"probability {model}")
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
    """Return the number of ranks that a candidate rises or falls from model A to model B."""
    if not change:
        return Text(_ABSENT if change is None else "=", cells.QUIET)
    return Text(f"↑{change:,}" if change > 0 else f"↓{-change:,}", cells.ACCENT if change > 0 else "")
