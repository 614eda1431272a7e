"""The most probable tokens for each mask, and the logits at masks from which other analyses start."""

import re
from collections.abc import Callable, Sequence
from dataclasses import field
from functools import cached_property
from typing import Any

import numpy as np

from bertcli.errors import BadText
from bertcli.input.records import FailedText, TextRecord
from bertcli.lazy_dataclass import dataclass
from bertcli.model.batching import Batch
from bertcli.model.engine import OutputRequest, backend_index
from bertcli.model.ops.base import Array, IntArray
from bertcli.model.session import Session
from bertcli.model.text_info import text_info
from bertcli.model.tokenizer import MASK, TokenizedText
from bertcli.quoting import shortened
from bertcli.results.masks import FillMaskRecord, MaskPredictions, Prediction

# Masks of other models, and blanks.
_OTHER_MASKS = re.compile(r"<mask>|\[mask\]|\{mask\}|_{2,}", re.IGNORECASE)


@dataclass(frozen=True)
class MaskLogits:
    """Logits at every mask of a batch.

    Attributes:
        session: The session that computed them.
        batch: The texts.
        rows: Row of each mask in the batch, (masks,).
        columns: Position of each mask in its text, (masks,).
        logits: (masks, vocab), an array of the backend.
        hidden_states: (masks, hidden) for each requested layer.
    """

    session: Session
    batch: Batch
    rows: IntArray
    columns: IntArray
    logits: Array
    hidden_states: Sequence[Array] = field(default=())

    @cached_property
    def places(self) -> list[tuple[TokenizedText, int]]:
        """The text of each mask and the position of the mask in it."""
        places = zip(self.rows.tolist(), self.columns.tolist(), strict=True)
        return [(self.batch.texts[row], column) for row, column in places]

    def sequence(self, mask: int, ids: Sequence[int]) -> str:
        """Return the text of a mask with the mask replaced by tokens. Other masks of the text stay masked.

        Args:
            mask: Index of the mask.
            ids: Ids of the tokens.
        """
        text, column = self.places[mask]
        filled = [*text.input_ids[:column], *ids, *text.input_ids[column + 1 :]]
        return self.session.tokenizer.decode_text(filled)


# An analysis of each mask: takes the logits and the masks so far, and returns the masks with its own field filled in.
MaskAnalysis = Callable[[MaskLogits, Sequence[MaskPredictions]], Sequence[MaskPredictions]]


def predict_masks(
    session: Session,
    batch: Batch,
    top_k: int | None = None,
    mass: float | None = None,
    analyses: Sequence[MaskAnalysis] = (),
    hidden_states: Sequence[int] = (),
) -> list[FillMaskRecord]:
    """Predict each mask of each text of a batch separately. The other masks of a text stay masked.

    Args:
        session: The open checkpoint.
        batch: The texts.
        top_k: Largest number of predictions for each mask, or None for all tokens.
        mass: Stop as soon as the predictions of a mask reach this probability together.
        analyses: Further analyses of each mask, in the order in which they run.
        hidden_states: Indices of the hidden states that the analyses need.
    """
    mask_logits = compute_mask_logits(session, batch, hidden_states)
    predicted: Sequence[MaskPredictions] = []
    if mask_logits is not None:
        found = top_predictions(mask_logits, mask_logits.logits, top_k, mass)
        predicted = [
            MaskPredictions(position, predictions, mass=None if mass is None else _mass(predictions))
            for (_, position), predictions in zip(mask_logits.places, found, strict=True)
        ]
        for analysis in analyses:
            predicted = analysis(mask_logits, predicted)
    masks: list[list[MaskPredictions]] = [[] for _ in batch.texts]
    for row, mask in zip([] if mask_logits is None else mask_logits.rows.tolist(), predicted, strict=True):
        masks[row].append(mask)
    return [FillMaskRecord(text_info(text), masks[row]) for row, text in enumerate(batch.texts)]


def compute_mask_logits(session: Session, batch: Batch, hidden_states: Sequence[int] = ()) -> MaskLogits | None:
    """Compute the logits at the masks of a batch and nowhere else. Return None if there is no mask."""
    rows, columns = mask_coordinates(batch, session.mask_token_id)
    if not len(rows):
        return None
    output = session.run(batch, OutputRequest(logits_at=(rows, columns), hidden_states=hidden_states))
    at_masks = backend_index(session.engine.ops, (rows, columns))
    states = [state[at_masks] for state in output.hidden_states]
    return MaskLogits(session, batch, rows, columns, output.logits, states)


