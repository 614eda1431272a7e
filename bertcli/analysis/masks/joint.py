"""All masks of a text filled together, by a beam search over the order in which they are filled.

At each step every sequence in the beam has one of its masks filled, given what is filled already: the one of which the
model is surest (the largest probability of any token), or the leftmost. The log-probability of a sequence is the sum
over its steps. A masked language model has no joint distribution of its own, so it depends on the order.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bertcli.analysis.masks.variants import Variant, ask, mask_positions, with_ids_at
from bertcli.model.batching import Batch
from bertcli.model.ops.base import Array
from bertcli.model.session import Session
from bertcli.model.tokenizer import TokenizedText
from bertcli.results.masks import FilledSequence

CONFIDENCE, L2R = "confidence", "l2r"
# So many sequences go on from step to step, or as many as are asked for where these are more.
NARROWEST_BEAM = 10


@dataclass(frozen=True, slots=True)
class _Partial:
    """A text with some masks filled. row: of the text in its batch. left: the positions of the others."""

    row: int
    text: TokenizedText
    left: tuple[int, ...]
    logprob: float


def fill_together(
    session: Session, batch: Batch, count: int, order: str = CONFIDENCE, beam: int | None = None
) -> list[list[FilledSequence]]:
    """For each text of the batch the `count` most probable fillings of all its masks, best first.

    beam: how many go on at each step, by default `count` and 10 at the least.
    """
    beam = beam or max(count, NARROWEST_BEAM)
    masks = [tuple(mask_positions(session, text)) for text in batch.texts]
    beams = [[_Partial(row, text, masks[row], 0.0)] for row, text in enumerate(batch.texts)]
    while growing := [partial for of_text in beams for partial in of_text if partial.left]:
        grown: list[list[_Partial]] = [[] if of_text[0].left else of_text for of_text in beams]
        for partial in _grow(session, growing, order, beam):
            grown[partial.row].append(partial)
        beams = [_best(partials, beam) for partials in grown]
    return [[_filled(session, partial, masks[partial.row]) for partial in partials[:count]] for partials in beams]


def _grow(session: Session, partials: Sequence[_Partial], order: str, beam: int) -> Iterator[_Partial]:
    """Each partial with the best tokens in its next mask."""
    variants = (
        Variant(partial.text, partial.left if order == CONFIDENCE else partial.left[:1], partial)
        for partial in partials
    )
    for run, logits in ask(session, variants):
        best_logprobs, best_ids = _best_tokens(session, logits, beam)
        start = 0
        for variant in run:
            rows = range(start, start + len(variant.positions))
            row = max(rows, key=lambda row: best_logprobs[row, 0])
            position = variant.positions[row - start]
            start = rows.stop
            for id_, logprob in zip(best_ids[row].tolist(), best_logprobs[row].tolist(), strict=True):
                yield _with_token(variant.about, position, id_, logprob)


def _best_tokens(session: Session, logits: Array, count: int) -> tuple[Any, Any]:
    """The log-probabilities of the best tokens of each row, best first, and their ids."""
    ops = session.engine.ops
    best_logits, best_ids = (ops.to_numpy(x) for x in ops.top_k(logits, min(count, logits.shape[-1])))
    normalizers = ops.to_numpy(ops.log_sum_exp(logits))
    return best_logits.astype(np.float64) - normalizers[:, None], best_ids


def _with_token(partial: _Partial, position: int, id_: int, logprob: float) -> _Partial:
    left = tuple(at for at in partial.left if at != position)
    return _Partial(partial.row, with_ids_at(partial.text, position, [id_]), left, partial.logprob + logprob)


def _best(partials: Sequence[_Partial], beam: int) -> list[_Partial]:
    """The best partials. No two are the same: each has filled one position, which its own tokens have chosen."""
    return sorted(partials, key=lambda partial: -partial.logprob)[:beam]


def _filled(session: Session, partial: _Partial, masks: Sequence[int]) -> FilledSequence:
    ids = partial.text.input_ids
    tokens = [session.tokenizer.token(ids[at]) for at in masks]
    return FilledSequence(session.tokenizer.decode_text(ids), tokens, partial.logprob)
