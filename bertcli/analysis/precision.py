"""The distance of reduced precision from float32, measured on texts of the run itself."""

import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from bertcli.analysis.embeddings.encode import compute_embeddings
from bertcli.analysis.embeddings.pooling import normalize, pool
from bertcli.analysis.masks.predictions import mask_coordinates
from bertcli.choices import DtypeName, EngineName, Pooling
from bertcli.lazy_dataclass import dataclass
from bertcli.model.batching import Batch, pad
from bertcli.model.engine import OutputRequest
from bertcli.model.ops.base import DoubleArray, FloatArray
from bertcli.model.ops.numpy_activations import softmax
from bertcli.model.session import Session
from bertcli.model.tokenizer import TokenizedText
from bertcli.results.precision import Precision

_BATCH_TEXTS = 8


@dataclass(frozen=True, slots=True)
class _Outputs:
    """Outputs of a batch in one precision.

    Attributes:
        vectors: A vector for each text, (batch, dimension), or None if they are lexical.
        probabilities: Those of the vocabulary at each mask, (masks, vocab). No rows if no prediction is compared.
    """

    vectors: FloatArray | None
    probabilities: FloatArray


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
        found, expected = (_compute(each, batch) for each in (session, exact))
        if found.vectors is None or expected.vectors is None:
            return None
        cosines += _cosines(found.vectors, expected.vectors).tolist()
        best = expected.probabilities.argmax(-1)  # (masks,)
        rows = np.arange(len(best))
        is_same += (found.probabilities.argmax(-1) == best).tolist()
        differences += np.abs(found.probabilities[rows, best] - expected.probabilities[rows, best]).tolist()
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


def _compute(session: Session, batch: Batch) -> _Outputs:
    """Return the outputs of a batch to compare."""
    no_masks = np.zeros((0, 1), np.float32)
    if session.request.embedding is not None:
        return _Outputs(compute_embeddings(session, batch), no_masks)
    masks = mask_coordinates(batch, session.tokenizer.mask_token_id)
    has_masks = session.has_mlm_head and len(masks[0]) > 0
    output = session.run(batch, OutputRequest(logits_at=masks if has_masks else None))
    states = session.to_numpy(output.last_hidden_state)
    vectors = pool(states, batch.attention_mask, None, Pooling.MEAN)
    return _Outputs(vectors, softmax(session.to_numpy(output.logits)) if has_masks else no_masks)


def _cosines(a: FloatArray, b: FloatArray) -> DoubleArray:
    """Return the cosine of each pair of rows, (batch,)."""
    return np.asarray((normalize(a.astype(np.float64)) * normalize(b.astype(np.float64))).sum(-1))
