"""Schema of models: the models that can be opened without a download."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bertcli.output.formatting import joined
from bertcli.output.schema import Cell, JsonKeys, Schema, jsonable
from bertcli.results.models import KnownModel, ModelsResult

_COLUMNS = (
    "model", "revision", "refs", "family", "num_hidden_layers", "hidden_size", "num_attention_heads", "parameters",
    "bytes", "pooler", "mlm_head",
)  # fmt: skip
_JSON_KEYS: JsonKeys = {KnownModel: _COLUMNS}


def models_schema() -> Schema[ModelsResult]:
    """Return the schema of models: a row for each model."""
    return Schema(_COLUMNS, _rows, _result_json, _table, to_lines=_lines, is_document=True)


def _rows(result: ModelsResult) -> Iterable[Sequence[Cell]]:
    # A row has the values of JSON; branches and tags share a cell.
    for model in _lines(result):
        yield [joined(model["refs"]) if name == "refs" else model[name] for name in _COLUMNS]


def _result_json(result: ModelsResult) -> Mapping[str, Any]:
    found: Mapping[str, Any] = jsonable(result, _JSON_KEYS)
    return found


def _lines(result: ModelsResult) -> Sequence[Mapping[str, Any]]:
    return [jsonable(model, _JSON_KEYS) for model in result.models]


def _table(result: ModelsResult) -> Any:
    from bertcli.output.tables.models import models_table

    return models_table(result)
