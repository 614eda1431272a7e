"""fill-mask --versus from a file to every format: JSON keys, columns, summaries, notes and errors."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from bertcli.choices import FormatName, OnError, OnLong, ScoreOnly
from bertcli.commands.fill_mask.command import fill_mask
from bertcli.commands.fill_mask.request import FillMaskRequest
from bertcli.commands.options import PairOptions, TextOptions
from bertcli.errors import BertcliError, WrongUsage
from bertcli.model.request import SessionRequest
from bertcli.output.destination import OutputOptions
from tests.cli.process import run
from tools.agreement import AGREEMENT, pairs

ROWS = [
    {"id": "x", "good": "the cat sat on the mat", "bad": "the cat sat on mat the", "kind": "order", "n": 1},
    {"id": "y", "good": "how are you", "bad": "how are cat", "kind": "word", "n": 1},
    {"id": "z", "good": "cats sat", "bad": "CATS sat", "kind": "word", "n": 2},
]
SCORE_KEYS = ["sum", "mean", "perplexity", "method", "tokens"]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    return path


def write(model: Path, file: Path, suffix: str, texts: dict[str, Any] | None = None, **options: Any) -> str:
    """Score a file without a process, and return what was written."""
    target = file.with_suffix(suffix)
    long = OnLong(options.pop("long")) if "long" in options else None
    of_texts = {"file": [str(file)], "text_field": "good", **(texts or {})}
    request = FillMaskRequest(
        TextOptions(**of_texts),
        SessionRequest(str(model), device="cpu", engine=options.pop("engine", "numpy"), long=long),
        OutputOptions(output=str(target), force=True, format=options.pop("format", FormatName.AUTO)),
        score=True,
        pairs=PairOptions(**{"versus": "bad", **options}),
    )
    fill_mask(request)
    return target.read_text()


@pytest.mark.parametrize("engine", ["numpy", "torch"])
def test_json_has_the_other_text_the_difference_and_the_preference(tiny_bert: Path, file: Path, engine: str) -> None:
    records = json.loads(write(tiny_bert, file, ".json", engine=engine))["records"]
    assert [list(record) for record in records] == [
        ["index", "line", "text", "tokens", "truncated", "unknown", "masks", "score", "versus", "difference",
         "preferred"]
    ] * 3  # fmt: skip
    for row, record in zip(ROWS, records, strict=True):
        assert (record["text"], record["versus"]["text"]) == (row["good"], row["bad"])
        assert list(record["versus"]) == ["text", "tokens", "truncated", "unknown", "masks", "score"]
        assert list(record["score"]) == list(record["versus"]["score"]) == SCORE_KEYS
        difference = record["score"]["sum"] - record["versus"]["score"]["sum"]
        assert record["difference"] == pytest.approx(difference, abs=1e-5)
        assert record["preferred"] is (difference > 1e-4)
    assert abs(records[2]["difference"]) < 1e-4


def test_a_pair_is_a_row_with_its_group_and_id(tiny_bert: Path, file: Path) -> None:
    texts = {"id_field": "id"}
    header, *rows = csv.reader(write(tiny_bert, file, ".csv", texts, group_by="kind,n").splitlines())
    assert header == [
        "index", "line", "text", "versus", "sum", "versus_sum", "mean", "versus_mean",
        "difference", "preferred", "group_kind", "group_n", "text_id",
    ]  # fmt: skip
    assert [row[:4] for row in rows] == [
        [str(index), str(index + 1), row["good"], row["bad"]] for index, row in enumerate(ROWS)
    ]
    assert [row[-3:] for row in rows] == [["order", "1", "x"], ["word", "1", "y"], ["word", "2", "z"]]
    lines = [json.loads(line) for line in write(tiny_bert, file, ".jsonl", texts, group_by="kind").splitlines()]
    assert [(line["id"], line["group"]) for line in lines] == [
        ("x", {"kind": "order"}), ("y", {"kind": "word"}), ("z", {"kind": "word"}),
    ]  # fmt: skip


def test_a_sentence_b_to_compare_with_has_no_column_of_its_own(tiny_bert: Path, tmp_path: Path) -> None:
    lines = tmp_path / "lines.txt"
    lines.write_text("how are you\thow are cat\n")
    texts = {"text_field": None, "pairs": True}
    header, row = csv.reader(write(tiny_bert, lines, ".csv", texts, versus="B").splitlines())
    assert header[:4] == ["index", "line", "text", "versus"]
    assert row[2:4] == ["how are you", "how are cat"]


def test_an_aggregate_has_each_group_their_mean_and_all_pairs(tiny_bert: Path, file: Path) -> None:
    [summary] = json.loads(write(tiny_bert, file, ".json", aggregate=True, group_by="kind"))["records"]
    counts = ["count", "accuracy", "accuracy_interval", "ties", "mean_difference", "mean_difference_interval"]
    assert list(summary) == [*counts, "groups", "mean_over_groups"]
    assert [list(each) for each in summary["groups"]] == [["group", *counts]] * 2
    assert [(each["group"], each["count"], each["ties"]) for each in summary["groups"]] == [
        ({"kind": "order"}, 1, 0), ({"kind": "word"}, 2, 1),
    ]  # fmt: skip
    accuracies = [each["accuracy"] for each in summary["groups"]]
    assert summary["mean_over_groups"]["accuracy"] == pytest.approx(sum(accuracies) / 2)
    header, *rows = csv.reader(write(tiny_bert, file, ".csv", aggregate=True, group_by="kind").splitlines())
    assert header == [
        "level", "group_kind", "count", "accuracy", "accuracy_low", "accuracy_high", "ties", "mean_difference",
        "mean_difference_low", "mean_difference_high",
    ]  # fmt: skip
    assert [row[:3] for row in rows] == [
        ["group", "order", "1"], ["group", "word", "2"], ["mean", "", "2"], ["all", "", "3"],
    ]  # fmt: skip
    assert float(rows[-1][3]) == pytest.approx(summary["accuracy"])
    [alone] = json.loads(write(tiny_bert, file, ".json", aggregate=True))["records"]
    options = {"id_field": "id"}
    assert "text_id" not in write(tiny_bert, file, ".csv", options, aggregate=True)
    assert list(alone) == counts


def test_a_table_shows_both_texts_or_the_summary(tiny_bert: Path, file: Path) -> None:
    shown = write(tiny_bert, file, ".txt", format=FormatName.TABLE)
    assert "how are you  /  how are cat" in shown
    assert "neither text is more probable" in shown
    shown = write(tiny_bert, file, ".txt", format=FormatName.TABLE, aggregate=True, group_by="kind")
    assert "mean over 2 groups" in shown


def test_the_summary_is_a_note_unless_it_is_the_output(
    tiny_bert: Path, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tiny_bert, file, ".json", group_by="kind")
    notes = [line for line in capsys.readouterr().err.splitlines() if "note: " in line]
    assert len(notes) == 2
    assert notes[0].startswith("bertcli: note: 3 pairs: accuracy ")
    assert ", 1 tie, mean difference " in notes[0]
    assert notes[1].startswith("bertcli: note: mean over 2 groups: accuracy ")
    write(tiny_bert, file, ".json", aggregate=True)
    assert "note: " not in capsys.readouterr().err


def test_plain_lines_and_arguments_have_pairs_too(tiny_bert: Path, tmp_path: Path) -> None:
    lines = tmp_path / "lines.txt"
    lines.write_text("".join(f"{row['good']}\t{row['bad']}\n" for row in ROWS))
    options = {"text_field": None, "pairs": True}
    from_lines = json.loads(write(tiny_bert, lines, ".json", options, versus="B"))["records"]
    assert [(each["text"], each["versus"]["text"]) for each in from_lines] == [
        (row["good"], row["bad"]) for row in ROWS
    ]
    assert {"pair" in each for each in from_lines} == {False}
    options = {"text_field": None, "file": [], "texts": ["how are you"]}
    [record] = json.loads(write(tiny_bert, lines, ".json", options, versus="how are cat"))["records"]
    assert record["difference"] == pytest.approx(from_lines[1]["difference"], abs=1e-4)


def test_both_texts_of_a_pair_have_the_same_sentence_b(tiny_bert: Path, file: Path) -> None:
    records = json.loads(write(tiny_bert, file, ".json", {"pair": "the mat"}, only=ScoreOnly.B))["records"]
    for record in records:
        assert [token["token"] for token in record["score"]["tokens"]] == ["the", "mat"]
        assert record["versus"]["pair"] == "the mat"
        assert record["score"]["only"] == "b"


def test_a_long_text_is_scored_in_windows(tiny_bert: Path, tmp_path: Path) -> None:
    file = tmp_path / "long.jsonl"
    row = {"good": "how are you " * 40, "bad": "how are cat " * 10}
    file.write_text(json.dumps(row) + "\n" + json.dumps(ROWS[1]) + "\n")
    long, short = json.loads(write(tiny_bert, file, ".json", long="windows"))["records"]
    assert (long["index"], short["index"]) == (0, 1)
    assert len(long["windows"]) > 1
    assert "windows" not in long["versus"]
    assert len(long["score"]["tokens"]) == 120


def test_failed_pairs_are_skipped_with_their_line(
    tiny_bert: Path, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with file.open("a") as stream:
        stream.write('{"good": "how", "bad": ""}\n{"good": "how"}\n{"good": "how", "bad": "[MASK]"}\n{"good": 1}\n')
    with pytest.raises(BertcliError, match="line 4: the text to compare with is empty"):
        write(tiny_bert, file, ".json")
    skip = {"on_error": OnError.SKIP}
    [summary] = json.loads(write(tiny_bert, file, ".json", skip, aggregate=True))["records"]
    assert summary["count"] == 3
    skipped = [line for line in capsys.readouterr().err.splitlines() if "skipped: " in line]
    assert [line.partition("line ")[2] for line in skipped] == [
        "4: the text to compare with is empty",
        "5: the object has no field 'bad'",
        "6: the text to compare with: the text has no token to score, only special tokens",
        "7: the object has no field 'bad'",
    ]


@pytest.mark.parametrize(
    ("texts", "options", "message"),
    [
        ({}, {"group_by": "none"}, "the object has no field 'none'"),
        ({}, {"versus": "none"}, "the object has no field 'none'"),
        ({}, {"versus": "n"}, "'n' is a number, not a string"),
        (
            {"text_field": None, "input_format": "text"},
            {},
            "is plain text, one text a line, and has no fields for --ver",
        ),
        (
            {"text_field": None, "input_format": "text", "pairs": True},
            {"versus": "B", "group_by": "kind"},
            "is plain text, one text a line, and has no fields for --group-by",
        ),
        (
            {"text_field": None, "file": [], "texts": ["how"]},
            {"versus": "are", "group_by": "kind"},
            "--group-by is for texts in files, not in arguments",
        ),
        ({}, {"only_words": "\u2603"}, "the word '\u2603' is not in the vocabulary"),
    ],
)
def test_errors_are_one_line_with_a_hint(
    tiny_bert: Path, file: Path, texts: dict[str, Any], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(BertcliError) as raised:
        write(tiny_bert, file, ".json", texts, **options)
    assert message in raised.value.message
    assert raised.value.hint
    assert "\n" not in raised.value.message + raised.value.hint


def test_a_field_that_is_not_there_names_the_option_that_chose_it(tiny_bert: Path, file: Path) -> None:
    with pytest.raises(BertcliError) as raised:
        write(tiny_bert, file, ".json", versus="none")
    assert raised.value.hint == "its fields are id, good, bad, kind, n; choose with --versus"
    with pytest.raises(WrongUsage) as wrong:
        write(tiny_bert, file, ".json", {"text_field": None, "input_format": "text"})
    assert wrong.value.hint.startswith("write A<TAB>B on each line and add --pairs --versus B, or give the format")


@pytest.mark.parametrize("format_", ["csv", "parquet"])
def test_tables_have_the_columns_too(tiny_bert: Path, file: Path, format_: str) -> None:
    expected = json.loads(write(tiny_bert, file, ".json", group_by="kind"))["records"]
    table = file.with_name(f"table.{format_}")
    if format_ == "csv":
        with table.open("w", newline="") as stream:
            writer = csv.DictWriter(stream, list(ROWS[0]))
            writer.writeheader()
            writer.writerows(ROWS)
    else:
        import pyarrow
        import pyarrow.parquet

        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(ROWS), table)
    found = json.loads(write(tiny_bert, table, ".json", group_by="kind"))["records"]
    keys = ("text", "group", "preferred")
    assert [[each[key] for key in keys] for each in found] == [[each[key] for key in keys] for each in expected]
    with pytest.raises(BertcliError, match="there is no column 'none'"):
        write(tiny_bert, table, ".json", group_by="none")


def test_the_command_line_takes_the_options(tmp_path: Path) -> None:
    good, bad = "The keys are here.", "The keys is here."
    [record] = run("fill-mask", good, "--score", "--versus", bad, "--only", "shared", "--json").records()
    assert record["preferred"] is True
    assert {token["token"] for token in record["score"]["tokens"]} == {"the", "keys", "here", "."}


def test_the_agreement_set_is_what_its_tool_writes() -> None:
    found = [json.loads(line) for line in AGREEMENT.read_text().splitlines()]
    assert len(found) >= 200
    assert found == [
        {"good": pair.good, "bad": pair.bad, "construction": pair.construction, "number": pair.number}
        for pair in pairs()
    ]
    assert len({pair.good for pair in pairs()}) == len(found)
    for pair in pairs():
        good, bad = pair.good.split(), pair.bad.split()
        assert sum(one != other for one, other in zip(good, bad, strict=True)) == 1
