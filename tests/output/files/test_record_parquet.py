"""Parquet files of records: a row has the keys and values of the record's JSON object."""

from collections.abc import Mapping
from dataclasses import replace
from io import BytesIO
from typing import Any

import pyarrow.parquet
import pytest

from bertcli.errors import BadInput, BadText
from bertcli.input.records import FailedText
from bertcli.output.fields import FieldCatalog
from bertcli.output.files.record_parquet import RecordLayout, RecordParquetWriter, row_fields
from bertcli.output.schema import with_ids
from tests.output.files.writing import write_all
from tests.output.test_catalogs import CATALOGS
from tests.output.test_records import SCHEMAS

# Records that are texts: those of fill-mask and attn but for their summaries.
RECORDS = [
    name
    for name in CATALOGS
    if name.startswith(("fill-mask", "attn")) and name not in ("fill-mask-pairs", "fill-mask-probes", "attn-summary")
]
OPTIONS = {option for fields in CATALOGS.values() for field in fields for option in (field.needs, field.shown_with)}


def layout(name: str, names: list[str] | None = None, **more: Any) -> RecordLayout:
    """Return the layout of a kind of records, with the fields of all options."""
    fields = row_fields(FieldCatalog(CATALOGS[name], OPTIONS), names, keeps_text=True)
    return RecordLayout(SCHEMAS[name][0], fields, **more)


def write(layout: RecordLayout, *records: Any) -> pyarrow.Table:
    """Return the table of a file with these records and failed texts."""
    stream = BytesIO()
    writer = RecordParquetWriter(stream, layout)
    write_all(writer, records)
    return pyarrow.parquet.read_table(stream)


def without_nulls(value: Any) -> Any:
    """Return a JSON value without the keys whose value is null."""
    if isinstance(value, Mapping):
        found = {key: without_nulls(each) for key, each in value.items()}
        return {key: each for key, each in found.items() if each not in (None, {})}
    return [without_nulls(each) for each in value] if isinstance(value, list) else value


def rounded(value: Any) -> Any:
    """Return a JSON value with numbers in the digits of float32."""
    if isinstance(value, Mapping):
        return {key: rounded(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [rounded(each) for each in value]
    return pytest.approx(value, rel=1e-6) if isinstance(value, float) else value


@pytest.mark.parametrize("name", RECORDS)
def test_a_row_has_the_keys_and_values_of_json(name: str) -> None:
    schema, record, _ = SCHEMAS[name]
    record = replace(record, strongest_keys=None) if name in ("attn", "attn-matrix") else record
    (row,) = write(layout(name), record).to_pylist()
    assert without_nulls(row) == rounded(without_nulls(schema.to_json(record)))


def test_a_failed_text_has_its_index_and_nulls() -> None:
    _, record, _ = SCHEMAS["fill-mask-score"]
    failed = FailedText(1, 7, BadText("empty", hint="leave it out"), file="b.txt")
    found = write(layout("fill-mask-score"), record, failed).to_pylist()
    assert {name: value for name, value in found[1].items() if value is not None} == {
        "index": 1,
        "file": "b.txt",
        "line": 7,
    }


def test_a_file_without_records_has_all_columns() -> None:
    empty, one = write(layout("attn")), write(layout("attn"), SCHEMAS["attn"][1])
    assert (len(empty), empty.schema) == (0, one.schema)


def test_chosen_fields_alone_are_written() -> None:
    _, record, _ = SCHEMAS["fill-mask-score"]
    table = write(layout("fill-mask-score", ["perplexity", "index", "mean"]), record)
    assert [(field.name, str(field.type)) for field in table.schema] == [
        ("score", "struct<perplexity: float, mean: float>"),
        ("index", "int64"),
    ]
    by_key = row_fields(FieldCatalog(CATALOGS["fill-mask-score"], OPTIONS), ["rank", "id"], keeps_text=False)
    assert [each.path for each in by_key] == ["score.tokens[].rank", "id"]
    whole = write(layout("fill-mask-score", ["score"]), record)
    assert {"sum", "perplexity", "tokens"} <= {*whole.schema.field("score").type.names}


def test_texts_are_written_on_request() -> None:
    catalog = FieldCatalog(CATALOGS["fill-mask-pair"], OPTIONS)
    kept, left = ({each.path for each in row_fields(catalog, None, keeps_text=keeps)} for keeps in (True, False))
    assert kept - left == {"text", "pair", "versus.text", "versus.pair"}
    assert "text" in {each.path for each in row_fields(catalog, ["text"], keeps_text=False)}


def test_columns_that_no_row_can_fill_are_left_out() -> None:
    paths = {each.path for each in row_fields(FieldCatalog(CATALOGS["fill-mask"], ()), None, keeps_text=True)}
    assert "masks[].predictions[].score" in paths
    assert not {"id", "file", "line", "pair", "truncated", "masks[].entropy"} & paths


def test_ids_have_one_type() -> None:
    schema, _, _ = SCHEMAS["fill-mask"]
    layout_ = RecordLayout(with_ids(schema, "id"), layout("fill-mask").fields, has_ids=True)
    text = FailedText(0, 1, BadText("empty", hint="leave it out"), 3)
    table = write(layout_, text)
    assert str(table.schema.field("id").type) == "int64"
    with pytest.raises(BadInput, match="row 2 has the id 'x'"):
        write(layout_, text, FailedText(1, 2, BadText("empty", hint="leave it out"), "x"))


def test_row_groups_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bertcli.output.files.record_parquet._GROUP_BYTES", 1)
    monkeypatch.setattr("bertcli.output.files.record_parquet._RECORDS_TOGETHER", 2)
    _, record, _ = SCHEMAS["fill-mask"]
    stream, fields = BytesIO(), layout("fill-mask").fields
    writer = RecordParquetWriter(stream, RecordLayout(SCHEMAS["fill-mask"][0], fields))
    for _ in range(5):
        writer.write(record)
    writer.finish()
    file = pyarrow.parquet.ParquetFile(stream)
    assert [file.metadata.row_group(number).num_rows for number in range(file.num_row_groups)] == [2, 2, 1]
