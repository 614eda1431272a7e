import csv
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from io import StringIO
from math import nan
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from bertcli import __version__
from bertcli.choices import Similarity, WordPooling
from bertcli.errors import BadText
from bertcli.input.records import FailedText
from bertcli.output.records import CsvWriter, JsonDocumentWriter, JsonLinesWriter, JsonWriter, RecordWriter, TsvWriter
from bertcli.output.schema import Cell, Schema
from bertcli.output.schemas.attn import (
    attn_schema,
    expansion_schema,
    maps_schema,
    matrix_schema,
    strongest_keys_schema,
    summary_schema,
)
from bertcli.output.schemas.attributions import attributions_schema, word_attributions_schema
from bertcli.output.schemas.encode import encode_schema
from bertcli.output.schemas.fill_mask import (
    compare_schema,
    fill_mask_schema,
    joint_schema,
    lens_schema,
    mutual_schema,
    score_schema,
    word_score_schema,
)
from bertcli.output.schemas.head_effects import head_effects_schema
from bertcli.output.schemas.labels import with_labels
from bertcli.output.schemas.models import models_schema, shapes_schema, weights_schema
from bertcli.output.schemas.pairs import pair_schema
from bertcli.output.schemas.probes import probe_schema
from bertcli.output.schemas.similarity import (
    ComparedColumns,
    closing_nearest,
    closing_similarity,
    pair_similarity_schema,
    similarity_schema,
    token_similarity_schema,
    with_pair_similarity,
    with_token_similarity,
)
from bertcli.output.schemas.summaries import pair_summary_schema, probe_summary_schema
from bertcli.output.schemas.whole_words import whole_words_schema
from bertcli.output.schemas.words import with_words
from bertcli.results.embeddings import Neighbours
from tests.output import samples

INFO = samples.info("fill-mask", revision=samples.COMMIT)
HEADER = {
    "schema": 1,
    "bertcli": __version__,
    "command": "fill-mask",
    "model": "bundled",
    "revision": samples.COMMIT,
    "engine": "numpy",
    "device": "cpu",
    "dtype": "float32",
}


# Characters that separate, quote, end, escape or introduce something in CSV or TSV, for one reader or another.
STRANGE_CHARACTERS = "ab ,;|\t\r\n\0\"'\\#=-.1é\u2028\x85\ufeff\x0b\x1b"
CELLS = st.text() | st.text(STRANGE_CHARACTERS)
ROWS = st.lists(st.tuples(CELLS, CELLS))
DELIMITERS = {"csv": ",", "tsv": "\t"}


class Stream(StringIO):
    """Stream that keeps its content at each flush."""

    def __init__(self) -> None:
        super().__init__()
        self.flushed: list[str] = []

    def flush(self) -> None:
        self.flushed.append(self.getvalue())


def _schema(**changes: Any) -> Schema[Sequence[Cell]]:
    """Return a schema of records that are rows of two cells."""

    def rows(record: Sequence[Cell]) -> Iterable[Sequence[Cell]]:
        return [record]

    def as_json(record: Sequence[Cell]) -> Mapping[str, Any]:
        return dict(zip("ab", record, strict=True))

    return Schema(("a", "b"), rows, as_json, lambda record: None, **changes)


WRITERS: dict[str, Callable[[Stream, Schema[Any]], RecordWriter]] = {
    "json": lambda stream, schema: JsonWriter(stream, schema, INFO),
    "jsonl": JsonLinesWriter,
    "csv": CsvWriter,
    "tsv": TsvWriter,
}


def _written(format_: str, *records: Any, schema: Schema[Any] | None = None) -> str:
    stream = Stream()
    writer = WRITERS[format_](stream, schema or _schema())
    for record in records:
        writer.write(record)
    writer.finish()
    return stream.getvalue()


def test_json_is_one_object_with_a_record_a_line() -> None:
    written = _written("json", (1, "x"), (2, "y"))
    assert json.loads(written) == {**HEADER, "records": [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]}
    assert written.splitlines()[1:] == ['{"a": 1, "b": "x"},', '{"a": 2, "b": "y"}', "]}"]


def test_json_without_records_is_complete() -> None:
    assert json.loads(_written("json")) == {**HEADER, "records": []}


def test_json_ends_with_the_closing_keys() -> None:
    schema = _schema(closing=lambda: {"similarity": [[1.0]]})
    assert json.loads(_written("json", (1, 2), schema=schema))["similarity"] == [[1.0]]
    assert json.loads(_written("json", schema=schema)) == {**HEADER, "records": [], "similarity": [[1.0]]}


def test_a_document_has_its_keys_at_the_top() -> None:
    stream = Stream()
    JsonDocumentWriter(stream, _schema(), INFO).write((1, 2))
    assert json.loads(stream.getvalue()) == {**HEADER, "a": 1, "b": 2}


