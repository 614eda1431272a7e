"""Schemas of fill-mask: predictions, and the results of its other analyses."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Protocol

from bertcli.output.display import HeatmapSet, text_title
from bertcli.output.formatting import joined
from bertcli.output.records import plain_line
from bertcli.output.schema import TEXT_COLUMNS, Cell, JsonKeys, Schema, jsonable, text_cells, text_json
from bertcli.results.masks import (
    Change,
    FillMaskRecord,
    MaskPredictions,
    Prediction,
    TargetPrediction,
    TextScore,
    WordCandidate,
    rank_change,
)
from bertcli.results.texts import RunInfo

MASK_COLUMNS = (*TEXT_COLUMNS, "mask", "position")
# The keys of transformers' fill-mask pipeline come first.
_PREDICTION_KEYS = ("score", "token", "token_str", "sequence", "rank", "logit")
_JSON_KEYS: JsonKeys = {
    FillMaskRecord: ("masks", "sequences", "score", "mutual"),
    Prediction: _PREDICTION_KEYS,
    TargetPrediction: ("target", *_PREDICTION_KEYS, "pieces", "logprob", "share", "method"),
    WordCandidate: ("word", "pieces", "logprob", "mean", "width", "rank", "ids", "sequence"),
    Change: ("token_str", "rank", "other_rank", "change", "score", "other_score"),
    TextScore: ("sum", "mean", "perplexity", "method", "only", "only_words", "tokens", "words"),
}
_TARGET_CELLS = 6  # pieces, logprob, other_logprob, share, other_share, method


class Decode(Protocol):
    """Function that returns the text of token ids, without special tokens."""

    def __call__(self, ids: Sequence[int], /) -> str: ...


def fill_mask_schema(info: RunInfo, mass: float | None = None, decode: Decode | None = None) -> Schema[FillMaskRecord]:
    """Return the schema of predictions: a row for each candidate and each target of each mask.

    Args:
        info: Run to name in captions.
        mass: Probability that the candidates are meant to cover, or None.
        decode: Returns the text of a text whose masks are filled; None if no plain answer is written.
    """
    columns = (
        *MASK_COLUMNS, "target", "rank", "score", "logit", "token", "token_str", "sequence",
        "pieces", "logprob", "share", "method", "entropy", "mass",
    )  # fmt: skip
    return Schema(
        columns,
        _prediction_rows,
        record_json,
        partial(_prediction_table, info=info, mass=mass),
        to_plain=None if decode is None else partial(_plain_prediction, decode=decode),
    )


def joint_schema(info: RunInfo, order: str) -> Schema[FillMaskRecord]:
    """Return the schema of masks that are filled together: a row for each whole sequence."""
    columns = (*TEXT_COLUMNS, "rank", "logprob", "tokens", "sequence")
    table = partial(_joint_table, order=order, info=info)
    return Schema(columns, _joint_rows, record_json, table, to_plain=_plain_sequence)


def score_schema(info: RunInfo) -> Schema[FillMaskRecord]:
    """Return the schema of pseudo-log-likelihoods: a row for each token, with the numbers of its text."""
    columns = (
        *TEXT_COLUMNS, "sum", "mean", "perplexity", "position", "token", "id", "logprob", "surprisal", "rank", "best",
    )  # fmt: skip
    table = partial(_score_table, info=info)
    return Schema(columns, _score_rows, record_json, table, to_plain=_plain_score)


def word_score_schema(info: RunInfo) -> Schema[FillMaskRecord]:
    """Return the schema of the scores of words: a row for each word."""
    columns = (*TEXT_COLUMNS, "word", "word_index", "sentence", "start", "end", "positions", "logprob", "surprisal")
    table = partial(_word_score_table, info=info)
    return Schema(columns, _word_score_rows, _word_score_json, table, to_plain=_plain_score)


def lens_schema(info: RunInfo) -> Schema[FillMaskRecord]:
    """Return the schema of a lens: a row for each candidate and each target of each layer."""
    columns = (
        *MASK_COLUMNS, "layer", "target", "rank", "score", "logit", "token", "token_str", "logprob", "share",
        "lens_method",
    )  # fmt: skip
    return Schema(columns, _lens_rows, record_json, partial(_lens_table, info=info))


def compare_schema(info: RunInfo, explanation: str) -> Schema[FillMaskRecord]:
    """Return the schema of two models side by side: a row for each candidate of either model.

    Args:
        info: Run of the first model.
        explanation: Sentence about the distance, for the caption.
    """
    columns = (
        *MASK_COLUMNS, "target", "token_str", "rank", "other_rank", "change", "score", "other_score", "other_model",
        "jensen_shannon", "pieces", "logprob", "other_logprob", "share", "other_share", "method",
    )  # fmt: skip
    return Schema(columns, _compare_rows, record_json, partial(_compare_table, info=info, explanation=explanation))


def mutual_schema(info: RunInfo) -> Schema[FillMaskRecord]:
    """Return the schema of mutual influence: a row for each ordered pair of tokens."""
    columns = (*TEXT_COLUMNS, "position", "token", "masked_position", "masked_token", "distance")
    return Schema(columns, _mutual_rows, record_json, partial(_mutual_table, info=info), to_heatmaps=_mutual_figure)


def mask_cells(record: FillMaskRecord) -> Iterable[tuple[Sequence[Cell], MaskPredictions]]:
    """Yield the cells of MASK_COLUMNS for each mask, and the mask."""
    for ordinal, mask in enumerate(record.masks):
        yield (*text_cells(record.text), ordinal, mask.position), mask


def record_json(record: FillMaskRecord) -> Mapping[str, Any]:
    """Return the JSON object of a record: its text, its masks, and what was computed for the whole text."""
    return {**text_json(record.text), **jsonable(record, _JSON_KEYS)}


# Rows


def _prediction_rows(record: FillMaskRecord) -> Iterable[Sequence[Cell]]:
    for place, mask in mask_cells(record):
        for candidate in mask.predictions:
            yield *place, None, *_prediction_cells(candidate), None, None, None, None, mask.entropy, mask.mass
        for target in mask.targets or ():
            target_cells = joined(target.pieces), target.logprob, target.share, target.method
            yield *place, target.target, *_prediction_cells(target), *target_cells, mask.entropy, mask.mass


def _prediction_cells(found: Prediction | TargetPrediction) -> Sequence[Cell]:
    return found.rank, found.score, found.logit, found.token, found.token_str, found.sequence


def _joint_rows(record: FillMaskRecord) -> Iterable[Sequence[Cell]]:
    for rank, filled in enumerate(record.sequences or (), 1):
        yield *text_cells(record.text), rank, filled.logprob, joined(filled.tokens), filled.sequence


def _score_rows(record: FillMaskRecord) -> Iterable[Sequence[Cell]]:
    score = record.score
    if score is None:
        return
    for token in score.tokens:
        token_cells = token.position, token.token, token.id, token.logprob, token.surprisal, token.rank, token.best
        yield *text_cells(record.text), score.sum, score.mean, score.perplexity, *token_cells


def _word_score_rows(record: FillMaskRecord) -> Iterable[Sequence[Cell]]:
    for word in () if record.score is None else record.score.words or ():
        place = word.word, word.index, word.sentence or 0, word.start, word.end, joined(word.positions)
        yield *text_cells(record.text), *place, word.logprob, word.surprisal


def _word_score_json(record: FillMaskRecord) -> Mapping[str, Any]:
    found = record_json(record)
    if record.text.pair is None:
        for word in found["score"]["words"]:
            del word["sentence"]
    return found


def _lens_rows(record: FillMaskRecord) -> Iterable[Sequence[Cell]]:
    for place, mask in mask_cells(record):
        for layer in mask.lens or ():
            for found in layer.predictions:
                candidate = found.rank, found.score, found.logit, found.token, found.token_str
                yield *place, layer.layer, None, *candidate, None, None, mask.lens_method
            for target in layer.targets or ():
                own = target.rank, target.score, target.logit, target.token, target.token_str
                target_cells = target.logprob, target.share, mask.lens_method
                yield *place, layer.layer, target.target, *own, *target_cells


def _compare_rows(record: FillMaskRecord) -> Iterable[Sequence[Cell]]:
    for place, mask in mask_cells(record):
        comparison = mask.comparison
        if comparison is None:
            continue
        other_model = comparison.model, comparison.jensen_shannon
        for found in comparison.changes:
            ranks = found.rank, found.other_rank, found.change
            scores = found.score, found.other_score
            yield *place, None, found.token_str, *ranks, *scores, *other_model, *[None] * _TARGET_CELLS
        for own, other in zip(mask.targets or (), comparison.targets or (), strict=True):
            ranks = own.rank, other.rank, rank_change(own.rank, other.rank)
            target_cells = joined(own.pieces), own.logprob, other.logprob, own.share, other.share, own.method
            yield *place, own.target, own.token_str, *ranks, own.score, other.score, *other_model, *target_cells


def _mutual_rows(record: FillMaskRecord) -> Iterable[Sequence[Cell]]:
    tokens = record.text.tokens
    for position, row in enumerate(record.mutual if record.mutual is not None else ()):
        for masked_position, distance in enumerate(row):
            if distance == distance:  # special tokens are NaN
                place = (*text_cells(record.text), position, tokens[position])
                yield *place, masked_position, tokens[masked_position], float(distance)


# Plain answers


def _plain_prediction(record: FillMaskRecord, decode: Decode) -> Iterable[str]:
    """Yield the text with the best candidate in each mask; or the best target of each mask, if there are targets."""
    if any(mask.targets for mask in record.masks):
        best = (max(mask.targets or (), key=lambda target: target.logprob) for mask in record.masks)
        yield plain_line(*(target.target for target in best))
        return
    ids = list(record.text.input_ids)
    for mask in record.masks:
        ids[mask.position] = mask.predictions[0].token
    yield plain_line(decode(ids))


def _plain_sequence(record: FillMaskRecord) -> Iterable[str]:
    yield plain_line(*(filled.sequence for filled in (record.sequences or ())[:1]))


def _plain_score(record: FillMaskRecord) -> Iterable[str]:
    yield plain_line(None if record.score is None else record.score.sum)


# Tables and figures. They are imported when the first one is drawn: rich takes longer to load than JSON needs.


def _prediction_table(record: FillMaskRecord, info: RunInfo, mass: float | None) -> Any:
    from bertcli.output.tables.fill_mask import fill_mask_table

    return fill_mask_table(record, info, mass)


def _joint_table(record: FillMaskRecord, order: str, info: RunInfo) -> Any:
    from bertcli.output.tables.masks import joint_table

    return joint_table(record, order, info)


def _score_table(record: FillMaskRecord, info: RunInfo) -> Any:
    from bertcli.output.tables.masks import score_table

    return score_table(record, info)


def _word_score_table(record: FillMaskRecord, info: RunInfo) -> Any:
    from bertcli.output.tables.masks import word_score_table

    return word_score_table(record, info)


def _lens_table(record: FillMaskRecord, info: RunInfo) -> Any:
    from bertcli.output.tables.masks import lens_table

    return lens_table(record, info)


def _compare_table(record: FillMaskRecord, info: RunInfo, explanation: str) -> Any:
    from bertcli.output.tables.masks import compare_table

    return compare_table(record, info, explanation)


def _mutual_table(record: FillMaskRecord, info: RunInfo) -> Any:
    from bertcli.output.tables.masks import mutual_table

    return mutual_table(record, info)


def _mutual_figure(record: FillMaskRecord) -> HeatmapSet:
    from bertcli.output.heatmaps import mutual_heatmap

    return HeatmapSet(text_title(record.text), [mutual_heatmap(record)])
