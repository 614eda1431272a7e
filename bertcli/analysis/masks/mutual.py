"""How much masking one token changes what is predicted for another: perturbed masking (Wu et al. 2020).

For tokens i and j of a text the model predicts i twice, with i alone masked and with both masked. The entry (i, j) is
the Jensen-Shannon distance of the two distributions, from 0 (j does not matter to i) to sqrt(ln 2) = 0.83. Wu et al.
take the Euclidean distance of the hidden states at i, whose scale differs from model to model.
"""

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from bertcli.analysis.masks.distributions import jensen_shannon_distance, log_softmax
from bertcli.analysis.masks.variants import Variant, ask, content_positions, with_masks
from bertcli.errors import BadText
from bertcli.input.records import FailedText
from bertcli.model.batching import Batch
from bertcli.model.session import Session
from bertcli.model.tokenizer import TokenizedText
from bertcli.results.texts import FloatArray

_Logits = np.ndarray[Any, Any]


def mutual_influence(session: Session, batch: Batch) -> list[FloatArray]:
    """For each text of the batch a matrix (tokens, tokens), NaN at [CLS] and [SEP]."""
    return [_of_text(session, text) for text in batch.texts]


def _of_text(session: Session, text: TokenizedText) -> FloatArray:
    positions = content_positions(session, text)
    found = np.full((len(text), len(text)), np.nan, np.float32)
    found[positions, positions] = 0
    alone = {at: log_softmax(logits[0]) for (at,), logits in _masked(session, text, [(at,) for at in positions])}
    # One run with i and j masked serves both (i, j) and (j, i).
    for pair, logits in _masked(session, text, combinations(positions, 2)):
        for row, (at, other) in enumerate((pair, pair[::-1])):
            found[at, other] = jensen_shannon_distance(alone[at], log_softmax(logits[row]))
    return found


def _masked(session: Session, text: TokenizedText, masked: Any) -> Iterator[tuple[Sequence[int], _Logits]]:
    """For each tuple of positions the logits at them, where they are masked."""
    variants = (Variant(with_masks(text, positions, session.mask_token_id), positions, None) for positions in masked)
    for run, logits in ask(session, variants):
        at_positions = session.to_numpy(logits).reshape(len(run), len(run[0].positions), -1)
        yield from ((variant.positions, rows) for variant, rows in zip(run, at_positions, strict=True))


def check_content(session: Session, text: TokenizedText) -> FailedText | None:
    """What is wrong with a text whose tokens are to bear on one another: that it has special ones alone."""
    if content_positions(session, text):
        return None
    problem = BadText("the text has special tokens alone", hint="give a text with words")
    return text.record.failed(problem)
