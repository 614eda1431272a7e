"""Chosen fields: rows and JSON with these fields only, names that do not exist, and the list of all names."""

import json
from collections.abc import Iterable, Mapping, Sequence
from io import StringIO
from typing import Any

import pytest

from bertcli.errors import BadText, WrongUsage
from bertcli.input.records import FailedText
from bertcli.output.catalogs.attn import attn_fields
from bertcli.output.catalogs.fill_mask import fill_mask_fields
from bertcli.output.catalogs.models import models_catalog, shapes_catalog
from bertcli.output.catalogs.texts import FILES, PAIR, TRUNCATE
from bertcli.output.fields import Field, FieldCatalog, FieldSelection
from bertcli.output.records import CsvWriter, JsonLinesWriter, PlainWriter, plain_line
from bertcli.output.schema import Schema
from bertcli.output.schemas.attn import expansion_schema
from bertcli.output.schemas.fill_mask import fill_mask_schema, score_schema
from bertcli.output.schemas.labels import with_labels
from bertcli.output.schemas.models import models_schema, shapes_schema, weights_schema
from tests.output import samples
from tests.output.test_records import ENCODE, INFO

CATALOG = FieldCatalog(fill_mask_fields(""), ["--targets"])
PREDICT = fill_mask_schema(INFO)


def rows(
    names: str, schema: Schema[Any] = PREDICT, record: Any = None, catalog: FieldCatalog = CATALOG
) -> list[Sequence[Any]]:
    """Return the header and the rows of a record with these fields."""
    selection = FieldSelection(catalog, catalog.parse(names))
    selection.check("tsv")
    chosen = selection.apply(schema, "tsv")
    cells = chosen.to_rows(samples.fill_mask_record() if record is None else record)
    return [list(chosen.columns), *map(list, cells)]


def as_json(names: str, schema: Schema[Any] = PREDICT, record: Any = None, catalog: FieldCatalog = CATALOG) -> Any:
    selection = FieldSelection(catalog, catalog.parse(names))
    selection.check("json")
    return selection.apply(schema, "json").to_json(samples.fill_mask_record() if record is None else record)


def lines(names: str, schema: Schema[Any], record: Any, catalog: FieldCatalog) -> list[Any]:
    """Return the lines of JSON Lines."""
    stream = StringIO()
    selection = FieldSelection(catalog, catalog.parse(names))
    selection.check("jsonl")
    JsonLinesWriter(stream, selection.apply(schema, "jsonl")).write(record)
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_columns_are_chosen_and_ordered() -> None:
    whole = [dict(zip(PREDICT.columns, row, strict=True)) for row in PREDICT.to_rows(samples.fill_mask_record())]
    found = rows("token_str,index, mask")
    assert found[0] == ["token_str", "index", "mask"]
    assert found[1:] == [[row["token_str"], row["index"], row["mask"]] for row in whole]


def test_a_path_has_a_row_for_each_entry_of_its_lists() -> None:
    (mask,) = PREDICT.to_json(samples.fill_mask_record())["masks"]
    header, *found = rows("index,masks.predictions.token_str,masks.position")
    assert header == ["index", "masks.predictions.token_str", "masks.position"]
    assert found == [[0, each["token_str"], mask["position"]] for each in mask["predictions"]]


def test_lists_beside_each_other_have_rows_one_after_another() -> None:
    (mask,) = PREDICT.to_json(samples.fill_mask_record())["masks"]
    _, *found = rows("masks.predictions.rank,masks.targets.target")
    assert found == [
        *([each["rank"], None] for each in mask["predictions"]),
        *([None, each["target"]] for each in mask["targets"]),
    ]


def test_a_column_beside_a_path_has_the_values_of_its_own_paths() -> None:
    (mask,) = PREDICT.to_json(samples.fill_mask_record())["masks"]
    _, *found = rows("token_str,masks.targets.share")
    predicted, targets = mask["predictions"], mask["targets"]
    assert found == [
        *([each["token_str"], None] for each in predicted),
        *([each["token_str"], each["share"]] for each in targets),
    ]


