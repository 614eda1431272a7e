"""encode --words, --layer-op and --similarity tokens as a process: what reaches standard output and files."""

import json
from pathlib import Path

import numpy as np

from tests.cli.process import assert_failed, run


def test_rows_json_and_matrix_hold_the_same_words(tiny: tuple[str, str], tmp_path: Path) -> None:
    arguments = ("encode", "The making", "how are", *tiny, "--words")
    records = run(*arguments, "--json").records()
    header, *rows = run(*arguments, "--format", "csv").rows(",")
    run(*arguments, "-o", tmp_path / "words.npy").answer()
    words = [(record["index"], word) for record in records for word in record["words"]]
    assert [word["word"] for _, word in words] == ["The", "making", "how", "are"]
    assert header == [
        "index", "text", "word", "word_index", "start", "end", "positions", "embedding",
    ]  # fmt: skip
    for (index, word), row in zip(words, rows, strict=True):
        assert (row[0], row[2:6]) == (
            str(index),
            [word["word"], str(word["index"]), str(word["start"]), str(word["end"])],
        )
        assert row[6] == " ".join(map(str, word["positions"]))
        assert [float(value) for value in row[7].split()] == word["embedding"]
    np.testing.assert_array_equal(np.load(tmp_path / "words.npy"), np.float32([word["embedding"] for _, word in words]))


def test_a_word_that_no_text_has_leaves_readable_json_and_no_file(tiny: tuple[str, str], tmp_path: Path) -> None:
    arguments = ("encode", "The cat", "how are", *tiny, "--word", "mat")
    finished = run(*arguments, "--json", "--similarity")
    assert_failed(finished, 1, "no text has the word 'mat'")
    document = json.loads(finished.stdout)
    assert ([record["words"] for record in document["records"]], document["similarity"]) == ([[], []], [])
    assert_failed(run(*arguments, "-o", tmp_path / "words.parquet"), 1, "no text has the word 'mat'")
    assert list(tmp_path.iterdir()) == []


def test_a_third_text_is_wrong_usage_and_leaves_readable_json(tiny: tuple[str, str]) -> None:
    finished = run("encode", "-", *tiny, "--similarity", "tokens", "--json", stdin="a\nb\nc\n")
    assert_failed(finished, 2, "--similarity tokens compares two texts, and there are more")
    assert "token_similarity" not in json.loads(finished.stdout)


def test_every_pair_has_its_similarity_of_tokens(tiny: tuple[str, str]) -> None:
    finished = run(
        "encode", "-", *tiny, "--pairs", "--similarity", "tokens", "--json", stdin="the cat\ta mat\nhow\tare\n"
    )
    shapes = [np.shape(record["token_similarity"]["cosine"]) for record in finished.records()]
    assert shapes == [(2, 2), (1, 1)]
