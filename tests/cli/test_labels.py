"""encode and shapes with checkpoints that have a head for classification or question answering."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet
import pytest
import torch

from bertcli.choices import HeadTask, OnError
from bertcli.commands.encode.command import encode_texts
from bertcli.commands.encode.request import EncodeRequest
from bertcli.commands.options import CorpusOptions, TextOptions
from bertcli.errors import BertcliError, WrongUsage
from bertcli.model.request import SessionRequest
from bertcli.output.destination import OutputOptions
from tests.cli.process import assert_failed, run
from tests.task_models import expected_answer, load_head, pipeline, save_head
from tests.tiny import edit_config

NAMES = {0: "[red]good[/red]", 1: "very\tbad", 2: "\x1b[31m"}
QUESTION, CONTEXT = "how are you", "The cat sat on the mat"


@pytest.fixture(scope="module")
def text_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_head(tmp_path_factory.mktemp("text"), "bert", HeadTask.TEXT_LABELS, NAMES)


@pytest.fixture(scope="module")
def token_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_head(tmp_path_factory.mktemp("token"), "bert", HeadTask.TOKEN_LABELS)


@pytest.fixture(scope="module")
def answer_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_head(tmp_path_factory.mktemp("answer"), "bert", HeadTask.ANSWER)


def test_labels_in_json_are_those_of_the_pipeline(text_model: Path) -> None:
    document = run("encode", "how are you", "the cat", "-m", text_model, "--json").json()
    assert list(document)[-2:] == ["records", "heads"]
    names = list(NAMES.values())
    assert document["heads"] == [{"class": "BertForSequenceClassification", "score": "softmax", "labels": names}]
    expected = pipeline(text_model, HeadTask.TEXT_LABELS, top_k=None)(["how are you", "the cat"])
    for record, labels in zip(document["records"], expected, strict=True):
        assert list(record) == ["index", "text", "tokens", "truncated", "unknown", "embedding", "labels"]
        assert [label["label"] for label in record["labels"]] == [label["label"] for label in labels]
        np.testing.assert_allclose(
            [each["score"] for each in record["labels"]], [e["score"] for e in labels], atol=1e-5
        )
        assert {tuple(label) for label in record["labels"]} == {("label", "score")}


@pytest.mark.parametrize("similarity", ["texts", "tokens"])
def test_similarity_leaves_the_description_of_the_heads(text_model: Path, similarity: str) -> None:
    document = run("encode", "how", "the cat", "-m", text_model, f"--similarity={similarity}", "--json").json()
    key = {"texts": "similarity", "tokens": "token_similarity"}[similarity]
    assert list(document)[-3:] == ["records", "heads", key]


def test_columns_of_labels(text_model: Path) -> None:
    header, row = run("encode", "how are you", "-m", text_model, "--format", "csv").rows(",")
    assert header[-4:] == ["embedding", "label", "score", "labels"]
    (record,) = run("encode", "how are you", "-m", text_model, "--json").records()
    labels = [f"{label['label']}:{label['score']}" for label in record["labels"]]
    assert row[-3:] == [record["labels"][0]["label"], f"{record['labels'][0]['score']:.9g}", " ".join(labels)]


def test_a_table_shows_labels_as_they_are_spelled(text_model: Path) -> None:
    shown = run("encode", "how are you", "-m", text_model, "--format", "table").answer().text
    assert "labels  BertForSequenceClassification, softmax" in shown
    assert "[red]good[/red]" in shown
    assert r"very\tbad" in shown
    assert r"\x1b[31m" in shown
    assert "\x1b" not in shown


@pytest.mark.parametrize("options", [("--json",), ("--format", "tsv"), ("--format", "table"), ("--format", "jsonl")])
def test_no_labels_gives_the_output_of_the_body_alone(tmp_path: Path, text_model: Path, options: tuple[str]) -> None:
    # The same checkpoint, whose config.json does not name the head.
    for file in text_model.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    edit_config(tmp_path, architectures=["BertModel"])
    without = run("encode", "how are you", "-m", "model", *options, "--no-labels", cwd=_linked(tmp_path, text_model))
    bare = run("encode", "how are you", "-m", "model", *options, cwd=_linked(tmp_path, tmp_path))
    assert without.answer().stdout == bare.answer().stdout
    assert b"labels" not in bare.stdout


def _linked(folder: Path, model: Path) -> Path:
    """Return a new folder in which `model` is the checkpoint, so that outputs show the same name."""
    new = folder / f"as-{len(list(folder.iterdir()))}"
    new.mkdir()
    (new / "model").symlink_to(model)
    return new


@pytest.mark.parametrize(
    ("model", "keys", "pair"),
    [
        ("text_model", ["labels"], None),
        ("token_model", ["token_labels", "entities"], None),
        ("token_model", ["token_labels", "entities"], CONTEXT),
        ("answer_model", ["answer"], CONTEXT),
    ],
)
def test_parquet_files_and_folders_have_the_keys_of_json(
    folder: Path, model: str, keys: list[str], pair: str | None, request: pytest.FixtureRequest
) -> None:
    checkpoint = request.getfixturevalue(model)
    texts = ["how are you", "The cat satonmat, Caf\u00e9."]
    write(checkpoint, folder / "out.json", texts, pair)
    write(checkpoint, folder / "out.parquet", texts, pair)
    write(checkpoint, f"{folder}/out/", [*texts, ""], pair)
    records = json.loads((folder / "out.json").read_text())["records"]
    whole, shard = (
        pyarrow.parquet.read_table(folder / file).to_pylist() for file in ("out.parquet", "out/shard-00000.parquet")
    )
    assert shard[:2] == whole
    assert [shard[2][key] for key in keys] == [None] * len(keys)
    for record, row in zip(records, whole, strict=True):
        assert list(row)[-len(keys) :] == keys
        for key in keys:
            assert_equal(row[key], record[key])
    write(checkpoint, folder / "bare.parquet", texts, pair, labels=False)
    assert not set(keys) & set(pyarrow.parquet.read_schema(folder / "bare.parquet").names)


def write(model: Path, target: Path | str, texts: list[str], pair: str | None = None, **options: Any) -> None:
    """Encode texts into a file or folder, without a process. Empty texts fail and are skipped."""
    of_texts = TextOptions(texts, pair=pair, on_error=OnError.SKIP)
    of_model = SessionRequest(str(model), device="cpu")
    encode_texts(EncodeRequest(of_texts, of_model, OutputOptions(output=str(target), quiet=True), **options))


def assert_equal(found: Any, expected: Any) -> None:
    """Compare nested values, floats as float32. Keys with the value None may be missing from the expected ones."""
    if isinstance(found, list):
        for one, other in zip(found, expected, strict=True):
            assert_equal(one, other)
    elif isinstance(found, dict):
        for key, value in found.items():
            assert_equal(value, expected.get(key))
    else:
        assert found == (pytest.approx(expected, rel=1e-6) if isinstance(found, float) else expected)


def test_a_resumed_run_has_the_labels_of_the_first(folder: Path, text_model: Path) -> None:
    target, texts, resumed = f"{folder}/out/", ["how", "you"], CorpusOptions(resume=True)
    write(text_model, target, texts)
    with pytest.raises(BertcliError, match="without --no-labels"):
        write(text_model, target, texts, corpus=resumed, labels=False)
    write(text_model, target, texts, corpus=resumed)


def test_arrays_hold_vectors_only(tmp_path: Path, text_model: Path) -> None:
    for name in ("out.npy", "out.npz"):
        write(text_model, tmp_path / name, ["how are you"])
    assert np.load(tmp_path / "out.npy").shape == (1, 24)
    assert set(np.load(tmp_path / "out.npz")) == {
        "embedding",
        "last_hidden_state",
        "attention_mask",
        "input_ids",
    }


def test_tokens_and_entities(token_model: Path) -> None:
    text = "The cat satonmat, Café."
    (record,) = run("encode", text, "-m", token_model, "--json").records()
    assert list(record)[-2:] == ["token_labels", "entities"]
    assert len(record["token_labels"]) == len(record["tokens"])
    assert (record["token_labels"][0], record["token_labels"][-1]) == (None, None)
    expected = pipeline(token_model, HeadTask.TOKEN_LABELS, aggregation_strategy="first")(text)
    spans = [(each["label"], each["start"], each["end"]) for each in record["entities"]]
    assert spans == [(each["entity_group"], each["start"], each["end"]) for each in expected]
    for entity in record["entities"]:
        assert list(entity) == ["label", "score", "start", "end", "text", "positions"]
        assert entity["text"] == text[entity["start"] : entity["end"]]
    _, row = run("encode", text, "-m", token_model, "--format", "csv").rows(",")
    assert row[-2].split() == ["-" if label is None else label["label"] for label in record["token_labels"]]
    assert row[-1].split() == [f"{label}:{start}-{end}" for label, start, end in spans]
    shown = run("encode", text, "-m", token_model, "--format", "table").answer().text
    assert "token_labels  BertForTokenClassification, softmax" in shown
    assert "entities  words with labels of one kind" in shown


def test_an_answer(answer_model: Path) -> None:
    (record,) = run("encode", QUESTION, "--pair", CONTEXT, "-m", answer_model, "--json").records()
    expected = expected_answer(answer_model, QUESTION, CONTEXT)
    assert list(record["answer"]) == ["text", "score", "start", "end"]
    assert record["answer"] == {**expected, "score": pytest.approx(expected["score"], abs=1e-5)}
    header, row = run("encode", QUESTION, "--pair", CONTEXT, "-m", answer_model, "--format", "csv").rows(",")
    assert header[-4:] == ["answer", "answer_score", "answer_start", "answer_end"]
    assert (row[-4], row[-2], row[-1]) == (expected["text"], str(expected["start"]), str(expected["end"]))
    shown = run("encode", QUESTION, "--pair", CONTEXT, "-m", answer_model, "--format", "table").answer().text
    place = f"{expected['start']}-{expected['end']}"
    assert f"answer  BertForQuestionAnswering, probability, characters {place}" in shown


def test_a_question_without_a_context_gets_a_note(answer_model: Path) -> None:
    done = run("encode", QUESTION, "-m", answer_model, "--format", "jsonl")
    assert done.exit_code == 0
    assert done.stderr.splitlines() == [
        "bertcli: note: BertForQuestionAnswering answers a question from a context, and there is none: give it with "
        "--pair, or with --pairs after each question"
    ]
    assert "answer" not in json.loads(done.stdout)
    header, _ = run("encode", QUESTION, "-m", answer_model, "-q", "--format", "csv").rows(",")
    assert header[-1] == "embedding"
    assert run("encode", QUESTION, "-m", answer_model, "--no-labels", "--json").answer()
    shown = run("encode", QUESTION, "-m", answer_model, "-q", "--format", "table").answer().text
    assert "BertForQuestionAnswering" not in shown


def test_labels_that_contradict_the_weights_are_an_error_with_a_hint_that_works(tmp_path: Path) -> None:
    save_head(tmp_path, "bert", HeadTask.TEXT_LABELS, {0: "a", 1: "b"})
    edit_config(tmp_path, id2label={"0": "a", "1": "b", "2": "c"})
    assert_failed(run("encode", "how", "-m", tmp_path), 1, "id2label", "classifier.weight has 2 rows")
    run("encode", "how", "-m", tmp_path, "--no-labels").answer()
    run("encode", "how", "-m", tmp_path, "-o", tmp_path / "out.npy").answer()
    done = run("shapes", "how", "-m", tmp_path, "--format", "tsv")
    assert done.exit_code == 0
    assert done.stderr.startswith("bertcli: note: no class with a head for labels: ")
    assert "BertForSequenceClassification" not in done.text


def test_logits_that_are_not_numbers_are_an_error(tmp_path: Path) -> None:
    save_head(tmp_path, "bert", HeadTask.TEXT_LABELS)
    model = load_head(tmp_path, HeadTask.TEXT_LABELS)
    with torch.no_grad():
        model.classifier.weight[0, 0] = np.nan
    model.save_pretrained(tmp_path)
    assert_failed(run("encode", "how", "-m", tmp_path), 1, "infinite or NaN")
    run("encode", "how", "-m", tmp_path, "--no-labels").answer()


def test_dedupe_keeps_no_labels(tmp_path: Path, text_model: Path) -> None:
    dedupe = CorpusOptions(dedupe=True)
    with pytest.raises(WrongUsage, match="BertForSequenceClassification"):
        write(text_model, tmp_path / "out.json", ["how"], corpus=dedupe)
    write(text_model, tmp_path / "out.json", ["how"], corpus=dedupe, labels=False)
    write(text_model, tmp_path / "out.npy", ["how", "how"], corpus=dedupe)


def test_windows_have_no_labels(text_model: Path) -> None:
    options = ("-m", text_model, "--long", "windows")
    assert_failed(run("encode", "how", *options), 2, "no labels of BertForSequenceClassification")
    run("encode", "how", *options, "--no-labels").answer()


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("text_model", {"logits": "(1, 3)"}),
        ("token_model", {"logits": "(1, 5, 5)"}),
        ("answer_model", {"start_logits": "(1, 5)", "end_logits": "(1, 5)"}),
    ],
)
def test_shapes_lists_the_class_of_the_head(
    model: str, expected: dict[str, str], request: pytest.FixtureRequest
) -> None:
    folder = request.getfixturevalue(model)
    header, *rows = run("shapes", "how are you", "-m", folder, "--run", "--format", "tsv").rows()
    found = [dict(zip(header, row, strict=True)) for row in rows]
    [name] = {row["class"] for row in found if "Classification" in row["class"] or "Answering" in row["class"]}
    task = next(task for task in HeadTask if name.endswith(task))
    own = [row for row in found if row["class"] == name]
    assert {row["parameters"] for row in own} == {str(load_head(folder, task).num_parameters())}
    assert {row["name"]: row["shape"] for row in own if row["default"] == "true"} == expected
    assert all(row["ran"] == row["shape"] and row["in_checkpoint"] == "true" for row in own)
    assert [row["name"] for row in own][-2:] == ["hidden_states", "attentions"]
