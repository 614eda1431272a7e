"""How predictions for masks look; and every record of fill-mask as JSON, whatever was asked."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bertcli.output.formatting import number, numbers
from bertcli.output.records import joined
from bertcli.output.schema import Cell, Schema
from bertcli.output.schemas.texts import TEXT_COLUMNS, text_cells, text_json
from bertcli.results.masks import (
    Comparison,
    FillMaskRecord,
    LensLayer,
    MaskPredictions,
    Prediction,
    TargetPrediction,
    TextScore,
)
from bertcli.results.texts import RunInfo

MASK_COLUMNS = (*TEXT_COLUMNS, "mask", "position")


def fill_mask_schema(info: RunInfo, mass: float | None = None) -> Schema[FillMaskRecord]:
    """The view of fill-mask: a row for each candidate and target of each mask. mass: what they were to reach."""

    def table(record: FillMaskRecord) -> Any:
        from bertcli.output.tables.fill_mask import fill_mask_table

        return fill_mask_table(record, info, mass)

    columns = (
        *MASK_COLUMNS, "target", "rank", "score", "logit", "token", "token_str", "sequence",
        "pieces", "logprob", "share", "method", "entropy", "mass",
    )  # fmt: skip
    return Schema(columns, _rows, record_json, table)


def masks_of(record: FillMaskRecord) -> Iterable[tuple[Sequence[Cell], MaskPredictions]]:
    """Each mask, with its cells under MASK_COLUMNS."""
    for ordinal, mask in enumerate(record.masks):
        yield (*text_cells(record.text), ordinal, mask.position), mask


def _rows(record: FillMaskRecord) -> Iterable[Sequence[Cell]]:
    for place, mask in masks_of(record):
        for found in mask.predictions:
            yield *place, None, *_cells(found), None, None, None, None, mask.entropy, mask.mass
        for target in mask.targets or ():
            of_target = joined(target.pieces), target.logprob, target.share, target.method
            yield *place, target.target, *_cells(target), *of_target, mask.entropy, mask.mass


def _cells(found: Prediction | TargetPrediction) -> Sequence[Cell]:
    return found.rank, found.score, found.logit, found.token, found.token_str, found.sequence


def record_json(record: FillMaskRecord) -> Mapping[str, Any]:
    """The record's object: its masks, and of the whole text what was asked."""
    found: dict[str, Any] = {**text_json(record.text), "masks": [_mask_json(mask) for mask in record.masks]}
    if record.sequences is not None:
        found["sequences"] = [
            {"sequence": filled.sequence, "tokens": list(filled.tokens), "logprob": number(filled.logprob)}
            for filled in record.sequences
        ]
    if record.score is not None:
        found["score"] = _score_json(record.score)
    if record.mutual is not None:
        found["mutual"] = numbers(record.mutual)
    return found


def _mask_json(mask: MaskPredictions) -> Mapping[str, Any]:
    found: dict[str, Any] = {"position": mask.position, "predictions": list(map(_prediction_json, mask.predictions))}
    if mask.targets is not None:
        found["targets"] = list(map(_target_json, mask.targets))
    if mask.entropy is not None:
        found["entropy"] = number(mask.entropy)
    if mask.mass is not None:
        found["mass"] = number(mask.mass)
    if mask.lens is not None:
        found["lens"] = list(map(_layer_json, mask.lens))
    if mask.comparison is not None:
        found["comparison"] = _comparison_json(mask.comparison)
    return found


def _prediction_json(prediction: Prediction) -> Mapping[str, Any]:
    return {
        "score": number(prediction.score),
        "token": prediction.token,
        "token_str": prediction.token_str,
        "sequence": prediction.sequence,
        "rank": prediction.rank,
        "logit": number(prediction.logit),
    }


def _target_json(target: TargetPrediction) -> Mapping[str, Any]:
    return {
        "target": target.target,
        "score": number(target.score),
        "token": target.token,
        "token_str": target.token_str,
        "sequence": target.sequence,
        "rank": target.rank,
        "logit": None if target.logit is None else number(target.logit),
        "pieces": list(target.pieces),
        "logprob": number(target.logprob),
        "share": number(target.share),
        "method": target.method,
    }


def _layer_json(layer: LensLayer) -> Mapping[str, Any]:
    found = {"layer": layer.layer, "predictions": list(map(_prediction_json, layer.predictions))}
    return found if layer.targets is None else {**found, "targets": list(map(_target_json, layer.targets))}


def _comparison_json(comparison: Comparison) -> Mapping[str, Any]:
    distance = comparison.jensen_shannon
    found: dict[str, Any] = {
        "model": comparison.model,
        "revision": comparison.revision,
        "predictions": list(map(_prediction_json, comparison.predictions)),
        "jensen_shannon": None if distance is None else number(distance),
        "changes": [
            {
                "token_str": change.token_str,
                "rank": change.rank,
                "other_rank": change.other_rank,
                "change": change.change,
                "score": None if change.score is None else number(change.score),
                "other_score": None if change.other_score is None else number(change.other_score),
            }
            for change in comparison.changes
        ],
    }
    return found if comparison.targets is None else {**found, "targets": list(map(_target_json, comparison.targets))}


def _score_json(score: TextScore) -> Mapping[str, Any]:
    return {
        "sum": number(score.sum),
        "mean": number(score.mean),
        "perplexity": number(score.perplexity),
        "method": score.method,
        "tokens": [
            {
                "position": token.position,
                "token": token.token,
                "id": token.id,
                "logprob": number(token.logprob),
                "surprisal": number(token.surprisal),
                "rank": token.rank,
                "best": token.best,
            }
            for token in score.tokens
        ],
    }
