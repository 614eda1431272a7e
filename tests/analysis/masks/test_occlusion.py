"""Occlusion, against the scores of texts that are written with one more mask."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings

from bertcli.analysis.masks.occlusion import Occlusion
from bertcli.analysis.masks.predictions import predict_masks
from bertcli.analysis.masks.targets import parse_targets
from bertcli.analysis.masks.variants import with_masks
from bertcli.model.batching import pad
from bertcli.model.engine import OutputRequest
from bertcli.model.session import Session
from bertcli.model.tokenizer import TokenizedText
from bertcli.results.masks import FillMaskRecord
from tests.analysis.masks import drawn
from tests.tiny import one_batch, open_bert, tokenize


def explain(session: Session, texts: Sequence[object], words: Sequence[str] | None = None) -> list[FillMaskRecord]:
    targets = None if words is None else parse_targets(session.tokenizer, words)
    return predict_masks(session, one_batch(session, texts), 2, analyses=[Occlusion(targets)])


def logprob(session: Session, text: TokenizedText, position: int, token: int) -> float:
    """Return the log-probability of a token in a mask, in a batch of its own."""
    places = np.array([0]), np.array([position])
    logits = session.to_numpy(session.run(pad([text], 0), OutputRequest(logits_at=places)).logits)[0].astype(float)
    return float(logits[token] - np.log(np.exp(logits - logits.max()).sum()) - logits.max())


@given(drawn.engines, drawn.masked_texts())
@settings(max_examples=15)
def test_a_value_is_the_drop_when_the_token_is_masked(tiny_bert: Path, engine: str, text: str) -> None:
    session = drawn.session_of(tiny_bert, engine)
    [tokenized] = tokenize(session, [text])
    [record] = explain(session, [text], ["cat", "!"])
    masks = [mask.position for mask in record.masks]
    for mask in record.masks:
        for found in mask.attributions or ():
            whole = logprob(session, tokenized, mask.position, found.token)
            assert (found.method, found.gap) == ("occlusion", None)
            assert found.logprob == pytest.approx(whole, abs=1e-5)
            for position, value in enumerate(found.values):
                if position in (0, len(tokenized) - 1, mask.position):  # [CLS], [SEP] and the mask
                    assert np.isnan(value)
                elif position in masks:
                    assert value == 0
                else:
                    occluded = with_masks(tokenized, [position], session.mask_token_id)
                    expected = whole - logprob(session, occluded, mask.position, found.token)
                    assert value == pytest.approx(expected, abs=2e-5)


@pytest.mark.parametrize("batch_tokens", [1, 17, None])
def test_texts_of_a_batch_have_the_values_that_they_have_alone(tiny_bert: Path, batch_tokens: int | None) -> None:
    texts = ["how [MASK] you", "the [MASK] sat on [MASK] mat", ("the cat", "was it a [MASK]?"), "[MASK]"]
    session = open_bert(tiny_bert, batch_tokens=batch_tokens)
    for together, text in zip(explain(session, texts), texts, strict=True):
        [alone] = explain(open_bert(tiny_bert), [text])
        for one, other in zip(together.masks, alone.masks, strict=True):
            [first], [second] = one.attributions or (), other.attributions or ()
            top = one.predictions[0]
            assert (first.target, first.token) == (second.target, second.token) == (top.token_str, top.token)
            np.testing.assert_allclose(first.values, second.values, rtol=0, atol=2e-5)


def test_segments_and_a_second_separator_have_no_value(tiny_bert: Path) -> None:
    [record] = explain(open_bert(tiny_bert), [("the cat", "sat on [MASK]")])
    [found] = record.masks[0].attributions or ()
    without = [token for token, value in zip(record.text.tokens, found.values, strict=True) if np.isnan(value)]
    assert without == ["[CLS]", "[SEP]", "[MASK]", "[SEP]"]


def test_heads_that_are_off_count(tiny_bert: Path) -> None:
    values = [
        explain(open_bert(tiny_bert, ablate=ablate), ["how [MASK] you"], ["cat"])[0].masks[0].attributions[0].values
        for ablate in (None, "0.*")
    ]
    assert np.nanmax(np.abs(values[0] - values[1])) > 1e-3


@given(drawn.engines, drawn.masked_texts())
@settings(max_examples=15)
def test_the_tokens_of_a_word_can_be_masked_together(tiny_bert: Path, engine: str, text: str) -> None:
    session = drawn.session_of(tiny_bert, engine)
    [tokenized] = tokenize(session, [text])
    targets = parse_targets(session.tokenizer, ["cat", "!"])
    [record] = predict_masks(session, one_batch(session, [text]), 2, analyses=[Occlusion(targets, words=True)])
    for mask in record.masks:
        for found in mask.attributions or ():
            whole = logprob(session, tokenized, mask.position, found.token)
            for position, value in enumerate(found.values):
                if not np.isnan(value) and tokenized.input_ids[position] != session.mask_token_id:
                    of_word = [at for at, word in enumerate(tokenized.words) if word == tokenized.words[position]]
                    occluded = with_masks(tokenized, of_word, session.mask_token_id)
                    expected = whole - logprob(session, occluded, mask.position, found.token)
                    assert value == pytest.approx(expected, abs=2e-5)
