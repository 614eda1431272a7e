"""How the models that are here look."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bertcli.output.records import joined
from bertcli.output.schema import Cell, Schema
from bertcli.results.models import KnownModel, ModelsResult, SkippedModel

_COLUMNS = (
    "model", "revision", "refs", "family", "num_hidden_layers", "hidden_size", "num_attention_heads", "parameters",
    "bytes", "pooler", "mlm_head",
)  # fmt: skip


def models_schema() -> Schema[ModelsResult]:
    """The view of models: one in each row."""

    def table(result: ModelsResult) -> Any:
        from bertcli.output.tables.models import models_table

        return models_table(result)

    return Schema(_COLUMNS, _rows, _json, table, to_lines=_lines, is_document=True)


def _rows(result: ModelsResult) -> Iterable[Sequence[Cell]]:
    for model in result.models:
        values = _model_json(model)
        yield [joined(model.refs) if name == "refs" else values[name] for name in _COLUMNS]


def _json(result: ModelsResult) -> Mapping[str, Any]:
    return {
        "cache": result.cache,
        "models": list(_lines(result)),
        "left_out": [_left_out_json(each) for each in result.left_out],
    }


def _lines(result: ModelsResult) -> Iterable[Mapping[str, Any]]:
    return map(_model_json, result.models)


def _model_json(model: KnownModel) -> Mapping[str, Any]:
    return {
        "model": model.model,
        "revision": model.revision,
        "refs": list(model.refs),
        "family": model.family,
        "num_hidden_layers": model.num_hidden_layers,
        "hidden_size": model.hidden_size,
        "num_attention_heads": model.num_attention_heads,
        "parameters": model.parameters,
        "bytes": model.nbytes,
        "pooler": model.has_pooler,
        "mlm_head": model.has_mlm_head,
    }


def _left_out_json(left_out: SkippedModel) -> Mapping[str, Any]:
    return {"model": left_out.model, "revision": left_out.revision, "reason": left_out.reason}
