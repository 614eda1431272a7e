"""Files of arrays: a matrix in .npy, and padded tensors in .npz and .safetensors."""

import io
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import load as load_safetensors

from bertcli.errors import BadText
from bertcli.input.records import FailedText
from bertcli.output.files.arrays import ArrayColumn, NpyWriter, TensorsWriter, save_npz, save_safetensors, stack_padded

Rows = Sequence[Any]
FAILED = FailedText(0, None, BadText("it is empty"))


class Pipe(io.RawIOBase):
    """A stream that cannot seek."""

    def __init__(self) -> None:
        self.content = b""

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False

    def write(self, content: Any) -> int:
        self.content += bytes(content)
        return len(content)


def npy_bytes(rows: Rows, width: int) -> bytes:
    """Return the .npy file of a matrix. A row of None is a failed text."""
    stream = io.BytesIO()
    write_rows(NpyWriter(stream, width, np.asarray), rows)
    return stream.getvalue()


def write_rows(writer: NpyWriter, rows: Rows) -> None:
    """Write every row and the end of the file."""
    for row in rows:
        if row is None:
            writer.skip(FAILED)
        else:
            writer.write(row)
    writer.finish()


@given(st.lists(st.none() | st.lists(st.floats(width=32), min_size=3, max_size=3), max_size=20))
def test_npy_holds_every_row(rows: Rows) -> None:
    matrix = np.load(io.BytesIO(npy_bytes(rows, 3)))
    expected = np.array([[np.nan] * 3 if row is None else row for row in rows], np.float32).reshape(-1, 3)
    assert (matrix.dtype, matrix.shape) == (np.float32, (len(rows), 3))
    np.testing.assert_array_equal(matrix, expected)


def test_npy_equals_the_file_of_numpy_save() -> None:
    matrix = np.arange(6, dtype=np.float32).reshape(2, 3)
    saved = io.BytesIO()
    np.save(saved, matrix)
    assert npy_bytes(list(matrix), 3) == saved.getvalue()


def test_npy_holds_float32_by_default() -> None:
    assert np.load(io.BytesIO(npy_bytes([np.array([1.5, 2.5], np.float16)], 2))).dtype == np.dtype("<f4")


def test_npy_can_be_written_to_a_pipe() -> None:
    rows = [[1.0, 2.0], None, [3.0, 4.0]]
    pipe = Pipe()
    write_rows(NpyWriter(pipe, 2, np.asarray), rows)  # type: ignore[arg-type]
    assert pipe.content == npy_bytes(rows, 2)


def test_the_header_of_many_rows_fits_over_the_header_of_none(tmp_path: Path) -> None:
    count = 100_001
    path = tmp_path / "rows.npy"
    with path.open("wb") as file:
        writer = NpyWriter(file, 1, np.asarray)
        for _ in range(count):
            writer.skip(FAILED)
        writer.finish()
    assert path.stat().st_size == 128 + 4 * count
    matrix = np.load(path, mmap_mode="r")
    assert matrix.shape == (count, 1)
    assert np.isnan(matrix[[0, -1]]).all()


@pytest.mark.parametrize("count", [0, 9, 10, 10**9, 10**18])
def test_the_length_of_the_header_does_not_depend_on_the_number_of_rows(count: int) -> None:
    stream = io.BytesIO()
    writer = NpyWriter(stream, 768, np.asarray)
    writer._count = count
    writer.finish()
    assert len(stream.getvalue()) == 128


def test_shorter_arrays_are_padded_on_the_right() -> None:
    column = ArrayColumn(np.asarray, padding=9)
    parts = [np.array([[1, 2], [3, 4]]), np.array([[5]])]
    assert stack_padded(parts, column).tolist() == [[[1, 2], [3, 4]], [[5, 9], [9, 9]]]


def test_each_axis_is_as_long_as_its_longest_part() -> None:
    parts = [np.ones((1, 3)), np.ones((2, 1))]
    stacked = stack_padded(parts, ArrayColumn(np.asarray))
    assert stacked.shape == (2, 2, 3)
    assert stacked.sum((1, 2)).tolist() == [3, 2]


def test_batch_axis_sets_the_axis_of_the_texts() -> None:
    layers = [np.full((3, 2), 1.0), np.full((3, 4), 2.0)]
    stacked = stack_padded(layers, ArrayColumn(np.asarray, batch_axis=1))
    assert stacked.shape == (3, 2, 4)
    assert stacked.flags.c_contiguous  # safetensors writes the memory in its order
    assert stacked[:, 1].tolist() == [[2.0] * 4] * 3


def test_a_failed_text_is_filled_with_the_value_of_failed_texts() -> None:
    stacked = stack_padded([None, np.ones((2, 2), np.float32), None], ArrayColumn(np.asarray, failed=np.nan))
    assert stacked.dtype == np.float32
    assert np.isnan(stacked).all((1, 2)).tolist() == [True, False, True]


@pytest.mark.parametrize("count", [0, 2])
def test_there_is_a_row_for_each_text_if_all_texts_failed(count: int) -> None:
    stacked = stack_padded([None] * count, ArrayColumn(np.asarray, failed=np.nan))
    assert stacked.shape == (count,)
    assert np.isnan(stacked).all()


def load_npz(content: bytes) -> Mapping[str, Any]:
    """Return the arrays of an .npz file, with pickles refused."""
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return dict(arrays)


@pytest.mark.parametrize(
    ("save", "load"),
    [(save_npz, load_npz), (partial(save_safetensors, metadata={"model": "x"}), load_safetensors)],
    ids=["npz", "safetensors"],
)
def test_tensor_files_hold_the_arrays_that_were_written(save: Any, load: Any) -> None:
    stream = io.BytesIO()
    columns = {
        "states": ArrayColumn(lambda record: np.full((record, 2), record, np.float32), failed=np.nan),
        "ids": ArrayColumn(lambda record: np.arange(record), padding=-1, failed=-2),
    }
    writer = TensorsWriter(stream, columns, {"layers": np.array([0, 6])}, save)
    writer.write(1)
    writer.skip(FAILED)
    writer.write(3)
    assert stream.getvalue() == b""  # the shape is known only at the end
    writer.finish()
    arrays = load(stream.getvalue())
    assert {name: array.dtype for name, array in arrays.items()} == {
        "states": np.float32, "ids": np.int64, "layers": np.int64,
    }  # fmt: skip
    assert arrays["ids"].tolist() == [[0, -1, -1], [-2, -2, -2], [0, 1, 2]]
    assert arrays["layers"].tolist() == [0, 6]
    np.testing.assert_array_equal(
        arrays["states"],
        np.array([[[1, 1], [0, 0], [0, 0]], [[np.nan] * 2] * 3, [[3, 3]] * 3], np.float32),
    )
