"""Records as rows of Parquet: what goes in comes out, whatever the size of its groups."""

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

HIDDEN = 3
EMBEDDING = VectorColumn("embedding", lambda record: record.embedding)
LAYOUT = ParquetLayout(HIDDEN, [EMBEDDING])


def answer(index: int, tokens: int = 2, id_: str | int | None = None, text: str = "how") -> EncodeRecord:
    """A record whose numbers tell which one it is."""
    info = TextInfo(index, None, text, None, ["x"] * tokens, range(tokens), [], index % 2 == 0, id_)
    states = np.arange(tokens * HIDDEN, dtype=np.float32).reshape(tokens, HIDDEN) + index
    return EncodeRecord(info, np.full(HIDDEN, index, np.float32), states)


def missing(index: int, id_: str | int | None = None) -> FailedText:
    """A text without an answer."""
    return FailedText(index, None, BadText("it is empty"), id_)


def written(answers: Sequence[EncodeRecord | FailedText], layout: ParquetLayout, id_type: str | None = None) -> Any:
    """The file of them, read back."""
    stream = io.BytesIO()
    writer = ParquetWriter(stream, layout, id_type)
    for each in answers:
        if isinstance(each, FailedText):
            writer.skip(each)
        else:
            writer.write(each)
    writer.finish()
    return pyarrow.parquet.ParquetFile(io.BytesIO(stream.getvalue()))


@given(st.lists(st.booleans(), max_size=30), st.integers(1, 10), st.sampled_from(["float32", "float16"]))
def test_every_row_comes_back_whatever_the_groups(present: list[bool], group_rows: int, dtype: str) -> None:
    answers = [answer(index) if is_there else missing(index) for index, is_there in enumerate(present)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parquet, "_MOST_GROUP_ROWS", group_rows)
        file = written(answers, ParquetLayout(HIDDEN, [EMBEDDING], dtype=dtype))
    groups = [file.metadata.row_group(number).num_rows for number in range(file.metadata.num_row_groups)]
    assert all(rows == group_rows for rows in groups[:-1])
    assert file.read().to_pylist() == [
        {
            "id": index,
            "n_tokens": 2 if is_there else None,
            "truncated": index % 2 == 0 if is_there else None,
            "embedding": [float(index)] * HIDDEN if is_there else None,
        }
        for index, is_there in enumerate(present)
    ]


@pytest.mark.parametrize(("dtype", "arrow"), [("float32", "float"), ("float16", "halffloat")])
def test_the_columns_have_their_types(dtype: str, arrow: str) -> None:
    schema = written([answer(0)], ParquetLayout(HIDDEN, [EMBEDDING], dtype=dtype, keeps=["text"])).schema_arrow
    assert {name: str(schema.field(name).type) for name in schema.names} == {
        "id": "int64",
        "text": "string",
        "n_tokens": "int32",
        "truncated": "bool",
        "embedding": f"fixed_size_list<element: {arrow}>[{HIDDEN}]",
    }


def test_token_by_token_each_text_has_its_own_length() -> None:
    columns = [
        TokenColumn("tokens", lambda record: record.text.tokens, is_vectors=False),
        TokenColumn("token_vectors", lambda record: record.last_hidden_state),
    ]
    answers = [answer(0, 2), missing(1), answer(2, 5), answer(3, 1)]
    rows = written(answers, ParquetLayout(HIDDEN, [EMBEDDING], columns)).read().to_pylist()
    assert [row["tokens"] and len(row["tokens"]) for row in rows] == [2, None, 5, 1]
    for row, expected in zip(rows, answers, strict=True):
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
def test_ids_have_the_type_of_the_first(ids: list[Any], kind: str, written_ids: list[Any]) -> None:
    table = written([missing(0, id_) for id_ in ids], ParquetLayout(HIDDEN, [EMBEDDING], has_ids=True)).read()
    assert str(table["id"].type) == kind
    assert table["id"].to_pylist() == written_ids


def test_a_text_after_numbers_is_no_id() -> None:
    with pytest.raises(BadInput, match="row 2 has the id 'a', but the ids before it are whole numbers"):
        written([missing(0, 1), missing(1, "a")], ParquetLayout(HIDDEN, [EMBEDDING], has_ids=True))


def test_a_later_file_keeps_the_type_of_the_ids() -> None:
    layout = ParquetLayout(HIDDEN, [EMBEDDING], has_ids=True)
    assert str(written([missing(0, 1)], layout, "string").read()["id"].type) == "string"


def test_no_rows_are_a_table_with_its_columns() -> None:
    file = written([], LAYOUT)
    assert (file.metadata.num_rows, file.schema_arrow.names) == (0, ["id", "n_tokens", "truncated", "embedding"])


def test_the_file_says_who_made_it(tmp_path: Path) -> None:
    layout = ParquetLayout(HIDDEN, [EMBEDDING], metadata={"bertcli": '{"model": "bundled"}'})
    assert written([answer(0)], layout).schema_arrow.metadata[b"bertcli"] == b'{"model": "bundled"}'
