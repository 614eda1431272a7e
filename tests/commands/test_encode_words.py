"""encode --words from the request to the writers: what each binary file holds, and words that are not there."""

import io
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyarrow import parquet
from safetensors.numpy import load

from bertcli.analysis.embeddings.encode import encode
from bertcli.choices import HeadTask, LayerOp, Pooling
from bertcli.commands.encode.outputs import binary_writers, encode_options
from bertcli.commands.encode.request import EncodeRequest
from bertcli.commands.encode.similarity import Comparison, TokenComparison, open_comparison
from bertcli.commands.encode.words import require_occurrence
from bertcli.commands.options import CorpusOptions, TextOptions, WordOptions
from bertcli.errors import BadText, WrongUsage
from bertcli.input.reader import TextReader
from bertcli.input.records import FailedText
from bertcli.model.request import EmbeddingRequest
from bertcli.model.session import Session
from bertcli.output.destination import Destination, OutputOptions
from bertcli.output.messages import Reporter
from bertcli.results.embeddings import EncodeRecord
from tests.model.test_slow_tokenizer import save_phobert
from tests.task_models import save_head
from tests.tiny import DEFAULTS, one_batch, open_bert

HIDDEN = DEFAULTS["hidden_size"]
TEXTS = ["The making of cats", "how are"]
FAILED = FailedText(2, 3, BadText("broken"), id=None)


def open_request(folder: Path, **options: Any) -> tuple[EncodeRequest, Session]:
    words = WordOptions(**{"words": True, **options.pop("words", {})})
    texts = TextOptions(**{"texts": ["how"], **options.pop("texts", {})})
    session = open_bert(folder, options.pop("engine", "numpy"))
    request = EncodeRequest(texts, session.request, OutputOptions(), words=words, **options)
    return request, open_bert(folder, session.request.engine, embedding=request.session.embedding)


def written(request: EncodeRequest, session: Session, suffix: str, texts: Iterable[Any] = TEXTS) -> bytes:
    """Return the file that the texts and a failed text make."""
    options = encode_options(request, session, Destination(suffix))
    stream = io.BytesIO()
    writer = binary_writers(session, request, options)[suffix](stream)
    for record in encode(session, one_batch(session, list(texts)), options):
        writer.write(record)
    writer.skip(FAILED)
    writer.finish()
    return stream.getvalue()


def expected(session: Session, request: EncodeRequest, texts: Iterable[Any] = TEXTS) -> list[EncodeRecord]:
    options = encode_options(request, session, Destination("json"))
    return encode(session, one_batch(session, list(texts)), options)


@pytest.mark.parametrize("dtype_out", [None, "float16"])
def test_npy_has_a_row_for_each_word_and_one_for_a_failed_text(tiny_bert: Path, dtype_out: Any) -> None:
    request, session = open_request(tiny_bert, corpus=CorpusOptions(dtype_out=dtype_out))
    matrix = np.load(io.BytesIO(written(request, session, ".npy")))
    vectors = [word.embedding for record in expected(session, request) for word in record.words]
    assert matrix.dtype == (dtype_out or "float32")
    assert np.array_equal(matrix[:-1], np.array(vectors).astype(matrix.dtype))
    assert np.isnan(matrix[-1]).all()


@pytest.mark.parametrize("suffix", [".npy", ".npz", ".safetensors", ".parquet"])
def test_joined_layers_are_as_wide_as_all_of_them(tiny_bert: Path, suffix: str) -> None:
    mix = EmbeddingRequest(layer_op=LayerOp.CONCAT)
    request, session = open_request(tiny_bert, layers="all", embedding=mix)
    content = written(request, session, suffix)
    if suffix == ".parquet":
        table = parquet.read_table(io.BytesIO(content))
        assert table.schema.field("embedding").type.list_size == 3 * HIDDEN
        recipe = json.loads(table.schema.metadata[b"bertcli"])["recipe"]
        assert (recipe["dimension"], recipe["layers"], recipe["layer_op"]) == (3 * HIDDEN, [0, 1, 2], "concat")
    elif suffix == ".npy":
        assert np.load(io.BytesIO(content)).shape == (7, 3 * HIDDEN)
    else:
        arrays = np.load(io.BytesIO(content)) if suffix == ".npz" else load(content)
        assert arrays["word_vectors"].shape == (7, 3 * HIDDEN)


