"""Sources of texts: arguments, files and standard input; pairs; and failed texts."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.cli.process import COMMANDS, assert_failed, run

THREE = "how are you\nthe cat\nsat\n"
# The second line is empty and the fourth is not UTF-8.
SPOILT = b"how are you\n\nthe cat\n\xff\xfe\nsat\n"


def places(records: Any) -> list[tuple[int, int | None, str]]:
    """Return index, line and text of each record."""
    return [(record["index"], record.get("line"), record["text"]) for record in records]


def test_arguments_are_texts_and_have_no_line(tiny: tuple[str, str]) -> None:
    assert places(run("encode", "how", "are you", *tiny, "--json").records()) == [
        (0, None, "how"),
        (1, None, "are you"),
    ]


def test_a_text_that_names_a_file_is_noted(tiny: tuple[str, str], folder: Path) -> None:
    (folder / "my texts.txt").write_text(THREE)
    done = run("encode", "my texts.txt", *tiny, "--json", cwd=folder)
    assert [record["text"] for record in json.loads(done.stdout)["records"]] == ["my texts.txt"]
    assert done.stderr == (
        "bertcli: note: the text 'my texts.txt' is the name of a file; to read it, use -f 'my texts.txt'\n"
    )
    assert run("encode", "my texts.txt", "how", *tiny, "--json", cwd=folder).stderr == ""


@pytest.mark.parametrize("arguments", [("-",), (), ("-f", "-")], ids=["dash", "nothing", "file-dash"])
def test_standard_input_has_a_text_on_each_line(tiny: tuple[str, str], arguments: tuple[str, ...]) -> None:
    records = run("encode", *arguments, *tiny, "--json", stdin=THREE).records()
    assert places(records) == [(0, 1, "how are you"), (1, 2, "the cat"), (2, 3, "sat")]


@pytest.mark.parametrize("option", ["-f", "--file"])
def test_a_file_has_a_text_on_each_line(tiny: tuple[str, str], folder: Path, option: str) -> None:
    # A byte order mark, Windows line ends, and a last line without a line end, as some editors write.
    (folder / "texts.txt").write_bytes(b"\xef\xbb\xbfhow are you\r\nthe cat\r\nsat")
    records = run("encode", option, "texts.txt", *tiny, "--json", cwd=folder).records()
    assert places(records) == [(0, 1, "how are you"), (1, 2, "the cat"), (2, 3, "sat")]


def test_a_file_may_be_a_pipe(tiny: tuple[str, str]) -> None:
    assert len(run("encode", "-f", "/dev/stdin", *tiny, "--json", stdin=THREE).records()) == 3


@pytest.mark.parametrize("command", COMMANDS)
def test_a_text_may_begin_with_a_dash_after_two_dashes(tiny: tuple[str, str], command: str) -> None:
    texts = ("-[MASK]", "--help [MASK]")
    document = run(command, *tiny, "--json", "--", *texts).json()
    if command == "shapes":
        assert document["batch_size"] == 2
    else:
        assert tuple(record["text"] for record in document["records"]) == texts


def test_a_dash_after_two_dashes_is_still_standard_input(tiny: tuple[str, str]) -> None:
    assert len(run("encode", *tiny, "--json", "--", "-", stdin=THREE).records()) == 3


def test_empty_input_is_an_empty_result(tiny: tuple[str, str]) -> None:
    finished = run("encode", "-", *tiny, "--json", stdin="")
    assert (finished.exit_code, finished.stderr) == (0, "bertcli: note: no input text\n")
    assert run("encode", "-", *tiny, "--json", "-q", stdin="").records() == []
    assert run("encode", "-", *tiny, "-q", stdin="").rows() == [["index", "line", "text", "tokens", "embedding"]]


@pytest.mark.parametrize("texts", [("-",), ("", "--on-error", "skip")], ids=["empty", "skipped"])
def test_shapes_of_no_text_is_an_object_without_classes(tiny: tuple[str, str], texts: tuple[str, ...]) -> None:
    document = json.loads(run("shapes", *texts, *tiny, "--json", stdin="").text)
    assert (document["batch_size"], document["sequence_length"], document["classes"]) == (0, 0, [])


def test_blank_lines_at_the_end_are_not_texts(tiny: tuple[str, str]) -> None:
    records = run("encode", "-", *tiny, "--json", stdin="how\nyou\n\n \n\n").records()
    assert places(records) == [(0, 1, "how"), (1, 2, "you")]


def test_pair_gives_every_text_a_sentence_b_of_segment_1(tiny: tuple[str, str]) -> None:
    document = run("encode", "how", "the cat", "--pair", "you", *tiny, "--json").json()
    assert [(record["pair"], record["tokens"]) for record in document["records"]] == [
        ("you", ["[CLS]", "how", "[SEP]", "you", "[SEP]"]),
        ("you", ["[CLS]", "the", "cat", "[SEP]", "you", "[SEP]"]),
    ]
    table = run("encode", "how", "--pair", "you", *tiny, "--format", "table").answer().text
    tokens = [line.split()[1:4] for line in table.splitlines() if line.split()[:1] in [[str(n)] for n in range(5)]]
    assert [(token, segment) for token, _, segment in tokens] == [
        ("[CLS]", "0"), ("how", "0"), ("[SEP]", "0"), ("you", "1"), ("[SEP]", "1"),
    ]  # fmt: skip


def test_a_pair_has_a_next_sentence_probability(tiny: tuple[str, str]) -> None:
    [record] = run("encode", "how", "--pair", "you", *tiny, "--json").records()
    assert 0 < record["next_sentence"] < 1
    header, row = run("encode", "how", "--pair", "you", *tiny).rows()
    assert float(row[header.index("next_sentence")]) == record["next_sentence"]  # both with nine digits
    table = run("encode", "how", "--pair", "you", *tiny, "--format", "table").answer().text
    assert f"next_sentence  {record['next_sentence']:.4f}" in table
    assert "next_sentence" not in run("encode", "how", *tiny, "--json").records()[0]


def test_pairs_are_separated_by_a_tab(tiny: tuple[str, str]) -> None:
    by_line = run("encode", "-", "--pairs", *tiny, "--json", stdin="how\tyou\nthe cat\tsat on\n").records()
    assert [(record["text"], record["pair"]) for record in by_line] == [("how", "you"), ("the cat", "sat on")]
    (by_option,) = run("encode", "how", "--pair", "you", *tiny, "--json").records()
    assert by_line[0]["tokens"] == by_option["tokens"]
    np.testing.assert_allclose(by_line[0]["embedding"], by_option["embedding"], rtol=1e-5, atol=1e-6)


def test_a_sentence_b_differs_from_one_longer_text(tiny: tuple[str, str]) -> None:
    pair, plain = (
        run("encode", *texts, *tiny, "--tokens", "--json").records()[0]["token_vectors"]
        for texts in (("how", "--pair", "you"), ("how [SEP] you",))
    )
    assert np.abs(np.array(pair) - np.array(plain)).max() > 1e-3


@pytest.mark.parametrize(
    ("arguments", "stdin", "words"),
    [
        (("encode", "how", "--pair", "a", "--pairs"), b"", ("--pair and --pairs",)),
        (("encode", "how", "-f", "texts.txt"), b"", ("not from both",)),
        (("encode", "how", "-"), b"", ("cannot be combined with other texts",)),
        (("encode", "-f", "-", "-f", "-"), b"", ("standard input (-) can be read only once",)),
        (("encode", "-f", ""), b"", ("-f needs a name",)),
    ],
)
def test_sources_that_contradict_each_other_are_wrong_usage(
    tiny: tuple[str, str], arguments: tuple[str, ...], stdin: bytes, words: tuple[str, ...]
) -> None:
    assert_failed(run(*arguments, *tiny, stdin=stdin), 2, *words)


@pytest.mark.parametrize(
    ("arguments", "stdin", "words"),
    [
        (("encode", ""), b"", ("text 1: the text is empty",)),
        (("encode", "how", " \t "), b"", ("text 2: the text is empty",)),
        (("encode", "-"), b"how\n\nyou\n", ("line 2: the text is empty",)),
        (("encode", "-"), b"how\nyou\ncaf\xe9\n", ("line 3: the text is not UTF-8", "0xe9", "column 4")),
        (("encode", b"caf\xe9"), b"", ("text 1: the text is not UTF-8",)),
        (("encode", "how", "--pair", ""), b"", ("text 1: the text is empty",)),
        (("encode", "-", "--pairs"), b"how\tyou\nhow\n", ("line 2: the text has no tab",)),
        (("encode", "\u200b"), b"", ("text 1: the text has no tokens",)),
        (("fill-mask", "how are you"), b"", ("text 1: the text has no mask",)),
        (("fill-mask", "-"), b"how [MASK]\nyou\n", ("line 2: the text has no mask",)),
        (("encode", " ".join(["cat"] * 63)), b"", ("text 1: the text has 65 tokens", "limit is 64")),
        (("encode", "the cat sat", "--max-length", "4"), b"", ("text 1: the text has 5 tokens", "limit is 4")),
        (("fill-mask", "cat cat [MASK]", "--max-length", "4", "--truncate"), b"", ("text 1: 1 of the text's masks",)),
        (("attn", "how are", "--from", "you"), b"", ("text 1: the text has no token 'you'", "[CLS] how are [SEP]")),
        (("shapes", "how", ""), b"", ("text 2: the text is empty",)),
    ],
)
def test_a_failed_text_stops_the_run_with_its_place(
    tiny: tuple[str, str], arguments: tuple[Any, ...], stdin: bytes, words: tuple[str, ...]
) -> None:
    assert_failed(run(*arguments, *tiny, stdin=stdin), 1, *words)


def test_a_missing_file_and_a_folder_are_named(tiny: tuple[str, str], folder: Path) -> None:
    assert_failed(run("encode", "-f", "missing.txt", *tiny, cwd=folder), 1, "missing.txt: no such file or directory")
    assert_failed(run("encode", "-f", ".", *tiny, cwd=folder), 1, ".: is a directory")


def test_without_texts_and_standard_input_there_is_an_error(tiny: tuple[str, str]) -> None:
    for arguments in ((), ("-",)):
        closed = run("encode", *arguments, *tiny, stdin=None, preexec_fn=lambda: os.close(0))
        assert_failed(closed, 2, "standard input is closed")


def test_json_before_an_error_is_complete(tiny: tuple[str, str]) -> None:
    finished = run("encode", "-", *tiny, "--json", stdin=SPOILT)
    assert_failed(finished, 1, "line 2: the text is empty")
    records = type(finished)(0, finished.stdout, "").records()
    assert places(records) == [(0, 1, "how are you")]


@pytest.mark.parametrize("output_format", ["json", "jsonl", "csv", "tsv"])
def test_skipped_texts_are_reported_by_line_and_counted_at_the_end(tiny: tuple[str, str], output_format: str) -> None:
    finished = run("encode", "-", *tiny, "--on-error", "skip", "--format", output_format, stdin=SPOILT)
    assert finished.exit_code == 1
    # The hint about --on-error skip is left out, since the texts are being skipped.
    hints = [line for line in finished.stderr.splitlines() if line.startswith("hint: ")]
    assert hints == ["hint: if it is Latin-1, convert it first: pipe it through iconv -f latin1 -t utf-8"]
    errors = [line for line in finished.stderr.splitlines() if line not in hints]
    assert errors == [
        "bertcli: skipped: line 2: the text is empty",
        "bertcli: skipped: line 4: the text is not UTF-8: byte 0xff at column 1",
        "bertcli: error: skipped 2 failed texts",
    ]
    answered = type(finished)(0, finished.stdout, "")
    kept = [(0, 1, "how are you"), (2, 3, "the cat"), (4, 5, "sat")]
    if output_format.startswith("json"):
        assert places(answered.records() if output_format == "json" else answered.lines()) == kept
    else:
        rows = answered.rows("\t" if output_format == "tsv" else ",")[1:]
        assert [(int(row[0]), int(row[1]), row[2]) for row in rows] == kept


def test_a_skipped_text_keeps_its_row_as_nan(tiny: tuple[str, str], folder: Path) -> None:
    finished = run("encode", "-", *tiny, "--on-error", "skip", "-o", "out.npy", stdin=SPOILT, cwd=folder)
    assert finished.exit_code == 1
    matrix = np.load(folder / "out.npy")
    assert np.isnan(matrix).all(1).tolist() == np.isnan(matrix).any(1).tolist() == [False, True, False, True, False]
    run("encode", "-", *tiny, "--on-error", "skip", "-o", "out.npz", stdin=SPOILT, cwd=folder)
    with np.load(folder / "out.npz") as arrays:
        assert arrays["attention_mask"].sum(1).tolist() == [5, 0, 4, 0, 3]
        assert np.isnan(arrays["last_hidden_state"]).all((1, 2)).tolist() == [False, True, False, True, False]


def test_an_error_leaves_no_file(tiny: tuple[str, str], folder: Path) -> None:
    for name in ("out.npy", "out.npz", "out.json"):
        assert_failed(run("encode", "-", *tiny, "-o", name, stdin=SPOILT, cwd=folder), 1, "line 2")
    assert list(folder.iterdir()) == []


def test_skipping_everything_is_an_empty_result_with_exit_1(tiny: tuple[str, str], folder: Path) -> None:
    finished = run("encode", "", " ", *tiny, "--on-error", "skip", "-o", "out.npy", cwd=folder)
    assert (finished.exit_code, finished.stderr.splitlines()[-1]) == (
        1,
        "bertcli: error: skipped 2 failed texts",
    )
    assert np.isnan(np.load(folder / "out.npy")).all()
