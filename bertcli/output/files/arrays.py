"""Records as arrays: one matrix in .npy, several padded arrays in .npz and .safetensors."""

import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, BinaryIO

import numpy as np

from bertcli.input.records import FailedText
from bertcli.model.session import Session
from bertcli.output.records import BinaryWriters

FloatArray = np.ndarray[Any, Any]


class NpyWriter:
    """Writer of a matrix, one row for each text, written as the rows arrive. A failed text is a row of NaN."""

    def __init__(self, stream: BinaryIO, width: int, row: Callable[[Any], FloatArray], dtype: str = "float32") -> None:
        self._stream, self._width, self._row = stream, width, row
        self._dtype = np.dtype(dtype).newbyteorder("<")
        self._count = 0
        # The header holds the number of rows, which is known at the end only.
        self._file = stream if stream.seekable() else tempfile.TemporaryFile()  # noqa: SIM115 - closed in finish
        self._write_header()

    def write(self, record: Any) -> None:
        self._append(self._row(record))

    def skip(self, missing: FailedText) -> None:
        self._append(np.full(self._width, np.nan))

    def finish(self) -> None:
        self._file.seek(0)
        self._write_header()
        if self._file is not self._stream:
            self._file.seek(0)
            shutil.copyfileobj(self._file, self._stream)
            self._file.close()

    def _append(self, row: FloatArray) -> None:
        self._file.write(np.ascontiguousarray(row, self._dtype).tobytes())
        self._count += 1

    def _write_header(self) -> None:
        # numpy leaves space in the header for the first axis to grow, so the final header fits over the first one.
        shape = (self._count, self._width)
        header = {"descr": self._dtype.str, "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(self._file, header)


@dataclass(frozen=True, slots=True)
class Column:
    """One array of the file.

    Attributes:
        of: Returns the array of one record.
        fill: Padding for texts that are shorter than the longest.
        missing: Value of a failed text.
        batch_axis: Position of the axis of texts.
    """

    of: Callable[[Any], FloatArray]
    fill: float = 0
    missing: float = 0
    batch_axis: int = 0


class TensorsWriter:
    """Writer of several named arrays, each with an axis of texts. Shorter texts are padded on the right."""

    def __init__(
        self,
        stream: BinaryIO,
        columns: Mapping[str, Column],
        constants: Mapping[str, FloatArray],
        save: Callable[[BinaryIO, Mapping[str, FloatArray]], None],
    ) -> None:
        self._stream, self._columns, self._constants, self._save = stream, columns, constants, save
        self._parts: dict[str, list[FloatArray | None]] = {name: [] for name in columns}

    def write(self, record: Any) -> None:
        for name, column in self._columns.items():
            self._parts[name].append(column.of(record))

    def skip(self, missing: FailedText) -> None:
        for parts in self._parts.values():
            parts.append(None)

    def finish(self) -> None:
        arrays = {name: stack_padded(self._parts[name], column) for name, column in self._columns.items()}
        self._save(self._stream, {**arrays, **self._constants})


def stack_padded(parts: list[FloatArray | None], column: Column) -> FloatArray:
    """Return arrays of different sizes as one array, each padded to the largest. None is a failed text."""
    present = [part for part in parts if part is not None]
    if not present:
        return np.full((len(parts),), column.missing, np.float32)
    shape = tuple(np.max([part.shape for part in present], axis=0))
    stacked = np.full((len(parts), *shape), column.fill, present[0].dtype)
    for row, part in enumerate(parts):
        if part is None:
            stacked[row] = column.missing
        else:
            stacked[row][tuple(slice(size) for size in part.shape)] = part
    return np.ascontiguousarray(np.moveaxis(stacked, 0, column.batch_axis))


def save_npz(stream: BinaryIO, arrays: Mapping[str, FloatArray]) -> None:
    """Write the arrays for numpy.load."""
    np.savez(stream, **dict(arrays))  # type: ignore[arg-type]  # its stub takes a name for allow_pickle


def save_safetensors(stream: BinaryIO, arrays: Mapping[str, FloatArray], metadata: Mapping[str, str]) -> None:
    """Write the arrays in the safetensors format, with the metadata in its header."""
    from safetensors.numpy import save

    stream.write(save(dict(arrays), metadata=dict(metadata)))


def tensor_writers(
    session: Session, columns: Mapping[str, Column], constants: Mapping[str, Any] | None = None
) -> BinaryWriters:
    """Return the writers of .npz and .safetensors files with these arrays and their attention_mask and input_ids."""
    pad_token_id = session.tokenizer.pad_token_id
    everything = {
        **columns,
        "attention_mask": Column(lambda record: np.ones(len(record.text.tokens), np.int64)),
        "input_ids": Column(lambda record: np.array(record.text.input_ids), fill=pad_token_id, missing=pad_token_id),
    }
    metadata = {"format": "np", "model": session.checkpoint.name}
    saves: Mapping[str, Callable[[BinaryIO, Mapping[str, Any]], None]] = {
        ".npz": save_npz,
        ".safetensors": partial(save_safetensors, metadata=metadata),
    }
    return {
        suffix: partial(TensorsWriter, columns=everything, constants=constants or {}, save=save)
        for suffix, save in saves.items()
    }
