"""Uncertainty of the model: entropy, and the number of predictions that reach a mass."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bertcli.analysis.masks.distributions import add_entropy
from bertcli.analysis.masks.predictions import predict_masks
from tests.analysis.masks import drawn, slow
from tests.tiny import VOCABULARY, one_batch, open_bert, random_model, save_bert


@given(drawn.engines, drawn.masked_texts())
@settings(max_examples=20)
def test_entropy_is_that_of_the_whole_distribution_in_bits(tiny_bert: Path, engine: str, text: str) -> None:
    session = drawn.session_of(tiny_bert, engine)
    [record] = predict_masks(session, one_batch(session, [text]), 1, analyses=[add_entropy])
    ids = slow.tokenizer(tiny_bert)(text).input_ids
    for mask in record.masks:
        log_p = slow.log_distribution(tiny_bert, ids, mask.position)
        assert mask.entropy == pytest.approx(-np.sum(np.exp(log_p) * log_p) / np.log(2), abs=1e-5)


def test_a_uniform_model_has_the_entropy_of_its_vocabulary(tmp_path: Path) -> None:
    session = open_bert(save_bert(tmp_path, random_model(std=0)))
    [record] = predict_masks(session, one_batch(session, ["a [MASK]"]), 1, analyses=[add_entropy])
    assert record.masks[0].entropy == pytest.approx(np.log2(len(VOCABULARY)))


@given(drawn.engines, drawn.masked_texts(), st.floats(0.01, 0.999))
@settings(max_examples=20)
def test_mass_takes_no_more_predictions_than_it_needs(tiny_bert: Path, engine: str, text: str, mass: float) -> None:
    session = drawn.session_of(tiny_bert, engine)
    [record] = predict_masks(session, one_batch(session, [text]), mass=mass)
    for mask in record.masks:
        scores = [prediction.score for prediction in mask.predictions]
        assert sum(scores) == pytest.approx(mask.mass)
        assert sum(scores) >= mass > sum(scores[:-1])
        assert [prediction.rank for prediction in mask.predictions] == list(range(1, 1 + len(scores)))


def test_mass_and_top_k_together_take_the_smaller_number(tiny_bert: Path) -> None:
    session = open_bert(tiny_bert)
    batch = one_batch(session, ["a [MASK]"])
    counts = [
        len(predict_masks(session, batch, k, mass)[0].masks[0].predictions) for k, mass in ((2, 0.9), (None, 1.0))
    ]
    assert counts == [2, len(VOCABULARY)]
    assert predict_masks(session, batch, 3)[0].masks[0].mass is None
