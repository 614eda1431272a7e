"""Similarity of tokens and BERTScore's precision, recall and F1, against plain loops and the bert-score package."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
from hypothesis import given
from hypothesis import strategies as st

from bertcli.analysis.embeddings.encode import EncodeOptions, encode
from bertcli.analysis.embeddings.token_similarity import token_similarity, tokens_of
from bertcli.choices import LayerOp
from bertcli.model.request import EmbeddingRequest
from bertcli.model.session import Session
from bertcli.results.embeddings import TokenSimilarity
from tests.reference import load, transformers_outputs
from tests.tiny import WORDS, one_batch, open_bert

ENGINES = ["numpy", "torch", "transformers"]
PAIRS = [("the cat sat on the mat", "the making sat?"), ("how are you", "how are you"), ("e", "caf, 中 [MASK] a")]


def similarity(session: Session, first: str, second: str) -> TokenSimilarity:
    records = [encode(session, one_batch(session, [text]), EncodeOptions(tokens=True))[0] for text in (first, second)]
    return token_similarity(*(tokens_of(each.text, each.last_hidden_state, session.tokenizer) for each in records))


def slow_cosine(first: Sequence[float], second: Sequence[float]) -> float:
    length = math.sqrt(math.fsum(x * x for x in first)) * math.sqrt(math.fsum(x * x for x in second))
    return math.fsum(x * y for x, y in zip(first, second, strict=True)) / length


def slow_scores(first: np.ndarray, second: np.ndarray) -> tuple[float, float, float]:
    """Return BERTScore's precision, recall and F1. The first and last token of each text are [CLS] and [SEP]."""
    own, other = range(1, len(first) - 1), range(1, len(second) - 1)
    precision = math.fsum(max(slow_cosine(first[i], each) for each in second) for i in own) / len(own)
    recall = math.fsum(max(slow_cosine(second[j], each) for each in first) for j in other) / len(other)
    return precision, recall, 2 * precision * recall / (precision + recall)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_cosines_and_scores_follow_their_definitions(tiny_bert: Path, engine: str, first: str, second: str) -> None:
    session = open_bert(tiny_bert, engine)
    found = similarity(session, first, second)
    states = [
        transformers_outputs(tiny_bert, one_batch(session, [text])).last_hidden_state[0].astype(np.float64)
        for text in (first, second)
    ]
    assert found.cosine.shape == (len(states[0]), len(states[1])) == (len(found.row_tokens), len(found.column_tokens))
    expected = [[slow_cosine(row, column) for column in states[1]] for row in states[0]]
    np.testing.assert_allclose(found.cosine, expected, 0, 1e-5)
    np.testing.assert_allclose((found.precision, found.recall, found.f1), slow_scores(*states), 0, 1e-5)


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_scores_are_those_of_bert_score(tiny_bert: Path, first: str, second: str) -> None:
    from bert_score.utils import bert_cos_score_idf  # here, since it takes seconds to import

    tokenizer, model = (
        transformers.AutoTokenizer.from_pretrained(tiny_bert, model_max_length=64),
        load("AutoModel", tiny_bert),
    )
    idf = dict.fromkeys(range(len(tokenizer)), 1.0)
    idf[tokenizer.cls_token_id] = idf[tokenizer.sep_token_id] = 0
    with torch.no_grad():
        scores = bert_cos_score_idf(model, [second], [first], tokenizer, idf, device="cpu")
    found = similarity(open_bert(tiny_bert), first, second)
    np.testing.assert_allclose((found.precision, found.recall, found.f1), scores[0].numpy(), 0, 1e-5)


def test_a_pair_compares_the_tokens_of_its_sentences(tiny_bert: Path) -> None:
    session = open_bert(tiny_bert)
    batch = one_batch(session, [("the cat", "a mat?"), "the"])
    states = transformers_outputs(tiny_bert, batch).last_hidden_state[0].astype(np.float64)
    pair, alone = encode(session, batch, EncodeOptions(tokens=True, token_similarity=True))
    found = pair.token_similarity
    assert alone.token_similarity is None
    assert (found.rows, found.columns) == ([1, 2], [4, 5, 6])
    assert (found.row_tokens, found.column_tokens) == (["the", "cat"], ["a", "mat", "?"])
    expected = [[slow_cosine(states[row], states[column]) for column in found.columns] for row in found.rows]
    np.testing.assert_allclose(found.cosine, expected, 0, 1e-5)
    assert found.precision == pytest.approx(np.mean(np.max(expected, 1)), abs=1e-5)
    assert found.recall == pytest.approx(np.mean(np.max(expected, 0)), abs=1e-5)


def test_tokens_are_compared_by_the_mix_of_layers(tiny_bert: Path) -> None:
    session = open_bert(tiny_bert, embedding=EmbeddingRequest(mixed_layers="1", layer_op=LayerOp.MEAN))
    texts = ["the cat", "a mat"]
    states = [transformers_outputs(tiny_bert, one_batch(session, [text])).hidden_states[1][0] for text in texts]
    found = similarity(session, *texts)
    np.testing.assert_allclose((found.precision, found.recall, found.f1), slow_scores(*states), 0, 1e-5)


def test_a_text_of_special_tokens_scores_0(tiny_bert: Path) -> None:
    found = similarity(open_bert(tiny_bert), "[SEP]", "the cat")
    assert (found.precision, found.f1) == (0, 0)


def test_the_tokens_of_a_prompt_are_not_scored(tiny_bert: Path) -> None:
    session = open_bert(tiny_bert, embedding=EmbeddingRequest(prompt="how: "))
    found = similarity(session, "the cat", "a mat")
    assert list(found.row_tokens) == ["[CLS]", "how", ":", "the", "cat", "[SEP]"]
    cosine = np.array(found.cosine)
    assert found.precision == pytest.approx(cosine[3:5].max(1).mean(), abs=1e-6)
    assert found.recall == pytest.approx(cosine[:, 3:5].max(0).mean(), abs=1e-6)
    (pair,) = encode(session, one_batch(session, [("the cat", "a mat")]), EncodeOptions(token_similarity=True))
    assert (pair.token_similarity.row_tokens, pair.token_similarity.column_tokens) == (["the", "cat"], ["a", "mat"])


@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=5))
def test_a_text_is_most_similar_to_itself(tiny_bert: Path, words: list[str]) -> None:
    session = _SESSIONS.setdefault(tiny_bert, open_bert(tiny_bert))
    found = similarity(session, " ".join(words), " ".join(words))
    assert (found.precision, found.recall, found.f1) == pytest.approx((1, 1, 1), abs=1e-5)
    np.testing.assert_allclose(found.cosine, found.cosine.T, 0, 1e-6)
    assert (np.abs(found.cosine) <= 1 + 1e-5).all()


_SESSIONS: dict[Path, Session] = {}
