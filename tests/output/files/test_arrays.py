"""Arrays as they lie in files: a matrix whose rows are counted at the end, and padded tensors."""

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
MISSING = FailedText(0, None, BadText("it is empty"))


class Pipe(io.RawIOBase):
    """A stream that cannot be wound back."""

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
    """The file of a matrix; a row of None is a text without an answer."""
    stream = io.BytesIO()
    write_rows(NpyWriter(stream, width, np.asarray), rows)
    return stream.getvalue()


def write_rows(writer: NpyWriter, rows: Rows) -> None:
    """Every row, then the end."""
    for row in rows:
        if row is None:
            writer.skip(MISSING)
        else:
            writer.write(row)
    writer.finish()


@given(st.lists(st.none() | st.lists(st.floats(width=32), min_size=3, max_size=3), max_size=20))
def test_npy_gives_back_every_row(rows: Rows) -> None:
    matrix = np.load(io.BytesIO(npy_bytes(rows, 3)))
    expected = np.array([[np.nan] * 3 if row is None else row for row in rows], np.float32).reshape(-1, 3)
    assert (matrix.dtype, matrix.shape) == (np.float32, (len(rows), 3))
    np.testing.assert_array_equal(matrix, expected)


def test_npy_is_the_file_that_numpy_itself_would_save() -> None:
    matrix = np.arange(6, dtype=np.float32).reshape(2, 3)
    saved = io.BytesIO()
    np.save(saved, matrix)
    assert npy_bytes(list(matrix), 3) == saved.getvalue()


def test_npy_holds_float32_whatever_the_rows_are() -> None:
    assert np.load(io.BytesIO(npy_bytes([np.array([1.5, 2.5], np.float16)], 2))).dtype == np.dtype("<f4")


def test_npy_goes_through_a_pipe() -> None:
    rows = [[1.0, 2.0], None, [3.0, 4.0]]
    pipe = Pipe()
    write_rows(NpyWriter(pipe, 2, np.asarray), rows)  # type: ignore[arg-type]
    assert pipe.content == npy_bytes(rows, 2)


def test_the_header_of_many_rows_fits_over_that_of_none(tmp_path: Path) -> None:
    count = 100_001
    path = tmp_path / "rows.npy"
    with path.open("wb") as file:
        writer = NpyWriter(file, 1, np.asarray)
        for _ in range(count):
            writer.skip(MISSING)
        writer.finish()
    assert path.stat().st_size == 128 + 4 * count
    matrix = np.load(path, mmap_mode="r")
    assert matrix.shape == (count, 1)
    assert np.isnan(matrix[[0, -1]]).all()


@pytest.mark.parametrize("count", [0, 9, 10, 10**9, 10**18])
def test_headers_have_one_length_whatever_the_number_of_rows(count: int) -> None:
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


def test_the_axis_of_texts_goes_where_it_is_wanted() -> None:
    layers = [np.full((3, 2), 1.0), np.full((3, 4), 2.0)]
    stacked = stack_padded(layers, ArrayColumn(np.asarray, batch_axis=1))
    assert stacked.shape == (3, 2, 4)
    assert stacked.flags.c_contiguous  # safetensors writes the memory as it lies
    assert stacked[:, 1].tolist() == [[2.0] * 4] * 3


def test_a_text_without_an_answer_is_filled_with_what_stands_for_one() -> None:
    stacked = stack_padded([None, np.ones((2, 2), np.float32), None], ArrayColumn(np.asarray, failed=np.nan))
    assert stacked.dtype == np.float32
    assert np.isnan(stacked).all((1, 2)).tolist() == [True, False, True]


@pytest.mark.parametrize("count", [0, 2])
def test_without_any_answer_there_is_still_a_row_for_each_text(count: int) -> None:
    stacked = stack_padded([None] * count, ArrayColumn(np.asarray, failed=np.nan))
    assert stacked.shape == (count,)
    assert np.isnan(stacked).all()


def load_npz(content: bytes) -> Mapping[str, Any]:
    """The arrays of an npz, with pickles refused."""
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return dict(arrays)


@pytest.mark.parametrize(
    ("save", "load"),
    [(save_npz, load_npz), (partial(save_safetensors, metadata={"model": "x"}), load_safetensors)],
    ids=["npz", "safetensors"],
)
def test_tensor_files_give_back_what_was_written(save: Any, load: Any) -> None:
    stream = io.BytesIO()
    columns = {
        "states": ArrayColumn(lambda record: np.full((record, 2), record, np.float32), failed=np.nan),
        "ids": ArrayColumn(lambda record: np.arange(record), padding=-1, failed=-2),
    }
    writer = TensorsWriter(stream, columns, {"layers": np.array([0, 6])}, save)
    writer.write(1)
    writer.skip(MISSING)
    writer.write(3)
    assert stream.getvalue() == b""  # the shape is known at the end
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