@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
def test_arrays_say_where_each_word_is(tiny_bert: Path, suffix: str) -> None:
    request, session = open_request(tiny_bert, texts={"pair": "you"})
    content = written(request, session, suffix, [("The cat", "you"), ("how", "you")])
    arrays = dict(np.load(io.BytesIO(content))) if suffix == ".npz" else load(content)
    assert {name: array.shape[0] for name, array in arrays.items()} == dict.fromkeys(arrays, 6)
    assert sorted(arrays) == ["end", "sentence", "start", "text_index", "word_index", "word_vectors"]
    assert arrays["text_index"].tolist() == [0, 0, 0, 1, 1, -1]
    assert arrays["sentence"].tolist() == [0, 0, 1, 0, 1, -1]
    assert arrays["word_index"].tolist() == [0, 1, 0, 0, 0, -1]
    assert arrays["start"].tolist() == [0, 4, 0, 0, 0, -1]
    assert arrays["end"].tolist() == [3, 7, 3, 3, 3, -1]
    assert np.isnan(arrays["word_vectors"][-1]).all()


def test_parquet_has_a_row_for_each_word_with_its_text(tiny_bert: Path) -> None:
    request, session = open_request(tiny_bert, corpus=CorpusOptions(keep_text=True), words={"pretokenized": True})
    texts = ["The making, \u200b", "how"]
    rows = parquet.read_table(io.BytesIO(written(request, session, ".parquet", texts))).to_pylist()
    assert [row["id"] for row in rows] == [0, 0, 0, 1, 2]
    assert [row["word"] for row in rows] == ["The", "making,", "\u200b", "how", None]
    assert [row["positions"] for row in rows] == [[1], [2, 3, 4, 5, 6], [], [3 - 2], None]
    assert [(row["start"], row["end"], row["word_index"]) for row in rows] == [
        (0, 3, 0), (4, 11, 1), (12, 13, 2), (0, 3, 0), (None, None, None),
    ]  # fmt: skip
    assert [row["text"] for row in rows] == [texts[0]] * 3 + [texts[1], None]
    assert rows[4]["embedding"] is None
    assert np.isnan(rows[2]["embedding"]).all()
    vectors = [word.embedding for record in expected(session, request, texts) for word in record.words]
    assert np.array_equal(np.array(rows[1]["embedding"], np.float32), vectors[1])


def test_npz_of_tokens_names_mixed_layers(tiny_bert: Path) -> None:
    mix = EmbeddingRequest(layer_op=LayerOp.SUM)
    request, session = open_request(tiny_bert, layers="0,1", embedding=mix, words={"words": False})
    arrays = dict(np.load(io.BytesIO(written(request, session, ".npz"))))
    assert sorted(arrays) == ["attention_mask", "embedding", "input_ids", "token_vectors"]
    assert arrays["token_vectors"].shape[::2] == (3, HIDDEN)


@pytest.mark.parametrize(
    ("word", "pretokenized", "message", "hint"),
    [
        ("you?", False, "--word 'you?' is 2 words to the tokenizer: 'you', '?'", "name one of them, or add --pretoken"),
        ("New York", False, "--word 'New York' is 2 words to the tokenizer: 'New', 'York'", "name one of them"),
        ("New York", True, "--word 'New York' is 2 words: 'New', 'York'", "name one of them"),
    ],
)
def test_word_is_one_word(tiny_bert: Path, word: str, message: str, hint: str, *, pretokenized: bool) -> None:
    request, session = open_request(tiny_bert, words={"word": word, "pretokenized": pretokenized})
    with pytest.raises(WrongUsage) as raised:
        encode_options(request, session, Destination("json"))
    assert raised.value.message == message
    assert raised.value.hint.startswith(hint)
    assert ("--pretokenized" in raised.value.hint) == (word == "you?")


@pytest.mark.parametrize(
    ("word", "why"), [("\u200b", "the text has no tokens"), ("[SEP]", "special tokens are no words")]
)
@pytest.mark.parametrize("pretokenized", [False, True])
def test_a_word_without_tokens_is_wrong_usage(tiny_bert: Path, word: str, why: str, *, pretokenized: bool) -> None:
    request, session = open_request(tiny_bert, words={"word": word, "pretokenized": pretokenized})
    with pytest.raises(WrongUsage) as raised:
        encode_options(request, session, Destination("json"))
    assert raised.value.message.startswith(f"--word {word!r} cannot be found: {why}")
    assert raised.value.hint.startswith("name another word")


