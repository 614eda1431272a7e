"""Perturbed masking (Wu et al. 2020): how much masking one token changes the prediction of another.

For tokens i and j of a text, the model predicts i twice: with i alone masked, and with both masked. The entry (i, j) is
the Jensen-Shannon distance between the two distributions, from 0 (j does not matter to i) to sqrt(ln 2) = 0.83. Wu et
al. use the Euclidean distance between the hidden states at i, whose scale differs from model to model.
"""

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from bertcli.analysis.masks.distributions import jensen_shannon_distance, log_softmax
from bertcli.analysis.masks.variants import Variant, content_positions, run_variants, with_masks
from bertcli.errors import BadText
from bertcli.input.records import FailedText
from bertcli.model.batching import Batch
from bertcli.model.session import Session
from bertcli.model.tokenizer import TokenizedText
from bertcli.results.texts import FloatArray

_Logits = np.ndarray[Any, Any]


def mutual_influence(session: Session, batch: Batch) -> list[FloatArray]:
    """Compute the matrix of distances of each text, (tokens, tokens), NaN at [CLS] and [SEP].

    The row is the predicted token i, the column is the token j that is masked too.
    """
    return [_text_influence(session, text) for text in batch.texts]


def _text_influence(session: Session, text: TokenizedText) -> FloatArray:
    positions = content_positions(session, text)
    found = np.full((len(text), len(text)), np.nan, np.float32)
    found[positions, positions] = 0
    singles = [(position,) for position in positions]
    alone = {position: log_softmax(logits[0]) for (position,), logits in _masked_logits(session, text, singles)}
    # One run with i and j masked serves both (i, j) and (j, i).
    for pair, logits in _masked_logits(session, text, combinations(positions, 2)):
        for row, (predicted, other) in enumerate((pair, pair[::-1])):
            found[predicted, other] = jensen_shannon_distance(alone[predicted], log_softmax(logits[row]))
    return found


def _masked_logits(session: Session, text: TokenizedText, masked: Any) -> Iterator[tuple[Sequence[int], _Logits]]:
    """Yield, for each tuple of positions, the logits at these positions with all of them masked.

    Args:
        session: The open checkpoint.
        text: The text.
        masked: Tuples of positions, all of one size.
    """
    variants = (Variant(with_masks(text, positions, session.mask_token_id), positions, None) for positions in masked)
    for run, logits in run_variants(session, variants):
        at_positions = session.to_numpy(logits).reshape(len(run), len(run[0].positions), -1)
        yield from ((variant.positions, rows) for variant, rows in zip(run, at_positions, strict=True))


def check_has_content(session: Session, text: TokenizedText) -> FailedText | None:
    """Return the text as failed if it has only special tokens, else None."""
    if content_positions(session, text):
        return None
    problem = BadText("the text has only special tokens", hint="use a text with words")
    return text.record.failed(problem)
