"""Pooled vectors, layers and similarities against plain loops over transformers' own outputs."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from safetensors.torch import load_file, save_file

from bertcli.analysis.embeddings.comparison import DenseVectors
from bertcli.analysis.embeddings.encode import EncodeOptions, encode, next_sentence
from bertcli.analysis.embeddings.pooling import normalize, pool
from bertcli.choices import Pooling
from bertcli.errors import WrongUsage
from bertcli.model.layer_numbers import hidden_state_indices
from bertcli.model.request import EmbeddingRequest
from bertcli.model.session import Session
from bertcli.results.embeddings import EncodeRecord
from tests.reference import assert_close, load, transformers_outputs
from tests.tiny import DEFAULTS, one_batch, open_bert, random_model, save_bert

ENGINES = ["numpy", "torch", "transformers"]
TEXTS = ["how are you", "the cat sat on the mat, caf", ("a", "the cat?"), "e"]
LAYERS, HIDDEN = DEFAULTS["num_hidden_layers"], DEFAULTS["hidden_size"]


def encode_batch(session: Session, texts: Sequence[str | tuple[str, str]], **options: object) -> list[EncodeRecord]:
    return encode(session, one_batch(session, texts), EncodeOptions(**options))


def slow_mean(vectors: Sequence[np.ndarray]) -> np.ndarray:
    total = np.zeros(HIDDEN)
    for vector in vectors:
        total += vector
    return total / len(vectors)


def slow_max(vectors: Sequence[np.ndarray]) -> np.ndarray:
    return np.array([max(vector[i] for vector in vectors) for i in range(HIDDEN)])


POOLING: dict[str, Callable[[Sequence[np.ndarray]], np.ndarray]] = {
    "mean": slow_mean, "max": slow_max, "cls": lambda vectors: vectors[0],
}  # fmt: skip


@pytest.mark.parametrize("pooling", POOLING)
@pytest.mark.parametrize("engine", ENGINES)
def test_a_texts_vector_is_pooled_from_its_own_tokens(tiny_bert: Path, engine: str, pooling: str) -> None:
    session = open_bert(tiny_bert, engine, embedding=EmbeddingRequest(pooling))
    batch = one_batch(session, TEXTS)
    expected = transformers_outputs(tiny_bert, batch).last_hidden_state
    for row, answer in enumerate(encode_batch(session, TEXTS)):
        tokens = expected[row, : len(batch.texts[row])].astype(np.float64)
        assert answer.embedding.shape == (HIDDEN,)
        assert_close(answer.embedding, POOLING[pooling](tokens).astype(np.float32))


@pytest.mark.parametrize("engine", ENGINES)
def test_pooling_by_the_pooler_returns_pooler_output(tiny_bert: Path, engine: str) -> None:
    session = open_bert(tiny_bert, engine, embedding=EmbeddingRequest(Pooling.POOLER))
    expected = transformers_outputs(tiny_bert, one_batch(session, TEXTS)).pooler_output
    for row, answer in enumerate(encode_batch(session, TEXTS, pooler=True)):
        assert_close(answer.embedding, expected[row])
        assert np.array_equal(answer.embedding, answer.pooler_output)


@pytest.mark.parametrize("pooling", [*POOLING, "pooler"])
@pytest.mark.parametrize("engine", ENGINES)
def test_a_text_has_the_same_vector_alone_and_in_a_batch(tiny_bert: Path, engine: str, pooling: str) -> None:
    session = open_bert(tiny_bert, engine, embedding=EmbeddingRequest(pooling))
    for text, together in zip(TEXTS, encode_batch(session, TEXTS), strict=True):
        [alone] = encode_batch(session, [text])
        assert_close(together.embedding, alone.embedding)


def test_padding_does_not_change_max_pooling_of_negative_numbers() -> None:
    states = np.full((2, 3, 4), -5, np.float32)
    states[0, 1:] = 9
    mask = np.array([[True, False, False], [True, True, True]])
    assert (pool(states, mask, None, Pooling.MAX) == -5).all()


@pytest.mark.parametrize("engine", ENGINES)
def test_tokens_and_layers_have_no_padding_and_are_returned_only_on_request(tiny_bert: Path, engine: str) -> None:
    session = open_bert(tiny_bert, engine)
    batch = one_batch(session, TEXTS)
    expected = transformers_outputs(tiny_bert, batch)
    for row, answer in enumerate(encode_batch(session, TEXTS, tokens=True, pooler=True, layers=[2, 0])):
        size = len(batch.texts[row])
        assert len(answer.text.tokens) == size
        assert_close(answer.last_hidden_state, expected.last_hidden_state[row, :size])
        assert_close(answer.pooler_output, expected.pooler_output[row])
        assert answer.layers == [2, 0]
        for layer, state in zip(answer.layers, answer.hidden_states, strict=True):
            assert_close(state, expected.hidden_states[layer][row, :size])
    for answer in encode_batch(session, TEXTS):
        assert (answer.last_hidden_state, answer.pooler_output, list(answer.hidden_states)) == (None, None, [])


def test_a_record_describes_its_text(tiny_bert: Path) -> None:
    answer = encode_batch(open_bert(tiny_bert), ["how are you", ("a", "the cat?")])[1]
    assert (answer.text.index, answer.text.text, answer.text.pair) == (1, "a", "the cat?")
    assert list(answer.text.tokens) == ["[CLS]", "a", "[SEP]", "the", "cat", "?", "[SEP]"]
    assert list(answer.text.token_type_ids) == [0, 0, 0, 1, 1, 1, 1]
    assert len(answer.text.input_ids) == 7
    assert (answer.text.truncated, answer.text.line) == (False, None)


@pytest.mark.parametrize("engine", ["numpy", "torch", "transformers"])
def test_next_sentence_probability_equals_that_of_transformers(tiny_bert: Path, engine: str) -> None:
    pairs = [("how are you", "the cat sat"), ("the cat sat on the mat", "a"), ("a", "how")]
    session = open_bert(tiny_bert, engine)
    batch = one_batch(session, pairs)
    inputs = [torch.from_numpy(array) for array in (batch.input_ids, batch.attention_mask, batch.token_type_ids)]
    with torch.no_grad():
        logits = load("BertForNextSentencePrediction", tiny_bert)(*inputs).logits
    expected = logits.softmax(-1)[:, 0].numpy()
    assert expected.std() > 0.01
    found = [answer.next_sentence for answer in encode_batch(session, pairs)]
    np.testing.assert_allclose(found, expected, 0, 1e-5)


def test_next_sentence_needs_a_pair_and_a_next_sentence_head(tiny_bert: Path, own_tiny_bert: Path) -> None:
    alone, paired = encode_batch(open_bert(tiny_bert), ["how are you", ("how", "you")])
    assert alone.next_sentence is None
    assert 0 < paired.next_sentence < 1
    save_bert(own_tiny_bert, random_model(transformers.BertForMaskedLM))
    assert encode_batch(open_bert(own_tiny_bert), [("how", "you")])[0].next_sentence is None
    tensors = load_file(tiny_bert / "model.safetensors")
    headless = {name: x for name, x in tensors.items() if not name.startswith("bert.pooler.")}
    save_file(headless, own_tiny_bert / "model.safetensors", {"format": "pt"})
    assert encode_batch(open_bert(own_tiny_bert), [("how", "you")])[0].next_sentence is None


@given(hnp.arrays(np.float32, (3, 2), elements=st.floats(-1e4, 1e4, width=32)))
def test_next_sentence_is_the_softmax_of_any_logits(logits: np.ndarray) -> None:
    found = next_sentence(logits)
    np.testing.assert_allclose(found, torch.from_numpy(logits).softmax(-1)[:, 0].numpy(), 1e-5, 1e-7)


def test_normalised_vectors_have_length_1_and_the_same_direction(tiny_bert: Path) -> None:
    plain_session = open_bert(tiny_bert)
    unit_session = open_bert(tiny_bert, embedding=EmbeddingRequest(normalize=True))
    for plain, unit in zip(encode_batch(plain_session, TEXTS), encode_batch(unit_session, TEXTS), strict=True):
        assert np.linalg.norm(unit.embedding) == pytest.approx(1, abs=1e-6)
        np.testing.assert_allclose(unit.embedding * np.linalg.norm(plain.embedding), plain.embedding, 0, 1e-5)


def test_normalising_a_vector_of_zeros_returns_zeros() -> None:
    assert normalize(np.zeros((2, 3), np.float32)).tolist() == [[0, 0, 0], [0, 0, 0]]


vectors = st.lists(st.lists(st.floats(-100, 100, width=32), min_size=3, max_size=3), min_size=1, max_size=6)


@given(vectors)
def test_similarity_is_the_cosine_of_each_pair(rows: list[list[float]]) -> None:
    drawn = np.array(rows, np.float32)
    drawn[np.abs(drawn) < 1e-3] = 0
    found = DenseVectors(drawn).similarity(0, len(drawn))
    assert found.shape == (len(rows), len(rows))
    for i, first in enumerate(drawn.astype(np.float64)):
        for j, second in enumerate(drawn.astype(np.float64)):
            lengths = np.sqrt(first @ first) * np.sqrt(second @ second)
            assert found[i, j] == pytest.approx(first @ second / lengths if lengths else 0, abs=1e-5)


def test_layers_of_encode_are_hidden_states_with_the_embeddings_first() -> None:
    assert hidden_state_indices("0,-1", 3) == [0, 3]
    assert hidden_state_indices("-1,0,3,0", 3) == [3, 0]  # each once: a Parquet file has one column for a layer
    with pytest.raises(WrongUsage, match=r"there is no hidden state 4: this model has 4, the embeddings \(0\) and 3"):
        hidden_state_indices("4", 3)