def test_words_need_vectors_of_tokens(tiny_bert: Path) -> None:
    request, session = open_request(tiny_bert, embedding=EmbeddingRequest(Pooling.LEXICAL))
    with pytest.raises(WrongUsage, match="--words needs the vectors of tokens") as raised:
        encode_options(request, session, Destination("json"))
    assert raised.value.hint == "add --pooling mean"


def test_a_word_that_no_text_has_is_an_error_at_the_end(tiny_bert: Path) -> None:
    request, session = open_request(tiny_bert, words={"word": "mat"})
    records = expected(session, request)
    answers = require_occurrence(records, "mat")
    assert [next(answers), next(answers)] == records
    with pytest.raises(BadText, match="no text has the word 'mat'"):
        next(answers)
    found = expected(session, request, ["the mat", "cat"])
    assert list(require_occurrence(found, "mat")) == found
    assert list(require_occurrence([FAILED], "mat")) == [FAILED]
    assert list(require_occurrence([], "mat")) == []


def comparison_of(request: EncodeRequest, session: Session) -> Comparison:
    comparison = open_comparison(request, session, TextReader(request.texts.source()), Reporter(quiet=True))
    assert comparison is not None
    return comparison


def test_occurrences_are_compared_by_their_cosine(tiny_bert: Path) -> None:
    request, session = open_request(tiny_bert, words={"word": "cat"}, similarity="texts")
    assert list(comparison_of(request, session).compare([], is_table=True)) == []
    records = expected(session, request, ["the cat sat on the Cat", "how", "cat"])
    failed, found = comparison_of(request, session).compare([FAILED, *records], is_table=True)
    assert failed == FAILED
    assert [(each.text.index, each.word.start) for each in found.items] == [(0, 4), (0, 19), (2, 0)]
    vectors = np.array([each.word.embedding for each in found.items], np.float64)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    np.testing.assert_allclose(found.similarity, unit @ unit.T, 0, 1e-6)
    first, *_ = comparison_of(request, session).compare(records, is_table=False)
    assert [(each.text.index, each.word.start) for each in first.others] == [(0, 19), (2, 0)]
    np.testing.assert_allclose(first.similarity, unit[0] @ unit[1:].T, 0, 1e-6)


@pytest.mark.parametrize(("texts", "message"), [(["a"], "there is 1"), (["a", "e", "x"], "there are more")])
def test_tokens_of_two_texts_are_compared(tiny_bert: Path, texts: list[str], message: str) -> None:
    request, session = open_request(tiny_bert, words={"words": False}, similarity="tokens")
    two, other = comparison_of(request, session), comparison_of(request, session)
    assert isinstance(two, TokenComparison) and isinstance(other, TokenComparison)
    failed, found = two.compare([*expected(session, request, ["the cat", "a"]), FAILED], is_table=True)
    assert (failed, found.cosine.shape) == (FAILED, (4, 3))
    with pytest.raises(WrongUsage, match=message):
        list(other.watch(expected(session, request, texts)))
    assert list(comparison_of(request, session).compare([FAILED], is_table=True)) == [FAILED]


def test_a_tokenizer_in_python_gives_words_without_places(tmp_path: Path) -> None:
    folder = save_phobert(tmp_path)
    request, session = open_request(folder, words={"word": "are"}, embedding=EmbeddingRequest(prompt="how "))
    (record,) = expected(session, request, ["how are"])
    (word,) = record.words
    assert (word.word, word.index, word.start, word.end, word.positions) == ("are", 1, None, None, [3, 4])
    request, session = open_request(folder, words={"pretokenized": True})
    with pytest.raises(WrongUsage, match="--pretokenized needs the places of tokens in the text"):
        encode_options(request, session, Destination("json"))


@pytest.mark.parametrize(("format_", "has_heads"), [("json", True), ("tsv", False), (".parquet", False)])
def test_labels_are_computed_only_where_they_are_shown(tmp_path: Path, format_: str, *, has_heads: bool) -> None:
    request, session = open_request(save_head(tmp_path, "bert", HeadTask.TOKEN_LABELS))
    assert bool(encode_options(request, session, Destination(format_)).heads) is has_heads
