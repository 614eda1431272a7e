"""The distance of reduced precision from float32, text by text."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from bertcli.analysis.embeddings.encode import EncodeOptions, run_batch
from bertcli.analysis.embeddings.lexical import dense_vector
from bertcli.analysis.embeddings.pooling import normalize, pool
from bertcli.analysis.masks.predictions import mask_coordinates
from bertcli.analysis.masks.variants import content_positions
from bertcli.choices import DtypeName, EngineName, Pooling
from bertcli.lazy_dataclass import dataclass
from bertcli.model.batching import Batch
from bertcli.model.engine import OutputRequest
from bertcli.model.ops.base import FloatArray
from bertcli.model.ops.numpy_activations import softmax
from bertcli.model.session import Session
from bertcli.model.tokenizer import TokenizedText
from bertcli.results.precision import Precision, TextDistance


@dataclass(frozen=True, slots=True)
class _Outputs:
    """Outputs of a batch in one precision.

    Attributes:
        vectors: A vector for each text, (batch, dimension).
        probabilities: Those of the vocabulary at each mask, (masks, vocab). No rows if no prediction is compared.
    """

    vectors: FloatArray
    probabilities: FloatArray


def in_float32(session: Session) -> Session:
    """Return a checkpoint with the same engine and device in float32."""
    choice = session.engine_choice
    request = replace(session.request, engine=EngineName(choice.engine), device=choice.device, dtype=DtypeName.FLOAT32)
    return replace(session, request=request)


def text_distances(session: Session, exact: Session, batch: Batch, *, predicts_tokens: bool) -> list[TextDistance]:
    """Return the distance of each text of a batch from float32.

    Args:
        session: The checkpoint, in reduced precision.
        exact: The same checkpoint in float32.
        batch: The texts.
        predicts_tokens: Compare the predictions for masks too. In a text without a mask, as scores have them, the token
            in the middle is masked.
    """
    if predicts_tokens:
        batch = _with_masks(session, batch)
    found, expected = (_outputs(each, batch, predicts_tokens=predicts_tokens) for each in (session, exact))
    cosines = _cosines(found.vectors, expected.vectors)
    if not predicts_tokens:
        return [TextDistance(cosine) for cosine in cosines]
    rows, _ = mask_coordinates(batch, session.mask_token_id)
    is_same = found.probabilities.argmax(-1) == expected.probabilities.argmax(-1)  # (masks,)
    differences = np.abs(found.probabilities - expected.probabilities).max(-1)  # (masks,)
    return [
        TextDistance(cosine, tuple(is_same[rows == row].tolist()), float(differences[rows == row].max(initial=0)))
        for row, cosine in enumerate(cosines)
    ]


def summarize_distances(distances: Sequence[TextDistance]) -> Precision | None:
    """Return the distance of a run from those of its texts; None if there are none."""
    if not distances:
        return None
    cosines = [each.cosine for each in distances]
    precision = Precision(len(cosines), float(np.mean(cosines)), min(cosines))
    is_same = [same for each in distances for same in each.same_top]
    if not is_same:
        return precision
    difference = max(each.max_difference for each in distances)
    return replace(precision, masks=len(is_same), same_top=float(np.mean(is_same)), max_difference=difference)


def _with_masks(session: Session, batch: Batch) -> Batch:
    """Return a batch with a mask in the middle of each text that has none."""
    input_ids = batch.input_ids.copy()
    for row, text in enumerate(batch.texts):
        if session.mask_token_id not in text.input_ids:
            input_ids[row, _middle_token(session, text)] = session.mask_token_id
    return replace(batch, input_ids=input_ids)


def _middle_token(session: Session, text: TokenizedText) -> int:
    """Return the position of the middle one of the tokens that are not special."""
    positions = content_positions(session, text)
    return positions[len(positions) // 2] if positions else 0


def _outputs(session: Session, batch: Batch, *, predicts_tokens: bool) -> _Outputs:
    """Return the outputs of a batch to compare."""
    no_masks = np.zeros((0, 1), np.float32)
    if session.request.embedding is not None:
        return _Outputs(_embeddings(session, batch), no_masks)
    masks = mask_coordinates(batch, session.mask_token_id) if predicts_tokens else None
    output = session.run(batch, OutputRequest(logits_at=masks))
    vectors = pool(session.to_numpy(output.last_hidden_state), batch.attention_mask, None, Pooling.MEAN)
    return _Outputs(vectors, no_masks if masks is None else softmax(session.to_numpy(output.logits)))


def _embeddings(session: Session, batch: Batch) -> FloatArray:
    """Return the embedding of each text, (batch, dimension). Lexical ones have their zeros."""
    found = run_batch(session, batch, EncodeOptions(term_tokens=False))
    if found.embeddings is not None:
        return found.embeddings
    terms = [found.record(row).terms for row in range(len(batch.texts))]
    return np.stack([dense_vector(each, session.config.vocab_size) for each in terms if each is not None])


def _cosines(a: FloatArray, b: FloatArray) -> list[float]:
    """Return the cosine of each pair of rows, at most 1. Two vectors of zeros are equal."""
    cosines = (normalize(a.astype(np.float64)) * normalize(b.astype(np.float64))).sum(-1)
    is_zero = ~(a.any(-1) | b.any(-1))
    found: list[float] = np.where(is_zero, 1, np.minimum(cosines, 1)).tolist()
    return found
