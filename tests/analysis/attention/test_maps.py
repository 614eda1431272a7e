"""Rollout, value norms, distances, word maps and expansion rates against plain loops."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bertcli.analysis.attention.heads import AttnOptions, compute_attention
from bertcli.analysis.attention.maps import expansion_rate, expansion_rates, head_distance
from bertcli.analysis.attention.words import word_map, word_positions
from bertcli.errors import WrongUsage
from bertcli.model.session import Session
from bertcli.results.attention import AttnRecord
from tests.reference import load, transformers_outputs
from tests.tiny import DEFAULTS, WORDS, one_batch, open_bert, tokenize

OWN_ENGINES = ["numpy", "torch"]
TEXTS = ["how are you", "the cat, sat! (on) the making ...", ("a", "the cat sat on the mat?"), "!"]
LAYERS, HEADS = DEFAULTS["num_hidden_layers"], DEFAULTS["num_attention_heads"]
HEAD_SIZE = DEFAULTS["hidden_size"] // HEADS


def attention_of(session: Session, texts: Sequence[str | tuple[str, str]], **options: object) -> list[AttnRecord]:
    requested = {"layers": range(LAYERS), "heads": range(HEADS), **options}
    return compute_attention(session, one_batch(session, texts), AttnOptions(**requested))


def weights_of(folder: Path, session: Session) -> list[np.ndarray]:
    """Return the weights of each text in float64, (layers, heads, tokens, tokens)."""
    batch = one_batch(session, TEXTS)
    stacked = np.stack(transformers_outputs(folder, batch).attentions).astype(np.float64)
    return [stacked[:, row, :, : len(text), : len(text)] for row, text in enumerate(batch.texts)]


def slow_rollout(attention: np.ndarray) -> np.ndarray:
    n = attention.shape[-1]
    product = np.eye(n)
    for layer in attention:
        mean = [[math.fsum(head[i, j] for head in layer) / HEADS for j in range(n)] for i in range(n)]
        product = (np.array(mean) + np.eye(n)) / 2 @ product
    return product


def slow_distance(p: np.ndarray, q: np.ndarray) -> float:
    def divergence(a: np.ndarray, b: np.ndarray) -> float:
        return math.fsum(x * math.log(x / y) for x, y in zip(a, b, strict=True) if x > 0)

    def distance(a: np.ndarray, b: np.ndarray) -> float:
        m = (a + b) / 2
        return math.sqrt(max(divergence(a, m) / 2 + divergence(b, m) / 2, 0))

    return math.fsum(distance(a, b) for a, b in zip(p, q, strict=True)) / len(p)


@pytest.mark.parametrize("engine", [*OWN_ENGINES, "transformers"])
def test_rollout_is_the_product_of_the_layers(tiny_bert: Path, engine: str) -> None:
    session = open_bert(tiny_bert, engine)
    answers = attention_of(session, TEXTS, rollout=True, layers=[1], heads=[0])
    for answer, attention in zip(answers, weights_of(tiny_bert, session), strict=True):
        np.testing.assert_allclose(answer.rollout, slow_rollout(attention), 0, 1e-5)
        np.testing.assert_allclose(answer.rollout.sum(-1), 1, 0, 1e-5)


@pytest.mark.parametrize("engine", OWN_ENGINES)
def test_value_norms_are_the_norms_of_the_vectors_that_each_head_adds(tiny_bert: Path, engine: str) -> None:
    session = open_bert(tiny_bert, engine)
    batch = one_batch(session, TEXTS)
    states = transformers_outputs(tiny_bert, batch).hidden_states
    answers = attention_of(session, TEXTS, value_norms=True)
    for row, (answer, attention) in enumerate(zip(answers, weights_of(tiny_bert, session), strict=True)):
        assert answer.value_norms.shape == (LAYERS * HEADS, *attention.shape[-2:])
        for at, head in enumerate(answer.heads):
            block = load("BertModel", tiny_bert).encoder.layer[head.layer].attention
            part = slice(head.head * HEAD_SIZE, (head.head + 1) * HEAD_SIZE)
            for j in range(len(answer.text.tokens)):
                with torch.no_grad():
                    value = block.self.value(torch.from_numpy(states[head.layer][row, j]))[part]
                    added = block.output.dense.weight[:, part] @ value
                for i in range(len(answer.text.tokens)):
                    wanted = np.linalg.norm(attention[head.layer, head.head, i, j] * added.numpy())
                    assert answer.value_norms[at, i, j] == pytest.approx(wanted, rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("engine", OWN_ENGINES)
def test_maps_of_a_text_are_the_same_alone_and_in_a_batch(tiny_bert: Path, engine: str) -> None:
    session = open_bert(tiny_bert, engine)
    requested = {"value_norms": True, "rollout": True, "head_distance": True}
    for text, together in zip(TEXTS, attention_of(session, TEXTS, **requested), strict=True):
        [alone] = attention_of(session, [text], **requested)
        for name in requested:
            np.testing.assert_allclose(getattr(together, name), getattr(alone, name), 1e-5, 1e-5, err_msg=name)


def test_the_transformers_engine_does_not_return_value_vectors(tiny_bert: Path) -> None:
    session = open_bert(tiny_bert, "transformers")
    with pytest.raises(WrongUsage, match="need value vectors"):
        attention_of(session, TEXTS, value_norms=True)
    with pytest.raises(WrongUsage, match="need value vectors"):
        expansion_rates(session.engine, [0])


@pytest.mark.parametrize("engine", [*OWN_ENGINES, "transformers"])
def test_head_distance_follows_its_definition(tiny_bert: Path, engine: str) -> None:
    session = open_bert(tiny_bert, engine)
    answers = attention_of(session, TEXTS, head_distance=True)
    for answer, attention in zip(answers, weights_of(tiny_bert, session), strict=True):
        heads = attention.reshape(-1, *attention.shape[-2:])
        wanted = [[slow_distance(p, q) for q in heads] for p in heads]
        np.testing.assert_allclose(answer.head_distance, wanted, 0, 1e-5)


@given(st.integers(1, 4), st.integers(1, 6), st.randoms(use_true_random=False))
def test_head_distance_is_symmetric_and_bounded(heads: int, size: int, random: object) -> None:
    rng = np.random.default_rng(random.getrandbits(32))
    weights = rng.dirichlet(np.full(size, 0.3), (heads, size)).astype(np.float32)
    found = head_distance(weights)
    assert (found == found.T).all()
    assert (np.diag(found) == 0).all()
    assert (found <= math.sqrt(math.log(2)) + 1e-6).all()
    assert head_distance(np.stack([weights[0]] * 2)).max() < 1e-7


def slow_words(weights: np.ndarray, words: Sequence[Sequence[int]]) -> list[list[float]]:
    return [[math.fsum(weights[i, j] for i in query for j in key) / len(query) for key in words] for query in words]


def test_a_word_map_sums_over_keys_and_averages_over_queries_of_a_word(tiny_bert: Path) -> None:
    session = open_bert(tiny_bert)
    text = "making the cat5 sat"
    [found] = attention_of(session, [text], words=True, matrix=True, rollout=True, layers=[1], heads=[2])
    assert list(found.words) == ["[CLS]", "making", "the", "cat5", "sat", "[SEP]"]
    [plain] = attention_of(session, [text], matrix=True, rollout=True, layers=[1], heads=[2])
    [tokenized] = tokenize(session, [text])
    words = word_positions(tokenized)
    assert [position for word in words for position in word] == list(range(len(tokenized)))
    for name in ("attention", "rollout"):
        np.testing.assert_allclose(getattr(found, name), slow_words(getattr(plain, name), words), 0, 1e-6)
    np.testing.assert_allclose(found.attention.sum(-1), 1, 0, 1e-5)


@given(st.lists(st.sampled_from([*WORDS, "making", "xyzzy", "[MASK]", "!"]), min_size=1, max_size=8))
@settings(max_examples=25)
def test_every_token_belongs_to_one_word(tiny_bert: Path, words: list[str]) -> None:
    [text] = tokenize(open_bert(tiny_bert), [" ".join(words)])
    found = word_positions(text)
    assert [position for word in found for position in word] == list(range(len(text)))
    weights = np.full((len(text), len(text)), 1 / len(text), np.float32)
    np.testing.assert_allclose(word_map(weights, found).sum(-1), 1, 0, 1e-5)


@pytest.mark.parametrize("engine", OWN_ENGINES)
def test_expansion_is_the_norm_of_the_two_affine_maps(tiny_bert: Path, engine: str) -> None:
    found = expansion_rates(open_bert(tiny_bert, engine).engine, range(LAYERS))
    for rate, layer in zip(found, load("BertModel", tiny_bert).encoder.layer, strict=True):
        value, output = layer.attention.self.value, layer.attention.output.dense
        d = DEFAULTS["hidden_size"]
        v, o = torch.zeros(d + 1, d + 1), torch.zeros(d + 1, d + 1)
        with torch.no_grad():
            v[:d, :d], v[:d, d], v[d, d] = value.weight, value.bias, 1
            o[:d, :d], o[:d, d], o[d, d] = output.weight.T, output.bias, 1
        assert rate == pytest.approx(float((v.T @ o).norm() / math.sqrt(d + 1)), rel=1e-5)


def test_the_identity_expands_by_one() -> None:
    identity, zeros = np.eye(5, dtype=np.float32), np.zeros(5, np.float32)
    assert expansion_rate(identity, zeros, identity, zeros) == pytest.approx(1)
    assert expansion_rate(2 * identity, zeros, identity, zeros) == pytest.approx(math.sqrt(21 / 6))
