"""Distances and entropies of distributions, by their definitions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from bertcli.analysis.masks.distributions import entropy_bits, jensen_shannon_distance, log_softmax
from tests.analysis.masks.slow import jensen_shannon

logits = arrays(np.float32, 12, elements=st.floats(-30, 30, width=32))


@given(logits)
def test_log_softmax_sums_to_one(drawn: np.ndarray) -> None:
    assert np.exp(log_softmax(drawn)).sum() == pytest.approx(1, abs=1e-12)
    np.testing.assert_allclose(np.diff(log_softmax(drawn)), np.diff(drawn.astype(np.float64)), atol=1e-12)


@given(logits, logits)
def test_the_distance_is_symmetric_and_bounded(one: np.ndarray, other: np.ndarray) -> None:
    log_p, log_q = log_softmax(one), log_softmax(other)
    distance = jensen_shannon_distance(log_p, log_q)
    assert distance == pytest.approx(jensen_shannon(log_p, log_q), abs=1e-7)
    assert distance == pytest.approx(jensen_shannon_distance(log_q, log_p), abs=1e-7)
    assert 0 <= distance <= np.sqrt(np.log(2)) + 1e-12
    assert jensen_shannon_distance(log_p, log_p) == pytest.approx(0, abs=1e-7)


def test_disjoint_distributions_have_the_largest_distance() -> None:
    far = np.array([0, -2000.0]), np.array([-2000.0, 0])
    assert jensen_shannon_distance(*map(log_softmax, far)) == pytest.approx(np.sqrt(np.log(2)))


def test_entropy_is_in_bits() -> None:
    assert entropy_bits(log_softmax(np.zeros(8))) == pytest.approx(3)
    assert entropy_bits(log_softmax(np.array([0, -5000.0]))) == 0
