"""Distributions over the vocabulary: their logarithms, entropy, and the distance between two of them.

Everything is in float64 and in natural logarithms. A distance is the root of a sum whose terms nearly cancel if two
distributions are alike, and float32 would lose its digits.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from bertcli.analysis.masks.predictions import MaskLogits
from bertcli.model.ops.base import DoubleArray
from bertcli.results.masks import MaskPredictions

_SMALLEST = np.finfo(np.float64).tiny


def log_softmax(logits: np.ndarray[Any, Any]) -> DoubleArray:
    """Return the logarithms of the probabilities over the last axis, an array of the same shape."""
    shifted = logits.astype(np.float64)
    shifted -= shifted.max(-1, keepdims=True)
    shifted -= np.log(np.exp(shifted).sum(-1, keepdims=True))
    return shifted


def entropy_bits(log_p: DoubleArray) -> DoubleArray:
    """Compute -sum p log2 p over the last axis: the expected surprisal, in bits."""
    return np.asarray(-(np.exp(log_p) * log_p).sum(-1) / np.log(2))


def jensen_shannon_distance(log_p: DoubleArray, log_q: DoubleArray) -> DoubleArray:
    """Compute the square root of the Jensen-Shannon divergence over the last axis, in nats.

    Equal distributions have distance 0. The largest distance is sqrt(ln 2).
    """
    p, q = np.exp(log_p), np.exp(log_q)
    log_middle = np.log(np.maximum((p + q) / 2, _SMALLEST))
    divergence = (p * (log_p - log_middle) + q * (log_q - log_middle)).sum(-1) / 2
    return np.asarray(np.sqrt(np.maximum(divergence, 0)))


def add_entropy(mask_logits: MaskLogits, masks: Sequence[MaskPredictions]) -> list[MaskPredictions]:
    """Return the masks with the entropy of the whole distribution, in bits. This is a MaskAnalysis."""
    logits = mask_logits.session.to_numpy(mask_logits.logits)
    return [
        replace(mask, entropy=float(entropy_bits(log_softmax(row)))) for mask, row in zip(masks, logits, strict=True)
    ]
