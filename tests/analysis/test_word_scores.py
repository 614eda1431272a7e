"""Scores of words against those of their tokens, one run of BertForMaskedLM for each."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bertcli.analysis.masks.pseudo_likelihood import score_texts
from bertcli.analysis.masks.scored_tokens import EVERY_TOKEN, ScoredTokens
from bertcli.analysis.word_scores import add_words
from bertcli.choices import ScoreOnly, WithinWord
from bertcli.input.records import TextRecord
from bertcli.model.batching import Batch
from bertcli.model.session import Session
from bertcli.results.masks import TextScore
from tests.analysis.masks import drawn, slow
from tests.tiny import one_batch, open_bert


def score(
    session: Session, batch: Batch, method: WithinWord | None = None, chosen: ScoredTokens = EVERY_TOKEN
) -> list[TextScore]:
    return add_words(batch, score_texts(session, batch, method, chosen), session.tokenizer)


@given(drawn.engines, drawn.plain_texts, st.sampled_from(WithinWord))
@settings(max_examples=20)
def test_a_word_has_the_sum_of_its_tokens(tiny_bert: Path, engine: str, text: str, method: WithinWord) -> None:
    session = drawn.session_of(tiny_bert, engine)
    [found] = score(session, one_batch(session, [text]), method)
    expected = slow.pseudo_log_likelihoods(tiny_bert, text, method)
    encoding = slow.tokenizer(tiny_bert)(text, return_offsets_mapping=True)
    numbers = encoding.word_ids()
    assert found.words is not None
    assert sum(word.logprob for word in found.words) == pytest.approx(found.sum, abs=1e-5)
    for word in found.words:
        assert list(word.positions) == [at for at, number in enumerate(numbers) if number == word.index]
        assert word.logprob == pytest.approx(sum(expected[at] for at in word.positions), rel=1e-5, abs=1e-5)
        assert word.surprisal == pytest.approx(-word.logprob / np.log(2))
        spans = [encoding.offset_mapping[at] for at in word.positions]
        assert (word.start, word.end) == (spans[0][0], spans[-1][1])
        assert (word.word, word.sentence) == (text[word.start : word.end], None)


def test_words_of_a_pair_have_their_sentence_and_masks_are_no_words(tiny_bert: Path) -> None:
    session = open_bert(tiny_bert)
    [found] = score(session, one_batch(session, [("how [MASK] cats", "you are")]))
    assert found.words is not None
    assert [(word.word, word.sentence, word.index) for word in found.words] == [
        ("how", 0, 0), ("cats", 0, 2), ("you", 1, 0), ("are", 1, 1),
    ]  # fmt: skip


def test_a_word_is_left_out_if_only_some_of_its_tokens_are_scored(tiny_bert: Path) -> None:
    session = open_bert(tiny_bert)
    batch = one_batch(session, [TextRecord(0, "the cats", versus="the cat sat")])
    [found] = score(session, batch, chosen=ScoredTokens(ScoreOnly.SHARED))
    assert [token.token for token in found.tokens] == ["the", "cat"]
    assert found.words is not None
    assert [word.word for word in found.words] == ["the"]
