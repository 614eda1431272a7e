"""Parquet files: every row comes back, with row groups of any size."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertcli.errors import BadInput, BadText
from bertcli.input.records import FailedText
from bertcli.output.files import parquet
from bertcli.output.files.parquet import ParquetLayout, ParquetWriter, TokenColumn, VectorColumn
from bertcli.results.embeddings import EncodeRecord
from bertcli.results.texts import TextInfo
from tests.output.files.writing import write_all

HIDDEN = 3
EMBEDDING = VectorColumn("embedding", lambda record: record.embedding, HIDDEN)
LAYOUT = ParquetLayout(HIDDEN, [EMBEDDING])


def encode_record(index: int, tokens: int = 2, id_: str | int | None = None, text: str = "how") -> EncodeRecord:
    """Return a record whose numbers identify it."""
    info = TextInfo(index, None, text, None, ["x"] * tokens, range(tokens), [], index % 2 == 0, id_)
    states = np.arange(tokens * HIDDEN, dtype=np.float32).reshape(tokens, HIDDEN) + index
    return EncodeRecord(info, np.full(HIDDEN, index, np.float32), states)


def failed_text(index: int, id_: str | int | None = None) -> FailedText:
    """Return a failed text."""
    return FailedText(index, None, BadText("it is empty"), id_)


def write_and_open(
    records: Sequence[EncodeRecord | FailedText], layout: ParquetLayout, id_type: str | None = None
) -> Any:
    """Write the records and failed texts to a file, and return the opened file."""
    stream = io.BytesIO()
    writer = ParquetWriter(stream, layout, id_type)
    write_all(writer, records)
    return pyarrow.parquet.ParquetFile(io.BytesIO(stream.getvalue()))


@given(st.lists(st.booleans(), max_size=30), st.integers(1, 10), st.sampled_from(["float32", "float16"]))
def test_every_row_comes_back_with_groups_of_any_size(present: list[bool], group_rows: int, dtype: str) -> None:
    records = [encode_record(index) if has_record else failed_text(index) for index, has_record in enumerate(present)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parquet, "_MAX_GROUP_ROWS", group_rows)
        file = write_and_open(records, ParquetLayout(HIDDEN, [EMBEDDING], dtype=dtype))
    groups = [file.metadata.row_group(number).num_rows for number in range(file.metadata.num_row_groups)]
    assert all(rows == group_rows for rows in groups[:-1])
    assert file.read().to_pylist() == [
        {
            "id": index,
            "n_tokens": 2 if has_record else None,
            "truncated": index % 2 == 0 if has_record else None,
            "embedding": [float(index)] * HIDDEN if has_record else None,
        }
        for index, has_record in enumerate(present)
    ]


@pytest.mark.parametrize(("dtype", "arrow"), [("float32", "float"), ("float16", "halffloat")])
def test_columns_have_the_right_types(dtype: str, arrow: str) -> None:
    schema = write_and_open(
        [encode_record(0)], ParquetLayout(HIDDEN, [EMBEDDING], dtype=dtype, texts=["text"])
    ).schema_arrow
    assert {name: str(schema.field(name).type) for name in schema.names} == {
        "id": "int64",
        "text": "string",
        "n_tokens": "int32",
        "truncated": "bool",
        "embedding": f"fixed_size_list<element: {arrow}>[{HIDDEN}]",
    }


def test_lists_of_tokens_differ_in_length() -> None:
    columns = [
        TokenColumn("tokens", lambda record: record.text.tokens, is_vectors=False),
        TokenColumn("token_vectors", lambda record: record.last_hidden_state),
    ]
    records = [encode_record(0, 2), failed_text(1), encode_record(2, 5), encode_record(3, 1)]
    rows = write_and_open(records, ParquetLayout(HIDDEN, [EMBEDDING], columns)).read().to_pylist()
    assert [row["tokens"] and len(row["tokens"]) for row in rows] == [2, None, 5, 1]
    for row, expected in zip(rows, records, strict=True):
        if isinstance(expected, EncodeRecord):
            np.testing.assert_array_equal(row["token_vectors"], expected.last_hidden_state)
        else:
            assert row["token_vectors"] is None


@pytest.mark.parametrize(
    ("ids", "kind", "written_ids"),
    [
        ([7, 5], "int64", [7, 5]),
        (["a", "b"], "string", ["a", "b"]),
        (["a", 5], "string", ["a", "5"]),
        ([None, 5], "int64", [None, 5]),
        ([None], "string", [None]),
    ],
)
def test_ids_have_the_type_of_the_first_id(ids: list[Any], kind: str, written_ids: list[Any]) -> None:
    table = write_and_open(
        [failed_text(0, id_) for id_ in ids], ParquetLayout(HIDDEN, [EMBEDDING], has_ids=True)
    ).read()
    assert str(table["id"].type) == kind
    assert table["id"].to_pylist() == written_ids


def test_a_text_id_after_integer_ids_is_an_error() -> None:
    with pytest.raises(BadInput, match="row 2 has the id 'a', but the ids before it are integers"):
        write_and_open([failed_text(0, 1), failed_text(1, "a")], ParquetLayout(HIDDEN, [EMBEDDING], has_ids=True))


def test_a_given_id_type_is_kept() -> None:
    layout = ParquetLayout(HIDDEN, [EMBEDDING], has_ids=True)
    assert str(write_and_open([failed_text(0, 1)], layout, "string").read()["id"].type) == "string"


def test_a_file_without_rows_has_all_columns() -> None:
    file = write_and_open([], LAYOUT)
    assert (file.metadata.num_rows, file.schema_arrow.names) == (0, ["id", "n_tokens", "truncated", "embedding"])


def test_a_file_holds_its_metadata(tmp_path: Path) -> None:
    layout = ParquetLayout(HIDDEN, [EMBEDDING], metadata={"bertcli": '{"model": "bundled"}'})
    assert write_and_open([encode_record(0)], layout).schema_arrow.metadata[b"bertcli"] == b'{"model": "bundled"}'


def test_an_unfinished_file_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ignored: list[Any] = []
    monkeypatch.setattr("sys.unraisablehook", ignored.append)
    monkeypatch.setattr(parquet, "_GROUP_BYTES", 0)  # a group for each row
    layout = ParquetLayout(HIDDEN, [EMBEDDING])
    with (tmp_path / "x.parquet").open("wb") as stream:
        writer = ParquetWriter(stream, layout)
        writer.write(encode_record(0))
    del writer  # an interrupted run drops it after its file
    assert ignored == []
