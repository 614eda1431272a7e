"""Published figures are reproduced, if their checkpoint is in the hub cache."""

import numpy as np
import pytest

from bertcli.analysis.attention.maps import expansion_rates
from bertcli.analysis.embeddings.encode import EncodeOptions, encode
from bertcli.analysis.masks.predictions import predict_masks
from bertcli.model.batching import Batch
from bertcli.model.engine import OutputRequest
from tests.published import published_checkpoint
from tests.tiny import one_batch, open_bert

UNCASED = "bert-base-uncased"


def test_expansion_rates_of_bert_base() -> None:
    """Compare with Kobayashi et al. 2021."""
    session = open_bert(published_checkpoint(UNCASED))
    found = expansion_rates(session.engine, range(12))
    published = [0.901, 0.740, 0.632, 0.679, 0.911, 0.989, 0.919, 0.905, 0.948, 0.913, 0.932, 1.051]
    np.testing.assert_allclose(found, published, 0, 6e-4)


def test_predictions_in_the_model_card_of_bert() -> None:
    session = open_bert(published_checkpoint(UNCASED))
    [record] = predict_masks(session, one_batch(session, ["Hello I'm a [MASK] model."]), top_k=5)
    found = {prediction.token_str: prediction.score for prediction in record.masks[0].predictions}
    published = {"fashion": 0.10731, "role": 0.08774, "new": 0.05338, "super": 0.04667, "fine": 0.02710}
    assert found == pytest.approx(published, abs=1e-4)


def test_hidden_states_in_the_integration_test_of_transformers() -> None:
    session = open_bert(published_checkpoint(UNCASED))
    ids = np.array([[0, 345, 232, 328, 740, 140, 1695, 69, 6078, 1588, 2]])
    mask = np.array([[False, *[True] * 10]])
    found = session.run(Batch((), ids, np.zeros_like(ids), mask), OutputRequest()).last_hidden_state
    published = [[0.4249, 0.1008, 0.7531], [0.3771, 0.1188, 0.7467], [0.4152, 0.1098, 0.7108]]
    np.testing.assert_allclose(found[0, 1:4, 1:4], published, 0, 1e-4)


def test_the_same_code_runs_on_a_tiny_checkpoint(tiny_bert: object) -> None:
    """Run the code of the tests above on a tiny checkpoint, so that it cannot break unnoticed."""
    session = open_bert(str(tiny_bert))
    assert len(expansion_rates(session.engine, range(2))) == 2
    [record] = predict_masks(session, one_batch(session, ["how [MASK] you"]), top_k=5)
    assert len(record.masks[0].predictions) == 5
    assert encode(session, one_batch(session, ["how"]), EncodeOptions())[0].embedding.shape == (24,)
    ids = np.array([[0, 5, 6]])
    output = session.run(Batch((), ids, np.zeros_like(ids), np.array([[False, True, True]])), OutputRequest())
    assert output.last_hidden_state.shape == (1, 3, 24)
