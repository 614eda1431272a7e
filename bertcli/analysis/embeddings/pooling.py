"""Pooling, normalisation and cosine similarity of vectors."""

from typing import Any

import numpy as np

from bertcli.choices import Pooling
from bertcli.model.ops.base import FloatArray


def pool(
    last_hidden_state: FloatArray,
    attention_mask: np.ndarray[Any, Any],
    pooler_output: FloatArray | None,
    pooling: Pooling,
) -> FloatArray:
    """Make one vector for each text. Special tokens are included, padding is not.

    Args:
        last_hidden_state: Vectors of tokens, (batch, seq, hidden).
        attention_mask: (batch, seq), True at tokens and False at padding.
        pooler_output: (batch, hidden), or None if the pooler has not run.
        pooling: MEAN and MAX run over the tokens of a text, CLS takes the vector of the first token, and POOLER takes
            pooler_output.

    Returns:
        The vectors, (batch, hidden).
    """
    if pooling == Pooling.POOLER and pooler_output is not None:
        return pooler_output
    if pooling == Pooling.CLS:
        return last_hidden_state[:, 0].copy()  # a view would keep the vectors of all other tokens in memory
    mask = attention_mask[..., None]
    if pooling == Pooling.MAX:
        return np.asarray(np.where(mask, last_hidden_state, np.float32(-np.inf)).max(1))
    counts = mask.sum(1, dtype=np.float32)
    return np.asarray(np.einsum("bsh,bs->bh", last_hidden_state, attention_mask.astype(np.float32)) / counts)


def normalize(vectors: FloatArray) -> FloatArray:
    """Scale each vector to length 1. A vector of zeros stays as it is.

    Args:
        vectors: (..., hidden).

    Returns:
        An array of the same shape.
    """
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.where(lengths > 0, lengths, 1))


def cosine_similarity(embeddings: FloatArray) -> FloatArray:
    """Compute the cosine between each pair of rows.

    Args:
        embeddings: (texts, hidden).

    Returns:
        The cosines, (texts, texts).
    """
    unit = normalize(embeddings)
    return np.asarray(unit @ unit.T)
