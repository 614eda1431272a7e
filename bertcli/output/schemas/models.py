"""Schemas of models and shapes: the models on this machine, the outputs of a model, and the tensors of a checkpoint."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from bertcli.output.display import recipe_steps
from bertcli.output.formatting import joined, shape
from bertcli.output.records import plain_line
from bertcli.output.schema import Cell, JsonKeys, Schema, jsonable
from bertcli.results.models import KnownModel, ModelClass, ModelsResult, Output, ShapesResult, StoredTensor
from bertcli.results.texts import RunInfo

_MODEL_COLUMNS = (
    "model", "revision", "refs", "family", "num_hidden_layers", "hidden_size", "num_attention_heads", "parameters",
    "bytes", "pooler", "mlm_head", "recipe", "recipe_error",
)  # fmt: skip
_TENSOR_COLUMNS = ("name", "shape", "dtype", "parameters", "bytes")
_JSON_KEYS: JsonKeys = {
    KnownModel: _MODEL_COLUMNS,
    Output: ("name", "symbolic", "shape", "count", "dtype", "bytes", "default", "in_checkpoint"),
    StoredTensor: _TENSOR_COLUMNS,
}


def models_schema() -> Schema[ModelsResult]:
    """Return the schema of models: a row for each model."""
    return Schema(
        _MODEL_COLUMNS,
        _model_rows,
        _models_json,
        _models_table,
        to_lines=_model_lines,
        is_document=True,
        to_plain=_plain_names,
    )


def shapes_schema(info: RunInfo) -> Schema[ShapesResult]:
    """Return the schema of tensor shapes: a row for each output of each class."""
    columns = (
        "class", "parameters", "name", "symbolic", "shape", "count", "dtype", "bytes", "default", "in_checkpoint",
        "ran",
    )  # fmt: skip
    table = partial(_shapes_table, info=info)
    empty = ShapesResult(0, 0, [])
    return Schema(
        columns,
        _shapes_rows,
        _shapes_json,
        table,
        to_lines=_class_lines,
        is_document=True,
        empty=empty,
        to_plain=_plain_shapes,
    )


def weights_schema(info: RunInfo) -> Schema[ShapesResult]:
    """Return the schema of a checkpoint's tensors: a row for each tensor."""
    table = partial(_weights_table, info=info)
    return Schema(
        _TENSOR_COLUMNS,
        _weights_rows,
        _weights_json,
        table,
        to_lines=_tensor_lines,
        is_document=True,
        to_plain=_plain_tensors,
    )


# Rows


def _model_rows(result: ModelsResult) -> Iterable[Sequence[Cell]]:
    # A row has the values of the JSON object, except that branches and tags share a cell, and a recipe is in words.
    for model, values in zip(result.models, _model_lines(result), strict=True):
        steps = None if model.recipe is None else recipe_steps(model.recipe)
        yield [*({**values, "refs": joined(values["refs"]), "recipe": steps}[name] for name in _MODEL_COLUMNS)]


def _shapes_rows(result: ShapesResult) -> Iterable[Sequence[Cell]]:
    for model_class in result.classes:
        for output in model_class.outputs:
            yield (
                model_class.name,
                model_class.parameters,
                output.name,
                shape(output.symbolic),
                shape(output.shape),
                output.count,
                output.dtype,
                output.nbytes,
                output.default,
                output.in_checkpoint,
                None if output.ran is None else " ".join(map(shape, _distinct(output.ran))),
            )


def _weights_rows(result: ShapesResult) -> Iterable[Sequence[Cell]]:
    for tensor in result.tensors or ():
        yield tensor.name, shape(tensor.shape), tensor.dtype, tensor.parameters, tensor.nbytes


# Plain answers


def _plain_names(result: ModelsResult) -> Iterable[str]:
    return dict.fromkeys(plain_line(model.model) for model in result.models)


def _plain_shapes(result: ShapesResult) -> Iterable[str]:
    """Return the name and shape of one tensor of each output. Classes have outputs in common."""
    outputs = (output for model_class in result.classes for output in model_class.outputs)
    return dict.fromkeys(plain_line(joined([output.name, *output.shape])) for output in outputs)


def _plain_tensors(result: ShapesResult) -> Iterable[str]:
    return (plain_line(joined([tensor.name, *tensor.shape])) for tensor in result.tensors or ())


def _distinct(shapes: Sequence[Sequence[int]]) -> Sequence[Sequence[int]]:
    """Return each different shape once, in order."""
    return list(dict.fromkeys(map(tuple, shapes)))


# JSON


def _models_json(result: ModelsResult) -> Mapping[str, Any]:
    found: Mapping[str, Any] = jsonable(result, _JSON_KEYS)
    return found


def _model_lines(result: ModelsResult) -> Sequence[Mapping[str, Any]]:
    return [jsonable(model, _JSON_KEYS) for model in result.models]


def _shapes_json(result: ShapesResult) -> Mapping[str, Any]:
    return {
        "batch_size": result.batch_size,
        "sequence_length": result.sequence_length,
        "holds": jsonable(result.holds),
        "classes": list(_class_lines(result)),
    }


def _class_lines(result: ShapesResult) -> Iterable[Mapping[str, Any]]:
    return map(_class_json, result.classes)


def _class_json(model_class: ModelClass) -> Mapping[str, Any]:
    return {
        "class": model_class.name,
        "parameters": model_class.parameters,
        "outputs": [_output_json(output) for output in model_class.outputs],
    }


def _output_json(output: Output) -> Mapping[str, Any]:
    found: Mapping[str, Any] = jsonable(output, _JSON_KEYS)
    return found if output.ran is None else {**found, "ran": _ran_json(output.ran)}


def _ran_json(shapes: Sequence[Sequence[int]]) -> Sequence[object]:
    """Return one shape if all tensors have it, as in the key `shape`; else the shape of each tensor."""
    distinct = _distinct(shapes)
    return list(distinct[0]) if len(distinct) == 1 else [list(each) for each in shapes]


def _weights_json(result: ShapesResult) -> Mapping[str, Any]:
    tensors = result.tensors or ()
    total = {
        "tensors": len(tensors),
        "parameters": sum(tensor.parameters for tensor in tensors),
        "bytes": sum(tensor.nbytes for tensor in tensors),
    }
    return {"tensors": list(_tensor_lines(result)), "total": total}


def _tensor_lines(result: ShapesResult) -> Iterable[Mapping[str, Any]]:
    return (jsonable(tensor, _JSON_KEYS) for tensor in result.tensors or ())


# Tables. They are imported when the first one is drawn: rich takes longer to load than JSON needs.


def _models_table(result: ModelsResult) -> Any:
    from bertcli.output.tables.models import models_table

    return models_table(result)


def _shapes_table(result: ShapesResult, info: RunInfo) -> Any:
    from bertcli.output.tables.models import shapes_table

    return shapes_table(result, info)


def _weights_table(result: ShapesResult, info: RunInfo) -> Any:
    from bertcli.output.tables.models import weights_table

    return weights_table(result, info)
