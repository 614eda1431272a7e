"""Files of arrays: one matrix in .npy, several padded arrays in .npz and .safetensors."""

import shutil
import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, BinaryIO

import numpy as np

from bertcli.input.records import FailedText
from bertcli.lazy_dataclass import dataclass
from bertcli.model.session import Session
from bertcli.output.formatting import visible
from bertcli.output.records import BinaryWriters

FloatArray = np.ndarray[Any, Any]


class NpyWriter:
    """Writer of a matrix with one row for each text. A failed text is a row of NaN.

    Each row is written as soon as it is computed.
    """

    def __init__(self, stream: BinaryIO, width: int, row: Callable[[Any], FloatArray], dtype: str = "float32") -> None:
        """Write the start of the file.

        Args:
            stream: The file. If it cannot seek, the matrix is collected in a temporary file first.
            width: Number of columns.
            row: Returns the row of a record, (width,).
            dtype: Name of the dtype in the file.
        """
        self._stream, self._width, self._row = stream, width, row
        self._dtype = np.dtype(dtype).newbyteorder("<")
        self._count = 0
        # The header holds the number of rows, which is known only at the end.
        self._file = stream if stream.seekable() else tempfile.TemporaryFile()  # noqa: SIM115 - closed in finish
        self._write_header()

    def write(self, record: Any) -> None:
        self._append(self._row(record))

    def skip(self, failed: FailedText) -> None:
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
        # numpy pads the header so that the first axis can grow. The final header therefore fits over the first one.
        shape = (self._count, self._width)
        header = {"descr": self._dtype.str, "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(self._file, header)


@dataclass(frozen=True, slots=True)
class ArrayColumn:
    """An array of the file, stacked from the arrays of all texts.

    Attributes:
        get: Returns the array of a record.
        padding: Value that pads the arrays of shorter texts.
        failed: Value that fills the array of a failed text.
        batch_axis: Axis of the texts in the stacked array.
    """

    get: Callable[[Any], FloatArray]
    padding: float = 0
    failed: float = 0
    batch_axis: int = 0


class TensorsWriter:
    """Writer of several named arrays, each with an axis of texts. Shorter texts are padded on the right."""

    def __init__(
        self,
        stream: BinaryIO,
        columns: Mapping[str, ArrayColumn],
        constants: Mapping[str, FloatArray],
        save: Callable[[BinaryIO, Mapping[str, FloatArray]], None],
    ) -> None:
        """Store the arguments; the file is written at the end.

        Args:
            stream: The file.
            columns: The arrays by name.
            constants: Arrays that do not depend on the texts, by name.
            save: Writes named arrays to the file.
        """
        self._stream, self._columns, self._constants, self._save = stream, columns, constants, save
        self._parts: dict[str, list[FloatArray | None]] = {name: [] for name in columns}

    def write(self, record: Any) -> None:
        for name, column in self._columns.items():
            self._parts[name].append(column.get(record))

    def skip(self, failed: FailedText) -> None:
        for parts in self._parts.values():
            parts.append(None)

    def finish(self) -> None:
        arrays = {name: stack_padded(self._parts[name], column) for name, column in self._columns.items()}
        self._save(self._stream, {**arrays, **self._constants})


def stack_padded(parts: list[FloatArray | None], column: ArrayColumn) -> FloatArray:
    """Stack arrays of different sizes into one.

    Args:
        parts: The array of each text, None for a failed text. All have the same number of axes.
        column: The padding, the value of failed texts, and the axis of the texts.

    Returns:
        A contiguous array with one axis more than the parts; each other axis is as long as in the longest part. If all
        texts failed, an array of shape (texts,).
    """
    present = [part for part in parts if part is not None]
    if not present:
        return np.full((len(parts),), column.failed, np.float32)
    shape = tuple(np.max([part.shape for part in present], axis=0))
    stacked = np.full((len(parts), *shape), column.padding, present[0].dtype)
    for row, part in enumerate(parts):
        if part is None:
            stacked[row] = column.failed
        else:
            place: tuple[int | slice, ...] = (row, *(slice(size) for size in part.shape))
            stacked[place] = part
    return np.ascontiguousarray(np.moveaxis(stacked, 0, column.batch_axis))


def save_npz(stream: BinaryIO, arrays: Mapping[str, FloatArray]) -> None:
    """Write named arrays in the format of numpy.load."""
    np.savez(stream, **dict(arrays))  # type: ignore[arg-type]  # its stub takes a name for allow_pickle


def save_safetensors(stream: BinaryIO, arrays: Mapping[str, FloatArray], metadata: Mapping[str, str]) -> None:
    """Write named arrays in the safetensors format.

    Args:
        stream: The file.
        arrays: The arrays by name.
        metadata: Text for the header of the file.
    """
    from safetensors.numpy import save

    stream.write(save(dict(arrays), metadata=dict(metadata)))


def tensor_writers(
    session: Session,
    columns: Mapping[str, ArrayColumn],
    constants: Mapping[str, Any] | None = None,
    *,
    has_tokens: bool = True,
) -> BinaryWriters:
    """Return the writers of .npz and .safetensors.

    Args:
        session: The open checkpoint.
        columns: The arrays to write, by name.
        constants: Arrays that do not depend on the texts, by name.
        has_tokens: Add the input_ids and the attention_mask of the texts.
    """
    pad_token_id = session.tokenizer.pad_token_id
    all_columns = dict(columns)
    if has_tokens:
        all_columns["attention_mask"] = ArrayColumn(lambda record: np.ones(len(record.text.tokens), np.int64))
        all_columns["input_ids"] = ArrayColumn(
            lambda record: np.array(record.text.input_ids, np.int64), padding=pad_token_id, failed=pad_token_id
        )
    metadata = {"format": "np", "model": visible(session.checkpoint.name)}
    saves: Mapping[str, Callable[[BinaryIO, Mapping[str, Any]], None]] = {
        ".npz": save_npz,
        ".safetensors": partial(save_safetensors, metadata=metadata),
    }
    return {
        suffix: partial(TensorsWriter, columns=all_columns, constants=constants or {}, save=save)
        for suffix, save in saves.items()
    }
