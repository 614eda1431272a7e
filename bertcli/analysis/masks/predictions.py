"""The most probable tokens for each mask, and the logits at the masks, with which other questions about them begin.

A question that adds to the answer for each mask is an addition: it takes what the model said and the masks as they are
answered so far, and returns them with its own part filled in.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from bertcli.analysis.masks.distributions import entropy_bits, log_softmax
from bertcli.errors import BadText
from bertcli.input.records import FailedText, shortened
from bertcli.model.batching import Batch
from bertcli.model.engine import OutputRequest, backend_index
from bertcli.model.ops.base import Array, IntArray
from bertcli.model.session import Session, text_info
from bertcli.model.tokenizer import MASK, TokenizedText
from bertcli.results.masks import FillMaskRecord, MaskPredictions, Prediction


@dataclass(frozen=True)
class MaskLogits:
    """What the model said at each mask of a batch. rows, columns: where the masks are. logits: (masks, vocab).

    hidden_states: (masks, hidden) of each of the layers that were asked for.
    """

    session: Session
    batch: Batch
    rows: IntArray
    columns: IntArray
    logits: Array
    hidden_states: Sequence[Array] = field(default=())

    @cached_property
    def places(self) -> list[tuple[TokenizedText, int]]:
        """Each mask's text and position."""
        places = zip(self.rows.tolist(), self.columns.tolist(), strict=True)
        return [(self.batch.texts[row], column) for row, column in places]

    def sequence(self, at: int, ids: Sequence[int]) -> str:
        """The text of a mask with these tokens in its place, and other masks left standing."""
        text, column = self.places[at]
        filled = [*text.input_ids[:column], *ids, *text.input_ids[column + 1 :]]
        return self.session.tokenizer.decode_text(filled)


Addition = Callable[[MaskLogits, Sequence[MaskPredictions]], Sequence[MaskPredictions]]


def predict_masks(
    session: Session,
    batch: Batch,
    top_k: int | None = None,
    mass: float | None = None,
    additions: Sequence[Addition] = (),
    hidden_states: Sequence[int] = (),
) -> list[FillMaskRecord]:
    """For each text of the batch the candidates for each mask, each mask on its own (the others left standing).

    top_k: how many candidates at the most; None for all. mass: no more than it takes to reach this probability.
    additions: what else is asked about each mask. hidden_states: the layers whose states they need.
    """
    asked = ask_masks(session, batch, hidden_states)
    answered: Sequence[MaskPredictions] = []
    if asked is not None:
        found = candidates(asked, asked.logits, top_k, mass)
        answered = [
            MaskPredictions(position, predictions, mass=None if mass is None else _mass(predictions))
            for (_, position), predictions in zip(asked.places, found, strict=True)
        ]
        for addition in additions:
            answered = addition(asked, answered)
    masks: list[list[MaskPredictions]] = [[] for _ in batch.texts]
    for row, mask in zip([] if asked is None else asked.rows.tolist(), answered, strict=True):
        masks[row].append(mask)
    return [FillMaskRecord(text_info(text), masks[row]) for row, text in enumerate(batch.texts)]


def ask_masks(session: Session, batch: Batch, hidden_states: Sequence[int] = ()) -> MaskLogits | None:
    """The batch's logits at masks alone; None where there is no mask."""
    rows, columns = mask_places(batch, session.mask_token_id)
    if not len(rows):
        return None
    output = session.run(batch, OutputRequest(logits_at=(rows, columns), hidden_states=hidden_states))
    places = backend_index(session.engine.ops, (rows, columns))
    states = [state[places] for state in output.hidden_states]
    return MaskLogits(session, batch, rows, columns, output.logits, states)


def mask_places(batch: Batch, mask_token_id: int | None) -> tuple[IntArray, IntArray]:
    """The rows and columns of the masks of a batch, text by text. mask_token_id: None where there is no mask."""
    rows, columns = np.nonzero((batch.input_ids == mask_token_id) & batch.attention_mask)
    return rows, columns


def candidates(
    asked: MaskLogits, logits: Array, top_k: int | None, mass: float | None = None
) -> list[list[Prediction]]:
    """For each mask the tokens with the largest logits (masks, vocab). score is their softmax, in float32."""
    ops = asked.session.engine.ops
    best_logits, best_ids = (ops.to_numpy(x) for x in ops.top_k(logits, top_k or logits.shape[-1]))
    normalizers = ops.to_numpy(ops.log_sum_exp(logits))
    scores = np.exp(best_logits - normalizers[:, None])
    counts = _counts(scores, mass)
    return [
        [
            _prediction(asked, at, rank, *numbers)
            for rank, numbers in enumerate(
                zip(best_ids[at, :count].tolist(), best_logits[at].tolist(), scores[at].tolist(), strict=False), 1
            )
        ]
        for at, count in enumerate(counts)
    ]


def _counts(scores: np.ndarray[Any, Any], mass: float | None) -> list[int]:
    """How many of each row, best first, it takes to reach the mass; all where they do not reach it."""
    masks, count = scores.shape
    if mass is None:
        return [count] * masks
    is_short = np.cumsum(scores, -1, dtype=np.float64) < mass
    return [min(1 + int(short), count) for short in is_short.sum(-1)]


def _prediction(asked: MaskLogits, at: int, rank: int, token: int, logit: float, score: float) -> Prediction:
    token_str = asked.session.tokenizer.decode([token])
    return Prediction(rank, score, logit, token, token_str, asked.sequence(at, [token]))


def _mass(predictions: Sequence[Prediction]) -> float:
    return float(sum(prediction.score for prediction in predictions))


def check_masks(text: TokenizedText, mask_token_id: int) -> FailedText | None:
    """What is wrong with a text whose masks are to be filled: that it has none, or that a cut has removed one."""
    record = text.record
    if text.truncated_masks:
        problem = BadText(
            f"{text.truncated_masks} of the text's masks would be cut away",
            hint="put the mask nearer to the beginning, or raise --max-length",
        )
    elif mask_token_id not in text.input_ids:
        problem = BadText(
            f"the text has no mask: {shortened(record.text)}",
            hint=f'write {MASK}, in capitals, where a word is missing, and the whole text in quotes: "how {MASK} you"',
        )
    else:
        return None
    return record.failed(problem)


def with_entropy(asked: MaskLogits, masks: Sequence[MaskPredictions]) -> list[MaskPredictions]:
    """The masks with the entropy of the whole distribution, in bits."""
    logits = asked.session.to_numpy(asked.logits)
    return [
        replace(mask, entropy=float(entropy_bits(log_softmax(row)))) for mask, row in zip(masks, logits, strict=True)
    ]
