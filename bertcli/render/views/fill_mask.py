"""How predictions for masks look."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bertcli.render.numbers import number
from bertcli.render.view import Cell, View
from bertcli.render.views.texts import TEXT_COLUMNS, text_cells, text_json
from bertcli.results import FillMaskRecord, MaskPredictions, Prediction, RunInfo, TargetPrediction


def fill_mask_view(info: RunInfo) -> View[FillMaskRecord]:
    """The view of fill-mask."""

    def table(record: FillMaskRecord) -> Any:
        from bertcli.render.tables.fill_mask import fill_mask_table

        return fill_mask_table(record, info)

    columns = (
        *TEXT_COLUMNS,
        "mask", "position", "target", "rank", "score", "logit", "token", "token_str", "sequence",
    )  # fmt: skip
    return View(columns, _rows, _json, table)


def _rows(record: FillMaskRecord) -> Iterable[Sequence[Cell]]:
    for ordinal, mask in enumerate(record.masks):
        place = (*text_cells(record.text), ordinal, mask.position)
        for prediction in mask.predictions:
            yield *place, None, *_cells(prediction)
        for target in mask.targets or ():
            yield *place, target.target, *_cells(target.prediction)


def _cells(prediction: Prediction) -> Sequence[Cell]:
    return (
        prediction.rank,
        prediction.score,
        prediction.logit,
        prediction.token,
        prediction.token_str,
        prediction.sequence,
    )


def _json(record: FillMaskRecord) -> Mapping[str, Any]:
    return {**text_json(record.text), "masks": [_mask_json(mask) for mask in record.masks]}


def _mask_json(mask: MaskPredictions) -> Mapping[str, Any]:
    found: dict[str, Any] = {
        "position": mask.position,
        "predictions": [_prediction_json(prediction) for prediction in mask.predictions],
    }
    if mask.targets is not None:
        found["targets"] = [_target_json(target) for target in mask.targets]
    return found


def _target_json(target: TargetPrediction) -> Mapping[str, Any]:
    return {"target": target.target, **_prediction_json(target.prediction)}


def _prediction_json(prediction: Prediction) -> Mapping[str, Any]:
    return {
        "score": number(prediction.score),
        "token": prediction.token,
        "token_str": prediction.token_str,
        "sequence": prediction.sequence,
        "rank": prediction.rank,
        "logit": number(prediction.logit),
    }