def test_a_list_is_a_cell_and_an_object_is_json_in_a_cell() -> None:
    record = samples.fill_mask_record()
    _, row = rows("tokens,masks")
    assert row[0] == " ".join(record.text.tokens)
    assert json.loads(row[1]) == PREDICT.to_json(record)["masks"]


def test_fields_of_the_text_alone_have_one_row() -> None:
    catalog, record = FieldCatalog(fill_mask_fields("--score")), samples.score_record()
    assert rows("text,mean", score_schema(INFO), record, catalog)[1:] == [[record.text.text, record.score.mean]]
    assert len(rows("text,token", score_schema(INFO), record, catalog)[1:]) == len(record.score.tokens) > 1


def test_json_keeps_its_nesting_and_has_the_order_of_the_fields() -> None:
    found = as_json("masks.predictions.score,text,masks.predictions.token_str,masks.position")
    assert list(found) == ["masks", "text"]
    (mask,) = found["masks"]
    assert list(mask) == ["predictions", "position"]
    assert {tuple(each) for each in mask["predictions"]} == {("score", "token_str")}


def test_a_column_in_json_is_everywhere_where_it_is_from() -> None:
    (mask,) = as_json("token_str")["masks"]
    assert {key: {tuple(each) for each in mask[key]} for key in mask} == {
        "predictions": {("token_str",)},
        "targets": {("token_str",)},
    }


def test_a_whole_object_can_be_chosen() -> None:
    whole = PREDICT.to_json(samples.fill_mask_record())
    assert as_json("masks,index") == {"masks": whole["masks"], "index": 0}
    assert as_json("masks.predictions")["masks"][0] == {"predictions": whole["masks"][0]["predictions"]}


def test_json_lines_of_documents_have_the_keys_of_their_lines() -> None:
    shapes, weights = shapes_catalog(()), shapes_catalog(["--weights"])
    result = samples.shapes_result()
    assert lines("class,name", shapes_schema(INFO), result, shapes)[0] == {
        "class": "BertModel",
        "outputs": [{"name": output.name} for output in result.classes[0].outputs],
    }
    assert lines("tensors.name", weights_schema(INFO), samples.weights_result(), weights)[0].keys() == {"name"}
    assert lines("bytes,model", models_schema(), samples.models_result(), models_catalog())[0].keys() == {
        "bytes",
        "model",
    }
    expansion = FieldCatalog(attn_fields("expansion"))
    assert lines("expansion", expansion_schema(INFO), samples.expansion(), expansion)[0].keys() == {"expansion"}
    with pytest.raises(
        WrongUsage, match=r"^--fields has batch_size, which is not in the lines of JSON Lines: they are classes$"
    ):
        lines("batch_size", shapes_schema(INFO), result, shapes)


def test_a_document_has_the_chosen_keys() -> None:
    result, catalog = samples.shapes_result(), shapes_catalog(())
    found = as_json("batch_size", shapes_schema(INFO), result, catalog)
    assert found == {"batch_size": result.batch_size}


def test_keys_of_a_document_have_rows() -> None:
    result, catalog = samples.shapes_result(), shapes_catalog(())
    header, *found = rows("batch_size,classes.class,holds", shapes_schema(INFO), result, catalog)
    assert header == ["batch_size", "classes.class", "holds"]
    assert [row[:2] for row in found] == [[result.batch_size, each.name] for each in result.classes]


def test_rows_keep_the_columns_that_the_options_fill() -> None:
    def shown(*given: str) -> list[str]:
        selection = FieldSelection(FieldCatalog(fill_mask_fields(""), given))
        return list(selection.apply(PREDICT, "tsv").columns)

    always = ["index", "text", "mask", "position", "rank", "score", "logit", "token", "token_str", "sequence"]
    assert shown() == always
    assert shown("--entropy") == [*always, "entropy"]
    assert shown(FILES, PAIR, TRUNCATE)[:5] == ["index", "line", "text", "pair", "truncated"]
    assert [name for name in shown("--targets") if name not in always] == [
        "target", "pieces", "logprob", "share", "method",
    ]  # fmt: skip


def test_a_column_that_no_catalog_has_is_shown() -> None:
    assert FieldSelection().apply(PREDICT, "csv").columns == PREDICT.columns