def test_json_lines_are_the_bare_records() -> None:
    assert _written("jsonl", (1, "x"), (2, None)) == '{"a": 1, "b": "x"}\n{"a": 2, "b": null}\n'
    assert _written("jsonl") == ""


def test_a_record_may_have_several_json_lines() -> None:
    schema = _schema(to_lines=lambda record: ({"cell": cell} for cell in record))
    assert _written("jsonl", (1, 2), schema=schema) == '{"cell": 1}\n{"cell": 2}\n'


def test_json_does_not_escape_letters() -> None:
    assert '"世界 é"' in _written("jsonl", ("世界 é", 1))


@pytest.mark.parametrize("format_", ["json", "jsonl"])
def test_json_never_has_nan(format_: str) -> None:
    with pytest.raises(ValueError, match="JSON"):
        _written(format_, (nan, 1))
    record = samples.pooled_record()
    record.embedding[0] = nan
    schema = encode_schema(INFO, samples.recipe(), wants_tokens=False)
    assert '"embedding": [null, ' in _written(format_, record, schema=schema)


def test_csv_and_tsv_have_a_header_even_without_rows() -> None:
    assert _written("csv", (1, "x, y")) == 'a,b\n1,"x, y"\n'
    assert _written("csv") == "a,b\n"
    assert _written("tsv", (1, "x, y")) == "a\tb\n1\tx, y\n"
    assert _written("tsv") == "a\tb\n"


@pytest.mark.parametrize(
    ("cell", "plain"), [(None, ""), (True, "true"), (False, "false"), (0.1, "0.1"), (1 / 3, "0.333333333"), (7, "7")]
)
def test_cells_have_no_formatting(cell: Cell, plain: str) -> None:
    assert _written("tsv", (cell, "end")) == f"a\tb\n{plain}\tend\n"


def test_tsv_escapes_tabs_line_ends_and_backslashes() -> None:
    assert _written("tsv", ("a\tb\nc\rd\\e", 1)).splitlines()[1] == r"a\tb\nc\rd\\e" + "\t1"


@given(ROWS)
def test_tsv_rows_are_lines(rows: list[tuple[str, str]]) -> None:
    written = _written("tsv", *rows)
    assert re.findall(r"[\r\n]", written) == ["\n"] * (len(rows) + 1)
    assert [line.count("\t") for line in written.split("\n")[:-1]] == [1] * (len(rows) + 1)


@pytest.mark.parametrize("format_", DELIMITERS)
@given(rows=ROWS)
def test_python_reads_back_the_rows(format_: str, rows: list[tuple[str, str]]) -> None:
    written = StringIO(_written(format_, *rows), newline="")
    found = list(csv.reader(written, delimiter=DELIMITERS[format_], strict=True))
    assert _unescaped(format_, found) == [("a", "b"), *map(_readable(format_), rows)]


@pytest.mark.parametrize("format_", DELIMITERS)
@given(rows=ROWS)
def test_pandas_reads_back_the_rows(format_: str, rows: list[tuple[str, str]]) -> None:
    import pandas

    # pandas skips a row of one empty cell, but not of two.
    written = StringIO(_written(format_, *rows))
    found = pandas.read_csv(written, sep=DELIMITERS[format_], dtype=str, keep_default_na=False)
    assert list(found.columns) == ["a", "b"]
    assert _unescaped(format_, found.to_numpy().tolist()) == [*map(_readable(format_), rows)]


