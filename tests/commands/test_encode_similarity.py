"""encode --similarity, from texts to rows, JSON and tables, with brute force over the embeddings as the oracle."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bertcli.choices import OnError, Pooling, SimilarityUnit
from bertcli.commands.encode.command import encode_texts
from bertcli.commands.encode.request import EncodeRequest
from bertcli.commands.options import TextOptions, WordOptions
from bertcli.errors import ExitCode, WrongUsage
from bertcli.model.request import EmbeddingRequest, SessionRequest
from bertcli.output.destination import OutputOptions

_TEXTS = ["how are you", "the cat sat", "how are you", "the mat", "on the mat", "cat"]


def write(
    folder: Path, name: str, *texts: str, model: Path, similarity: str = "texts", width: int = 100, **options: Any
) -> str:
    """Encode texts into a file, and return its content."""
    of_texts = TextOptions(list(texts), on_error=OnError.SKIP, **options.pop("input", {}))
    output = OutputOptions(output=str(folder / name), quiet=True, force=True, width=width)
    request = EncodeRequest(
        of_texts, SessionRequest(str(model), device="cpu"), output, similarity=SimilarityUnit(similarity), **options
    )
    assert encode_texts(request) in (ExitCode.DONE, ExitCode.FAILED)
    return (folder / name).read_text()


def rows_of(content: str) -> list[dict[str, str]]:
    header, *rows = (line.split("\t") for line in content.splitlines())
    return [dict(zip(header, row, strict=True)) for row in rows]


def cosines(document: Any) -> np.ndarray:
    vectors = np.array([record["embedding"] for record in document["records"]])
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit @ unit.T


def test_rows_have_each_pair_once(tmp_path: Path, tiny_bert: Path) -> None:
    rows = rows_of(write(tmp_path, "out.tsv", *_TEXTS, "", model=tiny_bert))
    document = json.loads(write(tmp_path, "out.json", *_TEXTS, "", model=tiny_bert))
    expected = cosines(document)
    assert list(rows[0]) == ["i", "j", "text_i", "text_j", "cosine"]
    assert [(int(row["i"]), int(row["j"])) for row in rows] == [(i, j) for i in range(6) for j in range(i + 1, 6)]
    for row in rows:
        assert (row["text_i"], row["text_j"]) == (_TEXTS[int(row["i"])], _TEXTS[int(row["j"])])
        assert float(row["cosine"]) == pytest.approx(expected[int(row["i"]), int(row["j"])], abs=1e-6)
    np.testing.assert_allclose(document["similarity"], expected, 0, 1e-6)
    lines = [json.loads(line) for line in write(tmp_path, "out.jsonl", *_TEXTS, model=tiny_bert).splitlines()]
    assert [list(line) for line in lines] == [list(row) for row in rows]
    assert [line["cosine"] for line in lines] == [float(row["cosine"]) for row in rows]


@pytest.mark.parametrize("top_k", [1, 2, 9])
def test_the_nearest_texts_of_each(tmp_path: Path, tiny_bert: Path, top_k: int) -> None:
    rows = rows_of(write(tmp_path, "out.tsv", *_TEXTS, model=tiny_bert, top_k=top_k))
    document = json.loads(write(tmp_path, "out.json", *_TEXTS, model=tiny_bert, top_k=top_k))
    matrix = json.loads(write(tmp_path, "all.json", *_TEXTS, model=tiny_bert))["similarity"]
    assert "similarity" not in document
    for i in range(6):
        others = [j for j in range(6) if j != i]
        expected = sorted(others, key=lambda j: (-matrix[i][j], j))[:top_k]
        assert [int(row["j"]) for row in rows if row["i"] == str(i)] == expected
        assert [each["j"] for each in document["nearest"][i]["nearest"]] == expected
    # The first and the third text are equal, so each other text is equally far from both: the first one comes first.
    assert (rows[0]["j"], rows[0]["cosine"]) == ("2", "1")
    shown = write(tmp_path, "out.svg", *_TEXTS, model=tiny_bert, top_k=top_k)
    assert "\u2500" not in shown


def test_ids_files_and_pairs_have_columns(tmp_path: Path, tiny_bert: Path) -> None:
    for name, text in (("a.jsonl", "how"), ("b.jsonl", "cat")):
        (tmp_path / name).write_text(json.dumps({"text": f"{text}\tmat", "key": name}) + "\n")
    files = [str(tmp_path / name) for name in ("a.jsonl", "b.jsonl")]
    given = {"file": files, "id_field": "key", "pairs": True}
    (row,) = rows_of(write(tmp_path, "out.tsv", model=tiny_bert, input=given))
    assert list(row)[5:] == ["pair_i", "pair_j", "id_i", "id_j", "file_i", "file_j"]
    assert (row["text_j"], row["pair_j"], row["id_i"], row["id_j"]) == ("cat", "mat", "a.jsonl", "b.jsonl")
    assert row["file_i"].endswith("a.jsonl")


def test_a_table_shows_the_matrix_alone(tmp_path: Path, tiny_bert: Path) -> None:
    shown = write(tmp_path, "out.svg", *_TEXTS, model=tiny_bert)
    assert "cosine&#160;similarity" in shown
    assert "[CLS]" not in shown


def test_a_table_of_many_texts_shows_the_most_similar_pairs(tmp_path: Path, tiny_bert: Path) -> None:
    texts = [f"cat {'on ' * (number % 7)}mat {number}" for number in range(50)]
    shown = write(tmp_path, "out.svg", *texts, model=tiny_bert).replace("&#160;", " ")
    assert "the 20 most similar of 1,225 pairs of 50 texts" in shown
    assert "--top-k 3 shows the nearest texts of each" in shown


def test_occurrences_of_a_word_have_rows(tmp_path: Path, tiny_bert: Path) -> None:
    texts = ["the cat on the mat", "how cat"]
    rows = rows_of(write(tmp_path, "out.tsv", *texts, model=tiny_bert, words=WordOptions(word="the"), top_k=1))
    assert [(row["word_i"], row["start_i"], row["start_j"]) for row in rows] == [("the", "0", "11"), ("the", "11", "0")]


def test_tokens_have_rows(tmp_path: Path, tiny_bert: Path) -> None:
    rows = rows_of(write(tmp_path, "out.tsv", "how are", "cat", model=tiny_bert, similarity="tokens"))
    document = json.loads(write(tmp_path, "out.json", "how are", "cat", model=tiny_bert, similarity="tokens"))
    assert [(row["token_i"], row["token_j"]) for row in rows[:4]] == [
        ("[CLS]", "[CLS]"), ("[CLS]", "cat"), ("[CLS]", "[SEP]"), ("how", "[CLS]"),
    ]  # fmt: skip
    found = np.array([float(row["cosine"]) for row in rows]).reshape(4, 3)
    np.testing.assert_allclose(found, document["token_similarity"]["cosine"], 1e-6, 1e-7)
    given = {"pair": "cat"}
    rows = rows_of(write(tmp_path, "out.tsv", "how", "the", model=tiny_bert, similarity="tokens", input=given))
    assert [(row["index"], row["token_i"], row["token_j"]) for row in rows] == [
        ("0", "how", "cat"),
        ("1", "the", "cat"),
    ]


def test_lexical_vectors_are_compared_by_their_dot_product(tmp_path: Path, tiny_bert: Path) -> None:
    lexical = EmbeddingRequest(Pooling.LEXICAL)
    rows = rows_of(write(tmp_path, "out.tsv", *_TEXTS, model=tiny_bert, embedding=lexical))
    document = json.loads(write(tmp_path, "out.json", *_TEXTS, model=tiny_bert, embedding=lexical))
    terms = [{term["token_id"]: term["weight"] for term in record["terms"]} for record in document["records"]]
    for row in rows:
        one, other = terms[int(row["i"])], terms[int(row["j"])]
        product = sum(weight * other.get(token_id, 0) for token_id, weight in one.items())
        assert float(row["dot"]) == pytest.approx(product, rel=1e-5, abs=1e-6)


def test_one_text_has_no_rows_and_no_texts_neither(tmp_path: Path, tiny_bert: Path) -> None:
    assert rows_of(write(tmp_path, "out.tsv", "how", model=tiny_bert)) == []
    assert rows_of(write(tmp_path, "out.tsv", "", model=tiny_bert, top_k=2)) == []
    assert json.loads(write(tmp_path, "out.json", "", model=tiny_bert))["similarity"] == []
    assert json.loads(write(tmp_path, "out.json", "how", model=tiny_bert, top_k=1))["nearest"] == [
        {"i": 0, "nearest": []}
    ]
    assert "1.000" in write(tmp_path, "out.svg", "how", model=tiny_bert)


def test_a_table_refuses_vectors_that_it_does_not_show(tmp_path: Path, tiny_bert: Path) -> None:
    with pytest.raises(WrongUsage, match="shows --similarity alone, without --layers"):
        write(tmp_path, "out.svg", *_TEXTS, model=tiny_bert, layers="0")


@pytest.mark.parametrize("name", ["out.tsv", "out.json", "out.svg"])
def test_a_single_text_gets_a_note(
    tmp_path: Path, tiny_bert: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    for texts, is_noted in ((["how"], True), (["how", "the"], False), ([""], False)):
        output = OutputOptions(output=str(tmp_path / name), force=True)
        model = SessionRequest(str(tiny_bert), device="cpu")
        of_texts = TextOptions(texts, on_error=OnError.SKIP)
        encode_texts(EncodeRequest(of_texts, model, output, similarity=SimilarityUnit.TEXTS))
        noted = capsys.readouterr().err.count("there is only one text, and so nothing to compare it with")
        assert noted == is_noted