def test_a_hidden_column_can_be_chosen() -> None:
    assert rows("truncated,pair,line")[1:] == [[False, None, None]]


@pytest.mark.parametrize(
    ("names", "error", "hint"),
    [
        ("text,tokenstr", "there is no field 'tokenstr'", "did you mean token_str"),
        ("masks.prediction.token_str", "there is no field 'masks.prediction.token_str'", "masks.predictions.token_str"),
        ("TOKEN_STR", "there is no field 'TOKEN_STR'", "did you mean token_str"),
        ("unknwon", "there is no field 'unknwon'", "did you mean unknown"),
        ("zzz", "there is no field 'zzz'", "use --fields help to list the names"),
        ("text,entropy", "the field entropy needs --entropy", "add --entropy"),
        ("masks.mass", "the field masks.mass needs --mass", "add --mass 0.9"),
        ("text_id", "the field text_id needs --id-field", "add --id-field"),
        ("text,,mask", "--fields has an empty name", "--fields index"),
        ("", "--fields has an empty name", "--fields index"),
        ("text,mask,text", "--fields names 'text' twice", "leave one of them out"),
    ],
)
def test_a_wrong_name_is_an_error_with_a_hint(names: str, error: str, hint: str) -> None:
    with pytest.raises(WrongUsage) as raised:
        CATALOG.parse(names)
    assert raised.value.message == error
    assert hint in raised.value.hint


@pytest.mark.parametrize(
    ("name", "hint"), [("score.only", "add --pair TEXT --only b"), ("score.only_words", "add --only-words is,are")]
)
def test_the_option_that_a_field_needs_has_its_value(name: str, hint: str) -> None:
    with pytest.raises(WrongUsage) as raised:
        FieldCatalog(fill_mask_fields("--score")).parse(name)
    assert raised.value.hint == f"{hint}, or leave {name} out of --fields"


def test_a_column_without_a_key_is_refused_in_json_and_beside_keys() -> None:
    with pytest.raises(WrongUsage, match=r"^--fields has mask, a column of TSV and CSV that JSON does not have$"):
        as_json("text,mask")
    with pytest.raises(WrongUsage, match=r"^--fields has mask, a column of TSV and CSV, and unknown, a key of JSON$"):
        rows("mask,unknown")


def test_a_field_that_the_model_does_not_have_is_an_error() -> None:
    catalog = FieldCatalog([Field("text", "text", "text"), Field("labels[].label", "label", "label")])
    record = samples.labelled_record()
    with pytest.raises(WrongUsage, match=r"^this model has no label$"):
        rows("text,label", ENCODE, samples.pooled_record(), catalog)
    assert record.labels is not None and record.labels.labels
    labelled = with_labels(ENCODE, record.labels.heads)
    assert rows("text,label", labelled, record, catalog)[1:] == [[record.text.text, record.labels.labels[0].label]]


def test_each_field_has_a_line_with_its_names_and_description() -> None:
    listed = list(FieldCatalog(fill_mask_fields(""), ()).describe())
    assert "token_str  masks.predictions.token_str  text of the token" in listed
    assert not any("entropy" in line for line in listed)
    assert any(line.startswith("entropy ") for line in FieldCatalog(fill_mask_fields(""), ["--entropy"]).describe())


def test_a_plain_answer_is_one_line_and_a_failed_text_an_empty_one() -> None:
    def answers(record: str) -> Iterable[str]:
        return [plain_line(record)]

    def as_object(record: str) -> Mapping[str, Any]:
        return {"answer": record}

    stream = StringIO()
    writer = PlainWriter(stream, Schema((), lambda record: (), as_object, lambda record: None, to_plain=answers))
    writer.write("a\nb\tc\\")
    writer.skip(FailedText(1, None, BadText("it is empty")))
    writer.write('"quoted"')
    writer.finish()
    assert stream.getvalue() == 'a\\nb\\tc\\\\\n\n"quoted"\n'


def test_chosen_fields_reach_the_writer_of_rows() -> None:
    stream = StringIO()
    CsvWriter(stream, FieldSelection(CATALOG, ["text"]).apply(PREDICT, "csv")).finish()
    assert stream.getvalue() == "text\n"