@pytest.mark.parametrize("format_", DELIMITERS)
def test_duckdb_reads_back_the_rows(format_: str, tmp_path: Path) -> None:
    delimiter, tables = DELIMITERS[format_], []

    # One process reads all files, since a process takes longer than a file.
    @settings(database=None, phases=[Phase.explicit, Phase.generate])
    @given(ROWS)
    def write(rows: list[tuple[str, str]]) -> None:
        (tmp_path / f"{len(tables)}").write_bytes(_written(format_, *rows).encode())
        tables.append(rows)

    write()
    options = f"delim='{delimiter}', quote='\"', escape='\"', comment='', header=true, all_varchar=true"
    query = "".join(
        f"SELECT {number} AS number, * FROM read_csv('{tmp_path / str(number)}', {options});\n"
        for number in range(len(tables))
    )
    program = Path(sys.executable).with_name("duckdb")
    done = subprocess.run([program, "-jsonlines"], input=query, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    found: list[list[tuple[str, str]]] = [[] for _ in tables]
    for line in done.stdout.split("\n"):
        if line:
            row = json.loads(line)
            found[row["number"]].append((row["a"] or "", row["b"] or ""))
    assert [_unescaped(format_, rows) for rows in found] == [[*map(_readable(format_), rows)] for rows in tables]


def _unescaped(format_: str, rows: Iterable[Sequence[str]]) -> list[tuple[str, ...]]:
    """Return the rows with the escapes of TSV undone."""
    if format_ == "csv":
        return [tuple(row) for row in rows]
    names = {"t": "\t", "n": "\n", "r": "\r", "0": "\0", "\\": "\\"}
    return [tuple(re.sub(r"\\(.)", lambda found: names[found[1]], cell) for cell in row) for row in rows]


def _readable(format_: str) -> Callable[[tuple[str, str]], tuple[str, ...]]:
    """Return the function that gives a row as a reader finds it. CSV cannot contain a null character."""
    return lambda row: tuple(cell.replace("\0", r"\0") if format_ == "csv" else cell for cell in row)


def test_effects_of_heads_have_a_row_for_each_head_of_each_mask() -> None:
    schema, record = head_effects_schema(INFO), samples.head_effects_record(heads=4)
    rows = [dict(zip(schema.columns, row, strict=True)) for row in schema.to_rows(record)]
    assert len(rows) == 2 * 3 * 4
    [effects] = record.masks[0].head_effects or ()
    last = {name: rows[11][name] for name in ("mask", "position", "target", "token", "layer", "head", "effect")}
    value = float(effects.values[2, 3])
    assert last == {"mask": 0, "position": 2, "target": "are", "token": 1, "layer": 2, "head": 3, "effect": value}
    assert {(row["mask"], row["target"], row["effect"]) for row in rows[12:]} == {(1, ".", 0.0)}


def test_attributions_have_a_row_for_each_token_of_the_text() -> None:
    schema, record = attributions_schema(INFO), samples.attributions_record()
    rows = [dict(zip(schema.columns, row, strict=True)) for row in schema.to_rows(record)]
    tokens = list(record.text.tokens)
    assert [row["text_token"] for row in rows] == tokens * 3
    assert [row["text_position"] for row in rows] == list(range(len(tokens))) * 3
    assert [(row["mask"], row["target"]) for row in rows[:: len(tokens)]] == [(0, "paris"), (0, "lyon"), (1, ".")]
    [first, _] = record.masks[0].attributions or ()
    assert [row["value"] for row in rows[:2]] == [None, float(first.values[1])]
    assert schema.to_json(record)["masks"][0]["attributions"][0]["values"][0] is None


@pytest.mark.parametrize("pair", [None, "[MASK]."])
def test_contributions_of_words_have_a_row_for_each_word(pair: str | None) -> None:
    schema, record = word_attributions_schema(INFO), samples.word_attributions_record(pair=pair)
    rows = [dict(zip(schema.columns, row, strict=True)) for row in schema.to_rows(record)]
    assert [row["word"] for row in rows] == ["Theirs", "[b]\x1b", "[MASK]", "."]
    assert [row["value"] for row in rows] == [2.25, -0.7512, None, 0.001]
    assert [row["positions"] for row in rows] == ["1 2", "3", "4", "5"]
    assert [row["sentence"] for row in rows] == ([0] * 4 if pair is None else [0, 0, 1, 1])
    [found] = schema.to_json(record)["masks"][0]["attributions"]
    assert [word.get("sentence") for word in found["words"]] == ([None] * 4 if pair is None else [0, 0, 1, 1])
    assert set(found["values"]) == {None}


def test_words_of_several_pieces_have_a_row_each() -> None:
    record = samples.whole_words_record(2)
    schema = whole_words_schema(INFO, "mean", decode=lambda ids: " ".join(map(str, ids)))
    rows = [dict(zip(schema.columns, row, strict=True)) for row in schema.to_rows(record)]
    assert [(row["mask"], row["rank"], row["word"]) for row in rows] == [
        (0, 1, "ticket"),
        (0, 2, "macchiato"),
        (0, 3, "[b]"),
    ]
    assert (rows[1]["pieces"], rows[1]["width"]) == ("mac ##chia ##to", 3)
    ids = list(record.text.input_ids)
    assert schema.to_plain is not None
    # The second mask has no word, so it stays.
    assert list(schema.to_plain(record)) == [" ".join(map(str, [*ids[:4], 7281, *ids[5:]]))]


def test_a_quote_in_tsv_is_quoted_as_in_csv() -> None:
    assert _written("tsv", ('"hello"\t', "it's")) == 'a\tb\n"""hello""\\t"\tit\'s\n'


@pytest.mark.parametrize("format_", WRITERS)
def test_nothing_is_written_before_the_first_record(format_: str) -> None:
    stream = Stream()
    writer = WRITERS[format_](stream, _schema())
    writer.skip(FailedText(0, None, BadText("it is empty")))
    assert stream.getvalue() == ""


@pytest.mark.parametrize("format_", WRITERS)
def test_each_record_is_flushed_at_once(format_: str) -> None:
    stream = Stream()
    writer = WRITERS[format_](stream, _schema())
    for count, cell in enumerate(("first", "second"), 1):
        writer.write((cell, 1))
        assert len(stream.flushed) == count
        assert cell in stream.flushed[-1]


RECORD_KEYS = ["index", "text", "tokens", "truncated", "unknown"]
ATTN_KEYS = [*RECORD_KEYS, "heads", "attention", "from"]
ENCODE = encode_schema(INFO, samples.recipe(), wants_tokens=False)
PAIR_KEYS = ["index", "text", "pair", "tokens", "truncated", "unknown"]
SCHEMAS: dict[str, tuple[Schema[Any], Any, list[str]]] = {
    "fill-mask": (fill_mask_schema(INFO), samples.fill_mask_record(), [*RECORD_KEYS, "masks"]),
    "fill-mask-joint": (
        joint_schema(INFO, "l2r"),
        samples.joint_record(),
        ["index", "line", "text", "tokens", "truncated", "unknown", "masks", "sequences"],
    ),
    "fill-mask-score": (score_schema(INFO), samples.score_record(), [*RECORD_KEYS, "masks", "score"]),
    "fill-mask-words": (word_score_schema(INFO), samples.word_score_record("[pair]"), [*PAIR_KEYS, "masks", "score"]),
    "fill-mask-pair": (
        pair_schema(INFO, ["kind"]),
        samples.pair_record({"kind": "a"}),
        [
            *("index", "line", "group", "text", "tokens", "truncated", "unknown", "masks", "score", "versus"),
            *("difference", "preferred"),
        ],
    ),
    "fill-mask-pairs": (
        pair_summary_schema(INFO, ["field", "UID"]),
        samples.pair_summary(),
        [
            *("count", "accuracy", "accuracy_interval", "ties", "mean_difference", "mean_difference_interval"),
            *("groups", "mean_over_groups"),
        ],
    ),
    "fill-mask-probe": (
        probe_schema(INFO, ["kind"]),
        samples.probe_record(),
        ["index", "group", "text", "tokens", "truncated", "unknown", "masks", "expected"],
    ),
    "fill-mask-probes": (
        probe_summary_schema(INFO, ["relation"]),
        samples.probe_summary(),
        [
            *("count", "unranked", "precision_at_1", "precision_at_1_interval", "precision_at_5", "precision_at_10"),
            *("mean_reciprocal_rank", "mean_reciprocal_rank_interval", "mean_rank", "groups", "mean_over_groups"),
        ],
    ),
    "fill-mask-lens": (lens_schema(INFO), samples.lens_record(), [*RECORD_KEYS, "masks"]),
    "fill-mask-compare": (compare_schema(INFO, ""), samples.compare_record(), [*RECORD_KEYS, "masks"]),
    "fill-mask-mutual": (
        mutual_schema(INFO),
        samples.mutual_record(),
        ["index", "text", "pair", "tokens", "truncated", "unknown", "masks", "mutual"],
    ),
    "fill-mask-attribute": (attributions_schema(INFO), samples.attributions_record(), [*RECORD_KEYS, "masks"]),
    "fill-mask-attribute-ig": (attributions_schema(INFO), samples.attributions_record("ig"), [*RECORD_KEYS, "masks"]),
    "fill-mask-attribute-words": (
        word_attributions_schema(INFO),
        samples.word_attributions_record("ig", "[pair]"),
        ["index", "text", "pair", "tokens", "truncated", "unknown", "masks"],
    ),
    "fill-mask-pieces": (whole_words_schema(INFO, "mean"), samples.whole_words_record(), [*RECORD_KEYS, "masks"]),
    "fill-mask-head-effects": (
        head_effects_schema(INFO),
        samples.head_effects_record(),
        [*RECORD_KEYS, "masks"],
    ),
    "encode": (
        encode_schema(INFO, samples.recipe(), wants_tokens=True),
        samples.encode_record(),
        [
            *("index", "text", "pair", "tokens", "truncated", "unknown", "embedding", "next_sentence", "token_vectors"),
            *("pooler_output", "layers", "hidden_states"),
        ],
    ),
    "encode-words": (
        with_words(ENCODE, INFO, samples.recipe(), WordPooling.MEAN),
        samples.words_record(),
        ["index", "text", "pair", "tokens", "truncated", "unknown", "embedding", "words"],
    ),
    "encode-tokens": (
        with_pair_similarity(ENCODE),
        replace(samples.words_record(), token_similarity=samples.token_similarity()),
        ["index", "text", "pair", "tokens", "truncated", "unknown", "embedding", "token_similarity"],
    ),
    "encode-labels": (
        with_labels(
            encode_schema(INFO, samples.recipe(), wants_tokens=False),
            samples.labelled_record().labels.heads,
        ),
        samples.labelled_record(),
        [
            *(
                "index",
                "text",
                "pair",
                "tokens",
                "truncated",
                "unknown",
                "embedding",
                "next_sentence",
                "pooler_output",
                "labels",
            ),
            *("token_labels", "entities", "answer"),
        ],
    ),
    "attn": (attn_schema(INFO, samples.DISPLAY), samples.attn_record(), ATTN_KEYS),
    "attn-matrix": (
        matrix_schema(INFO, samples.DISPLAY, 1, 0),
        samples.attn_record(),
        [*RECORD_KEYS, "heads", "attention", "from"],
    ),
    "attn-from": (
        strongest_keys_schema(INFO, samples.DISPLAY),
        samples.attn_record(),
        [*RECORD_KEYS, "heads", "attention", "from"],
    ),
    "attn-maps": (
        maps_schema(INFO, samples.DISPLAY),
        samples.maps_record(),
        [*RECORD_KEYS, "heads", "words", "rollout", "value_norms", "head_distance"],
    ),
    "attn-summary": (
        summary_schema(INFO, samples.DISPLAY),
        samples.grid_summary(),
        ["text_count", "token_count", "heads"],
    ),
    "expansion": (expansion_schema(INFO), samples.expansion(), ["records", "layers", "expansion"]),
    "shapes": (
        shapes_schema(INFO),
        samples.shapes_result(ran=True),
        ["batch_size", "sequence_length", "holds", "classes"],
    ),
    "weights": (weights_schema(INFO), samples.weights_result(), ["tensors", "total"]),
    "models": (models_schema(), samples.models_result(), ["cache", "models", "left_out"]),
}


@pytest.mark.parametrize("name", SCHEMAS)
def test_keys_of_each_command(name: str) -> None:
    schema, record, keys = SCHEMAS[name]
    assert list(schema.to_json(record)) == keys


@pytest.mark.parametrize("name", SCHEMAS)
def test_rows_of_each_command_fit_their_header(name: str) -> None:
    schema, record, _ = SCHEMAS[name]
    rows = list(schema.to_rows(record))
    assert rows
    assert {len(row) for row in rows} == {len(schema.columns)}


def _key_sets(value: Any, path: str = "") -> Iterable[tuple[str, tuple[str, ...]]]:
    """Yield the path and the keys, in order, of each object inside the value; [] in a path is a list."""
    if isinstance(value, Mapping):
        yield path, tuple(value)
        for key, each in value.items():
            yield from _key_sets(each, f"{path}.{key}".removeprefix("."))
    elif isinstance(value, list):
        for each in value:
            yield from _key_sets(each, f"{path}[]")


PREDICTION = ("score", "token", "token_str", "sequence", "rank", "logit")
TARGET = ("target", *PREDICTION, "pieces", "logprob", "share", "method")
HEAD = (
    *("layer", "head", "entropy", "self", "previous", "next", "cls", "sep", "punctuation", "distance", "confidence"),
    "label",
)
ATTENDED = {
    "from[]": ("position", "token", "layer", "head", "keys"),
    "from[].keys[]": ("position", "token", "weight"),
}
SCORED_TOKEN = ("position", "token", "id", "logprob", "surprisal", "rank", "best")
NAMED_SCORE = ("sum", "mean", "perplexity", "method", "only_words", "tokens")
PAIR_COUNTS = ("count", "accuracy", "accuracy_interval", "ties", "mean_difference", "mean_difference_interval")
PROBE_COUNTS = (
    *("count", "unranked", "precision_at_1", "precision_at_1_interval", "precision_at_5", "precision_at_10"),
    *("mean_reciprocal_rank", "mean_reciprocal_rank_interval", "mean_rank"),
)
NESTED_KEYS: dict[str, dict[str, tuple[str, ...]]] = {
    "fill-mask": {
        "masks[]": ("position", "predictions", "targets", "entropy", "mass"),
        "masks[].predictions[]": PREDICTION,
        "masks[].targets[]": TARGET,
    },
    "encode-words": {
        "words[]": ("word", "sentence", "index", "start", "end", "positions", "embedding"),
    },
    "encode-tokens": {
        "token_similarity": (
            *("rows", "columns", "row_tokens", "column_tokens", "cosine", "precision", "recall", "f1"),
        ),
    },
    "fill-mask-joint": {
        "masks[]": ("position", "predictions"),
        "masks[].predictions[]": PREDICTION,
        "sequences[]": ("sequence", "tokens", "logprob"),
    },
    "fill-mask-words": {
        "score": ("sum", "mean", "perplexity", "method", "tokens", "words"),
        "score.tokens[]": SCORED_TOKEN,
        "score.words[]": ("word", "sentence", "index", "start", "end", "positions", "logprob", "surprisal"),
    },
    "fill-mask-pair": {
        "group": ("kind",),
        "score": NAMED_SCORE,
        "score.tokens[]": SCORED_TOKEN,
        "versus": ("text", "tokens", "truncated", "unknown", "masks", "score"),
        "versus.score": NAMED_SCORE,
        "versus.score.tokens[]": SCORED_TOKEN,
    },
    "fill-mask-pairs": {
        "groups[]": ("group", *PAIR_COUNTS),
        "groups[].group": ("field", "UID"),
        "mean_over_groups": ("count", "accuracy", "mean_difference"),
    },
    "fill-mask-probe": {
        "group": ("kind",),
        "masks[]": ("position", "predictions", "targets"),
        "masks[].predictions[]": PREDICTION,
        "masks[].targets[]": TARGET,
        "expected": ("target", "rank", "reciprocal_rank", "score", "logprob"),
    },
    "fill-mask-probes": {
        "groups[]": ("group", *PROBE_COUNTS),
        "groups[].group": ("relation",),
        "mean_over_groups": (
            *("count", "precision_at_1", "precision_at_5", "precision_at_10", "mean_reciprocal_rank", "mean_rank"),
        ),
    },
    "fill-mask-score": {
        "score": ("sum", "mean", "perplexity", "method", "tokens"),
        "score.tokens[]": ("position", "token", "id", "logprob", "surprisal", "rank", "best"),
    },
    "fill-mask-lens": {
        "masks[]": ("position", "predictions", "targets", "lens", "lens_method"),
        "masks[].predictions[]": PREDICTION,
        "masks[].targets[]": TARGET,
        "masks[].lens[]": ("layer", "predictions", "targets"),
        "masks[].lens[].predictions[]": PREDICTION,
        "masks[].lens[].targets[]": TARGET,
    },
    "fill-mask-compare": {
        "masks[]": ("position", "predictions", "targets", "comparison"),
        "masks[].predictions[]": PREDICTION,
        "masks[].targets[]": TARGET,
        "masks[].comparison": ("model", "revision", "predictions", "jensen_shannon", "changes", "targets"),
        "masks[].comparison.predictions[]": PREDICTION,
        "masks[].comparison.changes[]": ("token_str", "rank", "other_rank", "change", "score", "other_score"),
        "masks[].comparison.targets[]": TARGET,
    },
    "fill-mask-mutual": {},
    "fill-mask-attribute": {
        "masks[]": ("position", "predictions", "attributions"),
        "masks[].predictions[]": PREDICTION,
        "masks[].attributions[]": ("target", "token", "method", "logprob", "values", "gap"),
    },
    "fill-mask-attribute-ig": {
        "masks[]": ("position", "predictions", "attributions"),
        "masks[].predictions[]": PREDICTION,
        "masks[].attributions[]": ("target", "token", "method", "logprob", "values", "gap", "baseline", "steps"),
    },
    "fill-mask-attribute-words": {
        "masks[]": ("position", "predictions", "attributions"),
        "masks[].predictions[]": PREDICTION,
        "masks[].attributions[]": (
            *("target", "token", "method", "logprob", "values", "gap", "baseline", "steps", "words"),
        ),
        "masks[].attributions[].words[]": ("word", "sentence", "index", "start", "end", "positions", "value"),
    },
    "fill-mask-pieces": {
        "masks[]": ("position", "predictions", "candidates"),
        "masks[].predictions[]": PREDICTION,
        "masks[].candidates[]": ("word", "pieces", "logprob", "mean", "width", "rank", "ids", "sequence"),
    },
    "fill-mask-head-effects": {
        "masks[]": ("position", "predictions", "head_effects"),
        "masks[].predictions[]": PREDICTION,
        "masks[].head_effects[]": ("target", "token", "logprob", "values"),
    },
    "encode": {},
    "encode-labels": {
        "labels[]": ("label", "score"),
        "token_labels[]": ("label", "score"),
        "entities[]": ("label", "score", "start", "end", "text", "positions", "sentence"),
        "answer": ("text", "score", "start", "end"),
    },
    "attn": {"heads[]": HEAD, **ATTENDED},
    "attn-matrix": {"heads[]": HEAD, **ATTENDED},
    "attn-from": {"heads[]": HEAD, **ATTENDED},
    "attn-maps": {"heads[]": HEAD},
    "attn-summary": {"heads[]": HEAD},
    "expansion": {},
    "shapes": {
        "holds": ("pooler", "mlm_head", "next_sentence_head"),
        "classes[]": ("class", "parameters", "outputs"),
        "classes[].outputs[]": (
            *("name", "symbolic", "shape", "count", "dtype", "bytes", "default", "in_checkpoint", "ran"),
        ),
    },
    "weights": {
        "tensors[]": ("name", "shape", "dtype", "parameters", "bytes"),
        "total": ("tensors", "parameters", "bytes"),
    },
    "models": {
        "models[]": (
            *("model", "revision", "refs", "family", "num_hidden_layers", "hidden_size", "num_attention_heads"),
            *("parameters", "bytes", "pooler", "mlm_head", "recipe", "recipe_error"),
        ),
        "models[].recipe": ("source", "pooling", "dense", "normalize", "prompt", "dimension", "max_length"),
        "left_out[]": ("model", "revision", "reason"),
    },
}


@pytest.mark.parametrize("name", SCHEMAS)
def test_keys_of_every_nested_object(name: str) -> None:
    schema, record, keys = SCHEMAS[name]
    assert set(_key_sets(schema.to_json(record))) == {("", tuple(keys)), *NESTED_KEYS[name].items()}


def test_keys_of_predictions_are_those_of_the_pipeline_and_more() -> None:
    record = fill_mask_schema(INFO).to_json(samples.fill_mask_record())
    assert set(record["masks"][0]["predictions"][0]) == {"score", "token", "token_str", "sequence", "rank", "logit"}
    assert [target["target"] for target in record["masks"][0]["targets"]] == ["are", "IS", "souvenirs"]


def test_special_tokens_are_null_in_a_matrix_and_have_no_rows() -> None:
    schema, record = mutual_schema(INFO), samples.mutual_record()
    matrix = schema.to_json(record)["mutual"]
    assert [position for position, row in enumerate(matrix) if row == [None] * 8] == [0, 3, 7]
    assert [value is None for value in matrix[1]] == [True, False, False, True, False, False, False, True]
    own = (1, 2, 4, 5, 6)
    rows = [dict(zip(schema.columns, row, strict=True)) for row in schema.to_rows(record)]
    assert [(row["position"], row["masked_position"]) for row in rows] == [(one, two) for one in own for two in own]


def test_a_head_has_the_statistics_that_are_shown() -> None:
    few = replace(samples.DISPLAY, statistics=("distance", "self"))
    record = attn_schema(INFO, few).to_json(samples.attn_record())
    assert record["heads"][0] == {"layer": 0, "head": 0, "distance": 100.4, "self": 0.12, "label": "broad"}


def test_keys_of_outputs() -> None:
    classes = shapes_schema(INFO).to_json(samples.shapes_result(ran=True))["classes"]
    assert [list(each) for each in classes] == [["class", "parameters", "outputs"]] * 2
    assert classes[0]["outputs"][2] == {
        "name": "hidden_states",
        "symbolic": ["batch_size", "sequence_length", "hidden_size"],
        "shape": [2, 128, 384],
        "count": 7,
        "dtype": "float32",
        "bytes": 7 * 4 * 2 * 128 * 384,
        "default": False,
        "in_checkpoint": True,
        "ran": [2, 128, 384],
    }


def test_total_is_the_sum_of_the_tensors() -> None:
    found = weights_schema(INFO).to_json(samples.weights_result())
    assert found["total"] == {"tensors": 3, "parameters": 11_720_833, "bytes": 23_441_668}


def test_words_have_their_sentence_only_in_a_pair() -> None:
    schema, _, _ = SCHEMAS["encode-words"]
    record = samples.words_record()
    keys = ["word", "sentence", "index", "start", "end", "positions", "embedding"]
    words = schema.to_json(record)["words"]
    assert [list(word) for word in words] == [keys] * 3
    assert [(word["sentence"], word["positions"]) for word in words] == [(0, [1, 2]), (0, []), (1, [4])]
    assert words[1]["embedding"] is None
    alone = schema.to_json(replace(record, text=replace(record.text, pair=None)))["words"]
    assert [list(word) for word in alone] == [[key for key in keys if key != "sentence"]] * 3


def test_rows_of_words_have_their_places() -> None:
    schema, record, _ = SCHEMAS["encode-words"]
    rows = [dict(zip(schema.columns, row, strict=True)) for row in schema.to_rows(record)]
    assert [(row["word"], row["word_index"], row["sentence"]) for row in rows] == [
        ("Tokenize", 0, 0), ("\u200b", 1, 0), ("World", 0, 1),
    ]  # fmt: skip
    assert [(row["start"], row["end"], row["positions"]) for row in rows] == [
        (0, 8, "1 2"),
        (9, 10, ""),
        (None, None, "4"),
    ]
    assert [row["embedding"].count(" ") for row in rows] == [5, 0, 5]


def test_similarities_of_occurrences_and_tokens_are_at_the_top_level_of_json() -> None:
    schema = closing_similarity(ENCODE, lambda: iter(samples.occurrences()[1]))
    written = json.loads(_written("json", samples.pooled_record(), schema=schema))
    assert written["similarity"] == [[1.0, 0.833, -0.2], [0.833, 1.0, -0.0001], [-0.2, -0.0001, 1.0]]
    schema = with_token_similarity(ENCODE, samples.token_similarity)
    found = json.loads(_written("json", samples.pooled_record(), schema=schema))["token_similarity"]
    assert list(found) == ["rows", "columns", "row_tokens", "column_tokens", "cosine", "precision", "recall", "f1"]
    assert (found["rows"], found["column_tokens"]) == ([0, 1, 2], ["[CLS]", "a", "[dog]", "[SEP]"])
    assert (len(found["cosine"]), found["f1"]) == (3, 0.742882)
    failed = with_token_similarity(ENCODE, lambda: None)
    assert "token_similarity" not in json.loads(_written("json", samples.pooled_record(), schema=failed))


def test_similarity_is_at_the_top_level_of_json() -> None:
    cosines = np.array([[1, 0.5], [0.5, 1]], np.float32)
    schema = closing_similarity(ENCODE, lambda: iter(cosines))
    written = json.loads(_written("json", samples.pooled_record(), schema=schema))
    assert written["similarity"] == [[1.0, 0.5], [0.5, 1.0]]


def test_rows_of_similarities_name_both_texts() -> None:
    columns = ComparedColumns(Similarity.DOT, ["pair", "id", "file", "window"])
    schema = similarity_schema(INFO, samples.recipe(), columns, None)
    first, second = (dict(zip(schema.columns, row, strict=True)) for row in schema.to_rows(samples.neighbours()[0]))
    assert first == {
        "i": 0, "j": 1, "text_i": "a cat", "text_j": "a dog\x1b[31m", "dot": 0.833, "pair_i": None,
        "pair_j": "[bold]", "id_i": None, "id_j": None, "file_i": None, "file_j": None, "window_i": 0, "window_j": 0,
    }  # fmt: skip
    assert (second["j"], second["dot"]) == (3, -0.2)
    lines = [json.loads(line) for line in _written("jsonl", *samples.neighbours(), schema=schema).splitlines()]
    assert [(line["i"], line["j"], line["dot"]) for line in lines] == [(0, 1, 0.833), (0, 3, -0.2), (3, 1, -0.0001)]
    assert [key for key in lines[0] if key.endswith("_j")] == ["text_j", "pair_j", "window_j"]


def test_rows_of_occurrences_have_their_places() -> None:
    columns = ComparedColumns(Similarity.COSINE, ["word", "start", "end"])
    schema = similarity_schema(INFO, samples.recipe(), columns, WordPooling.MEAN)
    items, matrix = samples.occurrences()
    (row,) = schema.to_rows(Neighbours(items[0], items[1:2], matrix[0, 1:2]))
    found = dict(zip(schema.columns, row, strict=True))
    assert [found[name] for name in ("word_i", "start_i", "end_i", "word_j", "start_j", "end_j")] == [
        "bank", 38, 42, "bank", 0, 4,
    ]  # fmt: skip


def test_the_nearest_are_at_the_top_level_of_json() -> None:
    columns = ComparedColumns(Similarity.COSINE, [])
    schema = closing_nearest(ENCODE, lambda: iter(samples.neighbours()), columns)
    assert json.loads(_written("json", samples.pooled_record(), schema=schema))["nearest"] == [
        {"i": 0, "nearest": [{"j": 1, "cosine": 0.833}, {"j": 3, "cosine": -0.2}]},
        {"i": 3, "nearest": [{"j": 1, "cosine": -0.0001}]},
    ]


def test_rows_of_similar_tokens() -> None:
    similarity = samples.token_similarity()
    schema: Schema[Any] = token_similarity_schema(INFO)
    rows = list(schema.to_rows(similarity))
    assert len(rows) == 3 * 4
    assert rows[6] == (1, 2, "cat", "[dog]", 0.004)
    assert list(schema.to_json(similarity)) == ["token_similarity"]
    record = replace(samples.words_record(), token_similarity=similarity)
    schema = pair_similarity_schema(INFO)
    assert [row[-5:] for row in schema.to_rows(record)] == rows
    assert list(schema.to_json(record))[-1] == "token_similarity"
    assert list(schema.to_rows(replace(record, token_similarity=None))) == []
