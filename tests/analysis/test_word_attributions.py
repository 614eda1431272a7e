"""Contributions of words: their names and places, and the values of their tokens."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings

from bertcli.analysis.masks.occlusion import Occlusion
from bertcli.analysis.masks.predictions import MaskAnalysis, predict_masks
from bertcli.analysis.word_attributions import WordAttributions
from bertcli.model.session import Session
from bertcli.results.masks import FillMaskRecord
from tests.analysis.masks import drawn
from tests.tiny import one_batch, open_bert


def explain(session: Session, text: str | tuple[str, str], analysis: MaskAnalysis) -> FillMaskRecord:
    compute = partial(predict_masks, session, top_k=2, analyses=[analysis])
    [record] = WordAttributions(compute, session.tokenizer)(one_batch(session, [text]))
    return record


@given(drawn.engines, drawn.masked_texts())
@settings(max_examples=15)
def test_a_word_has_the_value_of_masking_all_its_tokens(tiny_bert: Path, engine: str, text: str) -> None:
    session = drawn.session_of(tiny_bert, engine)
    record = explain(session, text, Occlusion(words=True))
    [plain] = predict_masks(session, one_batch(session, [text]), 2, analyses=[Occlusion(words=True)])
    for mask, same in zip(record.masks, plain.masks, strict=True):
        [found], [of_tokens] = mask.attributions or (), same.attributions or ()
        assert np.isnan(found.values).all()
        positions = [position for word in found.words or () for position in word.positions]
        assert positions == list(range(1, len(record.text.tokens) - 1))
        for word in found.words or ():
            assert text[word.start : word.end] == word.word
            values = of_tokens.values[word.positions]
            if word.value is None:
                assert word.positions == [mask.position]
            else:
                assert values == pytest.approx([word.value] * len(values), abs=2e-5)


def test_words_of_one_token_have_the_values_of_tokens(tiny_bert: Path) -> None:
    session = open_bert(tiny_bert)
    text = "the cat [MASK] on [MASK] mat"
    record = explain(session, text, Occlusion(words=True))
    [plain] = predict_masks(session, one_batch(session, [text]), 2, analyses=[Occlusion()])
    for mask, same in zip(record.masks, plain.masks, strict=True):
        [found], [of_tokens] = mask.attributions or (), same.attributions or ()
        values = [np.nan if word.value is None else word.value for word in found.words or ()]
        np.testing.assert_allclose(values, of_tokens.values[1:-1], rtol=0, atol=2e-5)
    assert (record.masks[0].attributions[0].words[4].value, record.masks[1].attributions[0].words[2].value) == (0, 0)


def test_words_of_a_pair_have_their_sentence(tiny_bert: Path) -> None:
    record = explain(open_bert(tiny_bert), ("The Cats", "sat on [MASK]"), Occlusion(words=True))
    [found] = record.masks[0].attributions or ()
    words = [(word.sentence, word.index, word.word, list(word.positions)) for word in found.words or ()]
    assert words == [
        (0, 0, "The", [1]), (0, 1, "Cats", [2, 3]), (1, 0, "sat", [5]), (1, 1, "on", [6]), (1, 2, "[MASK]", [7]),
    ]  # fmt: skip


def test_integrated_gradients_of_words_sum_to_the_same_difference(tiny_bert: Path) -> None:
    from bertcli.analysis.masks.attribution import IntegratedGradients

    session = open_bert(tiny_bert, "torch", with_gradients=True)
    record = explain(session, "the cats mating on [MASK] mat", IntegratedGradients(steps=20))
    [found] = record.masks[0].attributions or ()
    words = found.words or ()
    assert [word.word for word in words] == ["the", "cats", "mating", "on", "[MASK]", "mat"]
    for word in words:
        assert word.value == pytest.approx(float(found.values[word.positions].sum()), abs=1e-6)
    assert sum(word.value or 0 for word in words) == pytest.approx(float(np.nansum(found.values)), abs=1e-5)
