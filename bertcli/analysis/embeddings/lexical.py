"""Lexical vectors: a weight for each token of the vocabulary, from the logits of the MLM head (SPLADE)."""

import numpy as np

from bertcli.analysis.embeddings.pooling import normalize
from bertcli.errors import NotFinite
from bertcli.model.ops.base import Array, FloatArray
from bertcli.model.session import Session
from bertcli.results.embeddings import LexicalVector

# Tokens of a text whose logits are computed at a time: for each, there is one for each token of the vocabulary.
_TOKENS_TOGETHER = 128


def lexical_vector(session: Session, last_hidden_state: Array, *, with_tokens: bool) -> LexicalVector:
    """Compute the lexical vector of a text.

    The weight of a token of the vocabulary is the maximum, or the sum, over the tokens of the text of
    ln(1 + max(0, logit)) (Formal et al. 2021). Some recipes take ln(1 + x) of that once more.

    Args:
        session: The open checkpoint, whose recipe is lexical.
        last_hidden_state: Of the text, without padding, (seq, hidden), as an array of the backend.
        with_tokens: Return the spellings of the tokens too.

    Raises:
        NotFinite: A logit is infinite or NaN.
    """
    return to_terms(session, lexical_weights(session, last_hidden_state), with_tokens=with_tokens)


def lexical_weights(session: Session, last_hidden_state: Array) -> FloatArray:
    """Compute a lexical vector with its zeros, (vocab,), before normalisation.

    Args:
        session: The open checkpoint, whose recipe is lexical.
        last_hidden_state: Of the text, without padding, (seq, hidden), as an array of the backend.

    Raises:
        NotFinite: A logit is infinite or NaN.
    """
    splade = session.recipe.splade
    assert splade is not None
    starts = range(0, last_hidden_state.shape[0], _TOKENS_TOGETHER)
    logits = (session.engine.mlm_logits(last_hidden_state[start : start + _TOKENS_TOGETHER]) for start in starts)
    if splade.reduction == "max":
        # The function is increasing, so it is applied to the largest logit alone.
        largest = [session.to_numpy(session.engine.ops.amax(part.T)) for part in logits]
        weights = _activate(np.max(largest, axis=0), is_log_twice=splade.is_log_twice)
    else:
        parts = (_activate(session.to_numpy(part), is_log_twice=splade.is_log_twice).sum(0) for part in logits)
        weights = np.asarray(sum(parts))
    if not np.isfinite(weights).all():
        raise NotFinite(
            f"the logits of {session.checkpoint.name} are infinite or NaN in {session.engine.ops.dtype}",
            hint="use --dtype float32, or copy the weights again",
        )
    return weights


def to_terms(session: Session, weights: FloatArray, *, with_tokens: bool) -> LexicalVector:
    """Return the terms of a lexical vector, normalised if the recipe says so.

    Args:
        session: The open checkpoint.
        weights: The vector with its zeros, (vocab,).
        with_tokens: Return the spellings of the tokens too.
    """
    if session.recipe.shown.normalize:
        weights = normalize(weights)
    (found,) = weights.nonzero()
    # A stable order: tokens of equal weight are in the order of their ids.
    token_ids = found[np.argsort(-weights[found], kind="stable")]
    tokens = tuple(map(session.tokenizer.token, token_ids.tolist())) if with_tokens else ()
    return LexicalVector(token_ids, weights[token_ids], tokens)


def _activate(logits: FloatArray, *, is_log_twice: bool) -> FloatArray:
    """Compute ln(1 + max(0, logit)), or ln(1 + x) of that."""
    weights = np.log1p(np.maximum(logits, 0))
    return np.log1p(weights) if is_log_twice else weights


def dense_vector(terms: LexicalVector, dimension: int) -> FloatArray:
    """Return a lexical vector with its zeros, (dimension,)."""
    dense = np.zeros(dimension, np.float32)
    dense[terms.token_ids] = terms.weights
    return dense
