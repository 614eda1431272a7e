"""fill-mask --target-field from a file to every format, and --targets from a file."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from bertcli.choices import FormatName, OnError
from bertcli.commands.fill_mask.command import fill_mask
from bertcli.commands.fill_mask.request import FillMaskRequest
from bertcli.commands.options import PairOptions, TextOptions
from bertcli.errors import BertcliError, WrongUsage
from bertcli.model.request import SessionRequest
from bertcli.output.destination import OutputOptions
from tests.cli.process import run

ROWS = [
    {"text": "the [MASK] sat", "word": "cat", "kind": "animal"},
    {"text": "the cat sat on the [MASK]", "word": "mat", "kind": "thing"},
    {"text": "how are [MASK]", "word": "cats", "kind": "animal"},
]
COUNTS = [
    "count", "unranked", "precision_at_1", "precision_at_1_interval", "precision_at_5", "precision_at_10",
    "mean_reciprocal_rank", "mean_reciprocal_rank_interval", "mean_rank",
]  # fmt: skip


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    return path


def write(model: Path, file: Path, suffix: str, texts: dict[str, Any] | None = None, **options: Any) -> str:
    """Predict the masks of a file without a process, and return what was written."""
    target = file.with_suffix(suffix)
    pairs = PairOptions(**{name: options.pop(name) for name in ("aggregate", "group_by") if name in options})
    request = FillMaskRequest(
        TextOptions(**{"file": [str(file)], **(texts or {})}),
        SessionRequest(str(model), device="cpu", engine=options.pop("engine", "numpy")),
        OutputOptions(output=str(target), force=True, format=options.pop("format", FormatName.AUTO)),
        pairs=pairs,
        **options,
    )
    fill_mask(request)
    return target.read_text()


@pytest.mark.parametrize("engine", ["numpy", "torch"])
def test_a_record_has_its_expected_word(tiny_bert: Path, file: Path, engine: str) -> None:
    document = json.loads(write(tiny_bert, file, ".json", target_field="word", group_by="kind", engine=engine))
    for row, record in zip(ROWS, document["records"], strict=True):
        assert list(record) == [
            "index", "line", "group", "text", "tokens", "truncated", "unknown", "masks", "expected",
        ]  # fmt: skip
        assert list(record["expected"]) == ["target", "rank", "reciprocal_rank", "score", "logprob"]
        assert record["expected"]["target"] == row["word"]
        [target] = record["masks"][0]["targets"]
        assert record["expected"]["rank"] == target["rank"]
        assert record["expected"]["score"] == target["score"]
    assert document["records"][2]["expected"]["reciprocal_rank"] is None


def test_a_text_is_a_row(tiny_bert: Path, file: Path) -> None:
    records = json.loads(write(tiny_bert, file, ".json", target_field="word"))["records"]
    header, *rows = csv.reader(write(tiny_bert, file, ".csv", target_field="word", group_by="kind").splitlines())
    assert header == [
        "index", "line", "text", "target", "pieces", "rank", "reciprocal_rank", "score", "logprob",
        "best", "best_score", "group_kind",
    ]  # fmt: skip
    assert [row[3:6] for row in rows] == [
        ["cat", "cat", str(records[0]["expected"]["rank"])],
        ["mat", "mat", str(records[1]["expected"]["rank"])],
        ["cats", "cat ##s", ""],
    ]
    assert [row[-3] for row in rows] == [each["masks"][0]["predictions"][0]["token_str"] for each in records]
    shown = write(tiny_bert, file, ".txt", target_field="word", format=FormatName.TABLE)
    assert shown.count("targets  l2r") == 3


def test_an_aggregate_has_precisions_and_means(tiny_bert: Path, file: Path) -> None:
    records = json.loads(write(tiny_bert, file, ".json", target_field="word"))["records"]
    ranks = [each["expected"]["rank"] for each in records[:2]]
    options = {"target_field": "word", "aggregate": True, "group_by": "kind"}
    [summary] = json.loads(write(tiny_bert, file, ".json", **options))["records"]
    assert list(summary) == [*COUNTS, "groups", "mean_over_groups"]
    assert (summary["count"], summary["unranked"]) == (2, 1)
    assert summary["mean_rank"] == pytest.approx(sum(ranks) / 2)
    assert summary["mean_reciprocal_rank"] == pytest.approx(sum(1 / rank for rank in ranks) / 2, abs=1e-6)
    assert [each["group"] for each in summary["groups"]] == [{"kind": "animal"}, {"kind": "thing"}]
    header, *rows = csv.reader(write(tiny_bert, file, ".csv", **options).splitlines())
    assert len(header) == len(rows[0]) == 13
    assert [row[0] for row in rows] == ["group", "group", "mean", "all"]
    assert "mean over 2 groups" in write(tiny_bert, file, ".txt", format=FormatName.TABLE, **options)


def test_no_word_with_a_rank_has_no_numbers(tiny_bert: Path, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(json.dumps(ROWS[2]) + "\n")
    [summary] = json.loads(write(tiny_bert, file, ".json", target_field="word", aggregate=True))["records"]
    assert [summary[name] for name in COUNTS] == [0, 1, *[None] * 7]
    write(tiny_bert, file, ".txt", target_field="word", aggregate=True, group_by="kind", format=FormatName.TABLE)
    write(tiny_bert, file, ".json", target_field="word")
    assert "note: " not in capsys.readouterr().err


def test_a_group_without_a_rank_is_in_no_mean(tiny_bert: Path, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [*ROWS[:2], {**ROWS[1], "kind": "unranked", "word": "cats"}]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    options = {"target_field": "word", "aggregate": True, "group_by": "kind"}
    [summary] = json.loads(write(tiny_bert, file, ".json", **options))["records"]
    assert (len(summary["groups"]), summary["mean_over_groups"]["count"]) == (3, 2)
    _, *rows_of_csv = csv.reader(write(tiny_bert, file, ".csv", **options).splitlines())
    assert rows_of_csv[3][:3] == ["mean", "", "2"]
    assert "mean over 2 groups" in write(tiny_bert, file, ".txt", format=FormatName.TABLE, **options)
    write(tiny_bert, file, ".json", target_field="word", group_by="kind")
    assert "mean over 2 groups: P@1 " in capsys.readouterr().err


def test_the_summary_is_a_note(tiny_bert: Path, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tiny_bert, file, ".json", target_field="word", group_by="kind")
    first, second = [line for line in capsys.readouterr().err.splitlines() if "note: " in line]
    assert first.startswith("bertcli: note: 2 expected words: P@1 ")
    assert first.endswith(", 1 without a rank")
    assert second.startswith("bertcli: note: mean over 2 groups: P@1 ")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"text": "a [MASK]"}], "the object has no field 'word'"),
        ([{"text": "a [MASK]", "word": 3}], "'word' is a number, not a string"),
        ([{"text": "a [MASK]", "word": "\u2603"}], "the target '\u2603' is not in the vocabulary"),
        ([{"text": "a", "word": "cat"}], "the text has no mask: 'a'"),
    ],
)
def test_a_row_without_a_usable_word_is_an_error_or_skipped(
    tiny_bert: Path, file: Path, rows: list[dict[str, Any]], message: str
) -> None:
    file.write_text("".join(json.dumps(row) + "\n" for row in [*rows, ROWS[0]]))
    with pytest.raises(BertcliError) as raised:
        write(tiny_bert, file, ".json", target_field="word")
    assert message in raised.value.message
    assert raised.value.hint
    skip = {"on_error": OnError.SKIP}
    assert len(json.loads(write(tiny_bert, file, ".json", skip, target_field="word"))["records"]) == 1


def test_plain_text_has_no_field_of_words(tiny_bert: Path, tmp_path: Path) -> None:
    lines = tmp_path / "lines.txt"
    lines.write_text("a [MASK]\n")
    with pytest.raises(WrongUsage, match="has no fields for --target-field"):
        write(tiny_bert, lines, ".json", target_field="word")
    with pytest.raises(WrongUsage, match="--target-field is for texts in files"):
        write(tiny_bert, lines, ".json", {"file": [], "texts": ["a [MASK]"]}, target_field="word")


def test_targets_are_read_from_a_file(tiny_bert: Path, file: Path, tmp_path: Path) -> None:
    words = tmp_path / "words.txt"
    words.write_text("cat\n\nthe mat\n")
    records = json.loads(write(tiny_bert, file, ".json", targets=f"@{words}"))["records"]
    assert [each["target"] for each in records[0]["masks"][0]["targets"]] == ["cat", "the mat"]


def test_a_byte_order_mark_is_no_part_of_a_target(tiny_bert: Path, file: Path, tmp_path: Path) -> None:
    words = tmp_path / "words.txt"
    words.write_text("cat\n", encoding="utf-8-sig")
    records = json.loads(write(tiny_bert, file, ".json", targets=f"@{words}"))["records"]
    assert [each["target"] for each in records[0]["masks"][0]["targets"]] == ["cat"]


def test_an_at_sign_alone_is_a_target(tiny_bert: Path, file: Path) -> None:
    with pytest.raises(WrongUsage, match="the target '@' is not in the vocabulary"):
        write(tiny_bert, file, ".json", targets="@")


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "cannot be read: No such file"), (b"\n\n", "has no words"), (b"caf\xe9\n", "is not UTF-8")],
)
def test_a_file_of_targets_that_cannot_be_used_is_wrong_usage(
    tiny_bert: Path, file: Path, tmp_path: Path, content: bytes | None, message: str
) -> None:
    words = tmp_path / "words.txt"
    if content is not None:
        words.write_bytes(content)
    with pytest.raises(WrongUsage, match=message) as raised:
        write(tiny_bert, file, ".json", targets=f"@{words}")
    assert "\n" not in raised.value.message + raised.value.hint


def test_the_command_line_takes_the_option(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text('{"text": "Thank you very [MASK].", "word": "much"}\n')
    [record] = run("fill-mask", "-f", file, "--target-field", "word", "--json").records()
    assert record["expected"]["rank"] == 1
