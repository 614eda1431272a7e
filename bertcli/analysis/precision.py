"""The distance of reduced precision from float32, measured on texts of the run itself."""

import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from bertcli.analysis.embeddings.encode import compute_embeddings
from bertcli.analysis.embeddings.pooling import pool
from bertcli.analysis.masks.predictions import mask_coordinates
from bertcli.choices import DtypeName, EngineName, Pooling
from bertcli.model.batching import Batch, pad
from bertcli.model.engine import OutputRequest
from bertcli.model.ops.base import FloatArray, IntArray
from bertcli.model.session import Session
from bertcli.model.tokenizer import TokenizedText
from bertcli.results.precision import Precision

_BATCH_TEXTS = 8


def measure_precision(session: Session, texts: Sequence[TokenizedText], seconds: float) -> Precision | None:
    """Compare the outputs of an open checkpoint with those that it has in float32.

    Args:
        session: The checkpoint, in reduced precision.
        texts: Texts to compute in both precisions, in random order.
        seconds: Time after which no further texts are begun. The first few are always computed.

    Returns:
        The distance, or None if there are no texts, or if their vectors are lexical.
    """
    end = time.monotonic() + seconds
    exact = _in_float32(session)
    cosines: list[float] = []
    is_same: list[bool] = []
    differences: list[float] = []
    for start in range(0, len(texts), _BATCH_TEXTS):
        if cosines and time.monotonic() > end:
            break
        batch = pad(texts[start : start + _BATCH_TEXTS], session.tokenizer.pad_token_id)
        found, expected = _vectors(session, batch), _vectors(exact, batch)
        if found is None or expected is None:
            return None
        cosines += _cosines(found, expected).tolist()
        if session.has_mlm_head and session.request.embedding is None:
            same, difference = _compare_predictions(session, exact, batch)
            is_same += same
            differences += difference
    if not cosines:
        return None
    precision = Precision(len(cosines), float(np.mean(cosines)), min(cosines))
    if not is_same:
        return precision
    return replace(precision, masks=len(is_same), same_top=float(np.mean(is_same)), max_difference=max(differences))


def _in_float32(session: Session) -> Session:
    """Return the checkpoint with the same engine and device in float32."""
    choice = session.engine_choice
    request = replace(session.request, engine=EngineName(choice.engine), device=choice.device, dtype=DtypeName.FLOAT32)
    return replace(session, request=request)


def _vectors(session: Session, batch: Batch) -> FloatArray | None:
    """Return a vector for each text, (batch, dimension), or None if it is lexical."""
    if session.request.embedding is not None:
        return compute_embeddings(session, batch)
    states = session.to_numpy(session.run(batch, OutputRequest()).last_hidden_state)
    return pool(states, batch.attention_mask, None, Pooling.MEAN)


def _cosines(a: FloatArray, b: FloatArray) -> FloatArray:
    """Return the cosine of each pair of rows, (batch,)."""
    a, b = a.astype(np.float64), b.astype(np.float64)
    lengths = np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1)
    cosines: FloatArray = (a * b).sum(-1) / np.where(lengths == 0, 1, lengths)
    return cosines


def _compare_predictions(session: Session, exact: Session, batch: Batch) -> tuple[list[bool], list[float]]:
    """Return for each mask whether the best prediction is the same, and by how much its probability differs."""
    coordinates = mask_coordinates(batch, session.tokenizer.mask_token_id)
    if not len(coordinates[0]):
        return [], []
    found, expected = (_probabilities(each, batch, coordinates) for each in (session, exact))
    best = expected.argmax(-1)
    rows = np.arange(len(best))
    return (found.argmax(-1) == best).tolist(), np.abs(found[rows, best] - expected[rows, best]).tolist()


def _probabilities(session: Session, batch: Batch, coordinates: tuple[IntArray, IntArray]) -> FloatArray:
    """Return the probabilities of the vocabulary at positions of a batch, (n, vocab)."""
    logits = session.to_numpy(session.run(batch, OutputRequest(logits_at=coordinates)).logits)
    probabilities = np.exp(logits - logits.max(-1, keepdims=True))
    probabilities /= probabilities.sum(-1, keepdims=True)
    return np.asarray(probabilities, np.float32)
