"""Distributions over the vocabulary, by their natural logarithms in float64: how wide they are, and how far apart.

float64, since a distance is the root of a sum in which almost everything cancels where two distributions are alike.
"""

from typing import Any

import numpy as np

from bertcli.model.ops.base import DoubleArray

_SMALLEST = np.finfo(np.float64).tiny


def log_softmax(logits: np.ndarray[Any, Any]) -> DoubleArray:
    """Logarithms of probabilities over the last axis."""
    shifted = logits.astype(np.float64)
    shifted -= shifted.max(-1, keepdims=True)
    shifted -= np.log(np.exp(shifted).sum(-1, keepdims=True))
    return shifted


def entropy_bits(log_p: DoubleArray) -> DoubleArray:
    """-sum p log2 p over the last axis: the surprisal to be expected."""
    return np.asarray(-(np.exp(log_p) * log_p).sum(-1) / np.log(2))


def jensen_shannon_distance(log_p: DoubleArray, log_q: DoubleArray) -> DoubleArray:
    """The square root of the Jensen-Shannon divergence over the last axis: 0 for the same, sqrt(ln 2) at the most."""
    p, q = np.exp(log_p), np.exp(log_q)
    log_middle = np.log(np.maximum((p + q) / 2, _SMALLEST))
    divergence = (p * (log_p - log_middle) + q * (log_q - log_middle)).sum(-1) / 2
    return np.asarray(np.sqrt(np.maximum(divergence, 0)))
