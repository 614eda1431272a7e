"""Pooling and normalisation of vectors."""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from bertcli.choices import LayerOp, Pooling
from bertcli.model.ops.base import BoolArray, DoubleArray, FloatArray

Numbers = TypeVar("Numbers", FloatArray, DoubleArray)


def pool(
    last_hidden_state: FloatArray,
    attention_mask: BoolArray,
    pooler_output: FloatArray | None,
    pooling: Pooling,
    excluded_tokens: int = 0,
) -> FloatArray:
    """Make one vector for each text. Special tokens are included, padding is not.

    Args:
        last_hidden_state: Vectors of tokens, (batch, seq, hidden).
        attention_mask: (batch, seq), True at tokens and False at padding.
        pooler_output: (batch, hidden), or None if the pooler has not run.
        pooling: The function. With n tokens h_1 ... h_n, MEAN is the sum of h_i / n, MEAN_SQRT the sum of
            h_i / sqrt(n), WEIGHTED_MEAN the sum of i h_i divided by the sum of i, MAX the largest value of each
            dimension, CLS h_1, and LAST h_n. POOLER is pooler_output.
        excluded_tokens: Number of tokens at the beginning of each text that are left out, those of a prompt. CLS is
            then the first token after them. The weights of WEIGHTED_MEAN count from the first token nevertheless.

    Returns:
        The vectors, (batch, hidden).
    """
    if pooling == Pooling.POOLER and pooler_output is not None:
        return pooler_output
    if pooling == Pooling.CLS:
        # A copy, since a view would keep the vectors of all other tokens in memory.
        return last_hidden_state[:, excluded_tokens].copy()
    if pooling == Pooling.LAST:
        rows = np.arange(len(last_hidden_state))
        return np.asarray(last_hidden_state[rows, attention_mask.sum(1) - 1])
    is_pooled = attention_mask.copy()
    is_pooled[:, :excluded_tokens] = False
    if pooling == Pooling.MAX:
        return np.asarray(np.where(is_pooled[..., None], last_hidden_state, np.float32(-np.inf)).max(1))
    weights = is_pooled.astype(np.float32)
    if pooling == Pooling.WEIGHTED_MEAN:
        weights *= np.arange(1, weights.shape[1] + 1, dtype=np.float32)
    divisors = weights.sum(1, keepdims=True)
    if pooling == Pooling.MEAN_SQRT:
        divisors = np.sqrt(divisors)
    return np.asarray(np.einsum("bsh,bs->bh", last_hidden_state, weights) / divisors)


def mix_layers(states: Sequence[FloatArray], op: LayerOp) -> FloatArray:
    """Make one hidden state of several.

    Args:
        states: The hidden states, (..., hidden) each.
        op: MEAN, SUM, or CONCAT, which joins the vectors of a token in the order of the states.

    Returns:
        (..., hidden), or (..., states * hidden) for CONCAT.
    """
    if op == LayerOp.CONCAT:
        return np.concatenate(states, axis=-1)
    total = np.sum(states, axis=0)
    return np.asarray(total / len(states) if op == LayerOp.MEAN else total)


def normalize(vectors: Numbers) -> Numbers:
    """Scale each vector to length 1. A vector of zeros stays as it is.

    Args:
        vectors: (..., hidden).

    Returns:
        An array of the same shape.
    """
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    scaled: Numbers = np.divide(vectors, np.where(lengths > 0, lengths, 1))
    return scaled
