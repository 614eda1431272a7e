"""Joint filling of all masks of a text, by a beam search over the order in which masks are filled.

At each step, one mask of every sequence in the beam is filled, given the masks filled before: either the mask of which
the model is most confident (the largest probability of any token), or the leftmost. The log-probability of a sequence
is the sum over its steps. It depends on the order, since a masked language model has no joint distribution of its own.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from bertcli.analysis.masks.variants import Variant, mask_positions, run_variants, with_ids_at
from bertcli.choices import FillOrder
from bertcli.lazy_dataclass import dataclass
from bertcli.model.batching import Batch
from bertcli.model.ops.base import Array
from bertcli.model.session import Session
from bertcli.model.tokenizer import TokenizedText
from bertcli.results.masks import FilledSequence

# The smallest default width of the beam. A wider one is used if more sequences are requested.
NARROWEST_BEAM = 10


@dataclass(frozen=True, slots=True)
class _Partial:
    """A text with some masks filled.

    Attributes:
        row: Row of the text in its batch.
        text: The text with the filled masks.
        left: Positions of the masks still to fill.
        logprob: Sum of the log-probabilities of the filled tokens.
    """

    row: int
    text: TokenizedText
    left: tuple[int, ...]
    logprob: float


def fill_jointly(
    session: Session, batch: Batch, count: int, order: FillOrder = FillOrder.CONFIDENCE, beam: int | None = None
) -> list[list[FilledSequence]]:
    """Find the most probable fillings of all masks of each text.

    Args:
        session: The open checkpoint.
        batch: The texts.
        count: Number of sequences to return for each text.
        order: Order in which masks are filled.
        beam: Number of sequences to keep at each step. By default count, and at least 10.

    Returns:
        For each text, up to count sequences, best first.
    """
    beam = beam or max(count, NARROWEST_BEAM)
    masks = [tuple(mask_positions(session, text)) for text in batch.texts]
    beams = [[_Partial(row, text, masks[row], 0.0)] for row, text in enumerate(batch.texts)]
    while growing := [partial for text_beam in beams for partial in text_beam if partial.left]:
        grown: list[list[_Partial]] = [[] if text_beam[0].left else text_beam for text_beam in beams]
        for partial in _grow(session, growing, order, beam):
            grown[partial.row].append(partial)
        beams = [_best(partials, beam) for partials in grown]
    return [[_filled(session, partial, masks[partial.row]) for partial in partials[:count]] for partials in beams]


def _grow(session: Session, partials: Sequence[_Partial], order: FillOrder, beam: int) -> Iterator[_Partial]:
    """Yield each partial with each of the best tokens in its next mask."""
    variants = (
        Variant(partial.text, partial.left if order == FillOrder.CONFIDENCE else partial.left[:1], partial)
        for partial in partials
    )
    for run, logits in run_variants(session, variants):
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
    """Return the log-probabilities and ids of the best tokens of each row, (rows, count) each, best first."""
    ops = session.engine.ops
    best_logits, best_ids = (ops.to_numpy(x) for x in ops.top_k(logits, min(count, logits.shape[-1])))
    normalizers = ops.to_numpy(ops.log_sum_exp(logits))
    return best_logits.astype(np.float64) - normalizers[:, None], best_ids


def _with_token(partial: _Partial, position: int, id_: int, logprob: float) -> _Partial:
    left = tuple(other for other in partial.left if other != position)
    return _Partial(partial.row, with_ids_at(partial.text, position, [id_]), left, partial.logprob + logprob)


def _best(partials: Sequence[_Partial], beam: int) -> list[_Partial]:
    """Return the best partials. No two are equal: the position that each fills follows from its own tokens."""
    return sorted(partials, key=lambda partial: -partial.logprob)[:beam]


def _filled(session: Session, partial: _Partial, masks: Sequence[int]) -> FilledSequence:
    ids = partial.text.input_ids
    tokens = [session.tokenizer.token(ids[position]) for position in masks]
    return FilledSequence(session.tokenizer.decode_text(ids), tokens, partial.logprob)
