"""Pseudo-log-likelihoods against one run for each token, and against published figures if the checkpoint is cached."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bertcli.analysis.masks.pseudo_likelihood import score_texts
from bertcli.analysis.masks.scored_tokens import EVERY_TOKEN
from bertcli.choices import WithinWord
from bertcli.errors import BadText
from bertcli.input.records import TextRecord
from bertcli.model.batching import pad
from bertcli.model.session import Session
from bertcli.model.tokenizer import TokenizedText
from bertcli.results.masks import TextScore
from tests.analysis.masks import drawn, slow
from tests.published import published_checkpoint
from tests.tiny import VOCABULARY, one_batch, open_bert, tokenize

METHODS = {
    WithinWord.ORIGINAL: "PLL-original",
    WithinWord.L2R: "PLL-word-l2r",
    WithinWord.WHOLE: "PLL-whole-word",
    WithinWord.SENTENCE_L2R: "PLL-sentence-l2r",
}


def score(
    session: Session, texts: Sequence[str | tuple[str, str]], within_word: WithinWord | None = None
) -> list[TextScore]:
    return score_texts(session, one_batch(session, texts), within_word)


@given(
    drawn.engines,
    st.lists(st.one_of(drawn.plain_texts, drawn.masked_texts(1).map("a {}".format)), min_size=1, max_size=3),
    st.sampled_from([None, *WithinWord]),
    st.sampled_from([None, 1, 30]),
)
@settings(max_examples=30)
def test_the_score_of_a_text_is_the_sum_over_its_tokens(
    tiny_bert: Path, engine: str, texts: list[str], within_word: WithinWord | None, batch_tokens: int | None
) -> None:
    session = drawn.session_of(tiny_bert, engine, batch_tokens)
    for text, found in zip(texts, score(session, texts, within_word), strict=True):
        expected = slow.pseudo_log_likelihoods(tiny_bert, text, within_word or "original")
        assert {token.position: token.logprob for token in found.tokens} == pytest.approx(expected, rel=1e-5, abs=1e-5)
        total = sum(expected.values())
        assert found.sum == pytest.approx(total, rel=1e-5, abs=1e-5)
        assert found.mean == pytest.approx(total / len(expected), rel=1e-5, abs=1e-5)
        assert found.perplexity == pytest.approx(np.exp(-total / len(expected)), rel=1e-4)
        assert found.method == METHODS[within_word or WithinWord.ORIGINAL]
        assert [token.position for token in found.tokens] == list(expected)


def test_the_pieces_of_a_word_share_a_run_if_they_are_masked_together(
    tiny_bert: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = open_bert(tiny_bert)
    rows: list[int] = []
    run = Session.run
    monkeypatch.setattr(
        Session, "run", lambda self, batch, wanted: rows.append(batch.shape[0]) or run(self, batch, wanted)
    )
    score(session, ["the mating cats"], WithinWord.WHOLE)
    assert sum(rows) == 3


def test_a_word_may_begin_a_text_without_special_tokens(tiny_bert: Path) -> None:
    session = open_bert(tiny_bert)
    ids = [VOCABULARY.index(token) for token in ("cat", "##s")]
    text = TokenizedText(TextRecord(0, "cats"), ids, (0, 0), ("cat", "##s"), words=((0, 0), (0, 0)))
    [found] = score_texts(session, pad([text], 0), WithinWord.WHOLE)
    assert [token.position for token in found.tokens] == [0, 1]


@given(drawn.engines, drawn.plain_texts)
@settings(max_examples=15)
def test_a_token_has_its_surprisal_its_rank_and_the_best_token(tiny_bert: Path, engine: str, text: str) -> None:
    [found] = score(drawn.session_of(tiny_bert, engine), [text])
    ids = slow.tokenizer(tiny_bert)(text).input_ids
    for token in found.tokens:
        log_p = slow.log_distribution(tiny_bert, slow.with_masks(tiny_bert, ids, [token.position]), token.position)
        assert (token.id, token.token) == (ids[token.position], VOCABULARY[ids[token.position]])
        assert token.surprisal == pytest.approx(-log_p[token.id] / np.log(2), rel=1e-5, abs=1e-5)
        near = np.abs(log_p - log_p[token.id]) < 1e-5
        assert abs(token.rank - 1 - (log_p > log_p[token.id]).sum()) < near.sum()
        assert log_p[VOCABULARY.index(token.best)] == pytest.approx(log_p.max(), abs=1e-5)


def test_words_of_the_two_sentences_have_different_numbers(tiny_bert: Path) -> None:
    # The word "cats" of B has the number that "mating" has in A.
    [text] = tokenize(open_bert(tiny_bert), [("how mating", "how cats")])
    assert text.tokens == ("[CLS]", "how", "mat", "##ing", "[SEP]", "how", "cat", "##s", "[SEP]")
    numbers = [text.words.index(word) for word in text.words]
    assert numbers == [0, 1, 2, 2, 0, 5, 6, 6, 0]


def test_special_tokens_and_masks_are_not_scored(tiny_bert: Path) -> None:
    [found] = score(open_bert(tiny_bert), [("how [MASK]", "you [SEP]")])
    assert [token.token for token in found.tokens] == ["how", "you"]


@pytest.mark.parametrize("text", ["[MASK]", "[SEP]"])
def test_a_text_without_a_word_fails(tiny_bert: Path, text: str) -> None:
    session = open_bert(tiny_bert)
    word, none = tokenize(session, ["how", text])
    assert EVERY_TOKEN.check(session, word) is None
    found = EVERY_TOKEN.check(session, none)
    assert isinstance(found.error, BadText)


PUBLISHED = [
    # Salazar et al. 2020: the README of their mlm-scoring.
    ("bert-base-cased", "Hello world!", None, -12.4110),
    # Kauf and Ivanova 2023.
    ("bert-base-uncased", "The traveler lost the souvenir.", None, -18.0147),
    ("bert-base-uncased", "The traveler lost the souvenir.", WithinWord.L2R, -32.7798),
]


@pytest.mark.parametrize(("model", "text", "within_word", "expected"), PUBLISHED)
def test_published_figures(model: str, text: str, within_word: WithinWord | None, expected: float) -> None:
    [found] = score(open_bert(published_checkpoint(model)), [text], within_word)
    assert found.sum == pytest.approx(expected, abs=1e-3)