def mask_coordinates(batch: Batch, mask_token_id: int | None) -> tuple[IntArray, IntArray]:
    """Return the rows and columns of the masks of a batch, text by text. A window has only the masks that it owns.

    Args:
        batch: The texts.
        mask_token_id: Id of the mask token, or None if the tokenizer has none.
    """
    is_mask = (batch.input_ids == mask_token_id) & batch.attention_mask
    for row, text in enumerate(batch.texts):
        if text.window is not None:
            is_mask[row, : text.window.owned.start] = False
            is_mask[row, text.window.owned.stop :] = False
    rows, columns = np.nonzero(is_mask)
    return rows, columns


def top_predictions(
    mask_logits: MaskLogits, logits: Array, top_k: int | None, mass: float | None = None
) -> list[list[Prediction]]:
    """Return the tokens with the largest logits for each mask, best first.

    Args:
        mask_logits: The masks.
        logits: The logits to use, (masks, vocab): those of mask_logits, or those of another layer.
        top_k: As predict_masks.
        mass: As predict_masks.

    Returns:
        The predictions of each mask. Their score is the softmax over the whole vocabulary, in float32.
    """
    ops = mask_logits.session.engine.ops
    best_logits, best_ids = (ops.to_numpy(x) for x in ops.top_k(logits, top_k or logits.shape[-1]))
    normalizers = ops.to_numpy(ops.log_sum_exp(logits))
    scores = np.exp(best_logits - normalizers[:, None])
    counts = _counts(scores, mass)
    return [
        [
            _prediction(mask_logits, mask, rank, *values)
            for rank, values in enumerate(
                zip(best_ids[mask, :count].tolist(), best_logits[mask].tolist(), scores[mask].tolist(), strict=False), 1
            )
        ]
        for mask, count in enumerate(counts)
    ]


def _counts(scores: np.ndarray[Any, Any], mass: float | None) -> list[int]:
    """Return, for each row, the number of scores that reach the mass, or all of them if they do not reach it.

    Args:
        scores: Probabilities, best first, (masks, tokens).
        mass: A probability, or None for all scores.
    """
    masks, count = scores.shape
    if mass is None:
        return [count] * masks
    is_short = np.cumsum(scores, -1, dtype=np.float64) < mass
    return [min(1 + int(short), count) for short in is_short.sum(-1)]


def _prediction(mask_logits: MaskLogits, mask: int, rank: int, token: int, logit: float, score: float) -> Prediction:
    token_str = mask_logits.session.tokenizer.decode([token])
    return Prediction(rank, score, logit, token, token_str, mask_logits.sequence(mask, [token]))


def _mass(predictions: Sequence[Prediction]) -> float:
    return float(sum(prediction.score for prediction in predictions))


def check_masks(session: Session, text: TokenizedText) -> FailedText | None:
    """Return the text as failed if it has no mask or if truncation has removed one, else None."""
    record = text.record
    if text.truncated_masks:
        problem = BadText(
            f"{text.truncated_masks} of the text's masks would be cut away",
            hint=_hint_for_cut_masks(session, text),
        )
    elif session.mask_token_id not in text.input_ids:
        problem = missing_mask(record)
    else:
        return None
    return record.failed(problem)


def _hint_for_cut_masks(session: Session, text: TokenizedText) -> str:
    """Return a hint how to keep a mask that truncation removes. Windows divide only the last sentence of a pair."""
    offers_windows = session.tokenizer.offers_windows and text.record.pair is None
    hint = session.tokenizer.limit_hint("put the mask nearer to the beginning")
    return hint + (", or use --long windows instead" if offers_windows else "")


def missing_mask(record: TextRecord) -> BadText:
    """Return the error for a text without a mask."""
    hint = f'write {MASK}, in capitals, for a missing word, and put the whole text in quotes: "how {MASK} you"'
    if other := _OTHER_MASKS.search(f"{record.text} {record.pair or ''}"):
        hint = f"the mask of this model is {MASK}; write it instead of {other[0]}"
    return BadText(f"the text has no mask: {shortened(record.text)}", hint=hint)
