"""How shapes look."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bertcli.output.formatting import shape
from bertcli.output.schema import Cell, Schema
from bertcli.results.models import ModelClass, Output, ShapesResult, StoredTensor
from bertcli.results.texts import RunInfo


def shapes_schema(info: RunInfo) -> Schema[ShapesResult]:
    """The view of shapes: an output of a class in each row."""

    def table(result: ShapesResult) -> Any:
        from bertcli.output.tables.shapes import shapes_table

        return shapes_table(result, info)

    columns = (
        "class", "parameters", "name", "symbolic", "shape", "count", "dtype", "bytes", "default", "in_checkpoint",
        "ran",
    )  # fmt: skip
    return Schema(columns, _rows, _json, table, to_lines=_lines, is_document=True)


def weights_schema(info: RunInfo) -> Schema[ShapesResult]:
    """The view of a checkpoint's tensors: one in each row."""

    def table(result: ShapesResult) -> Any:
        from bertcli.output.tables.shapes import weights_table

        return weights_table(result, info)

    columns = ("name", "shape", "dtype", "parameters", "bytes")
    return Schema(columns, _weights_rows, _weights_json, table, to_lines=_weights_lines, is_document=True)


def _rows(result: ShapesResult) -> Iterable[Sequence[Cell]]:
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
                None if output.ran is None else _ran(output.ran),
            )


def _json(result: ShapesResult) -> Mapping[str, Any]:
    return {
        "batch_size": result.batch_size,
        "sequence_length": result.sequence_length,
        "holds": None if result.holds is None else dict(result.holds),
        "classes": list(_lines(result)),
    }


def _lines(result: ShapesResult) -> Iterable[Mapping[str, Any]]:
    return (_class_json(model_class) for model_class in result.classes)


def _class_json(model_class: ModelClass) -> Mapping[str, Any]:
    return {
        "class": model_class.name,
        "parameters": model_class.parameters,
        "outputs": [_output_json(output) for output in model_class.outputs],
    }


def _output_json(output: Output) -> Mapping[str, Any]:
    return {
        "name": output.name,
        "symbolic": list(output.symbolic),
        "shape": list(output.shape),
        "count": output.count,
        "dtype": output.dtype,
        "bytes": output.nbytes,
        "default": output.default,
        "in_checkpoint": output.in_checkpoint,
        **({"ran": _ran_json(output.ran)} if output.ran is not None else {}),
    }


def _ran(shapes: Sequence[Sequence[int]]) -> str:
    """The shape that came out, once where all tensors have it."""
    return " ".join(dict.fromkeys(map(shape, shapes)))


def _ran_json(shapes: Sequence[Sequence[int]]) -> Sequence[object]:
    """One shape where all tensors have it, as `shape` is; else each tensor's."""
    distinct = list(dict.fromkeys(map(tuple, shapes)))
    return list(distinct[0]) if len(distinct) == 1 else [list(each) for each in shapes]


def _weights_rows(result: ShapesResult) -> Iterable[Sequence[Cell]]:
    for tensor in result.tensors or ():
        yield tensor.name, shape(tensor.shape), tensor.dtype, tensor.parameters, tensor.nbytes


def _weights_json(result: ShapesResult) -> Mapping[str, Any]:
    tensors = result.tensors or ()
    total = {
        "tensors": len(tensors),
        "parameters": sum(tensor.parameters for tensor in tensors),
        "bytes": sum(tensor.nbytes for tensor in tensors),
    }
    return {"tensors": [_tensor_json(tensor) for tensor in tensors], "total": total}


def _weights_lines(result: ShapesResult) -> Iterable[Mapping[str, Any]]:
    return map(_tensor_json, result.tensors or ())


def _tensor_json(tensor: StoredTensor) -> Mapping[str, Any]:
    return {
        "name": tensor.name,
        "shape": list(tensor.shape),
        "dtype": tensor.dtype,
        "parameters": tensor.parameters,
        "bytes": tensor.nbytes,
    }
