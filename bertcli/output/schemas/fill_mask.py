"""Schema of fill-mask's predictions, and the JSON of all its records."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from bertcli.output.formatting import joined
from bertcli.output.schema import Cell, JsonKeys, Schema, jsonable
from bertcli.output.schemas.texts import TEXT_COLUMNS, text_cells, text_json
from bertcli.results.masks import Change, FillMaskRecord, MaskPredictions, Prediction, TargetPrediction, TextScore
from bertcli.results.texts import RunInfo

MASK_COLUMNS = (*TEXT_COLUMNS, "mask", "position")
# The keys of transformers' fill-mask pipeline come first.
_PREDICTION_KEYS = ("score", "token", "token_str", "sequence", "rank", "logit")
_JSON_KEYS: JsonKeys = {
    FillMaskRecord: ("masks", "sequences", "score", "mutual"),
    Prediction: _PREDICTION_KEYS,
    TargetPrediction: ("target", *_PREDICTION_KEYS, "pieces", "logprob", "share", "method"),
    Change: ("token_str", "rank", "other_rank", "change", "score", "other_score"),
    TextScore: ("sum", "mean", "perplexity", "method", "tokens"),
}


def fill_mask_schema(info: RunInfo, mass: float | None = None) -> Schema[FillMaskRecord]:
    """Return the schema of predictions: a row for each candidate and each target of each mask.

    Args:
        info: Run to name in captions.
        mass: Probability that the candidates are meant to cover, or None.
    """
    columns = (
        *MASK_COLUMNS, "target", "rank", "score", "logit", "token", "token_str", "sequence",
        "pieces", "logprob", "share", "method", "entropy", "mass",
    )  # fmt: skip
    return Schema(columns, _rows, record_json, partial(_table, info=info, mass=mass))


def mask_cells(record: FillMaskRecord) -> Iterable[tuple[Sequence[Cell], MaskPredictions]]:
    """Yield the cells of MASK_COLUMNS for each mask, and the mask."""
    for ordinal, mask in enumerate(record.masks):
        yield (*text_cells(record.text), ordinal, mask.position), mask


def record_json(record: FillMaskRecord) -> Mapping[str, Any]:
    """Return the JSON object of a record: its text, its masks, and what was computed for the whole text."""
    return {**text_json(record.text), **jsonable(record, _JSON_KEYS)}


def _rows(record: FillMaskRecord) -> Iterable[Sequence[Cell]]:
    for place, mask in mask_cells(record):
        for candidate in mask.predictions:
            yield *place, None, *_prediction_cells(candidate), None, None, None, None, mask.entropy, mask.mass
        for target in mask.targets or ():
            target_cells = joined(target.pieces), target.logprob, target.share, target.method
            yield *place, target.target, *_prediction_cells(target), *target_cells, mask.entropy, mask.mass


def _prediction_cells(found: Prediction | TargetPrediction) -> Sequence[Cell]:
    return found.rank, found.score, found.logit, found.token, found.token_str, found.sequence


def _table(record: FillMaskRecord, info: RunInfo, mass: float | None) -> Any:
    from bertcli.output.tables.fill_mask import fill_mask_table

    return fill_mask_table(record, info, mass)
