"""The tokens whose log-probability is explained: the top prediction of each mask, or given targets of one piece."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from bertcli.analysis.masks.predictions import MaskLogits
from bertcli.analysis.masks.targets import Target
from bertcli.lazy_dataclass import dataclass
from bertcli.model.ops.base import Array, Ops
from bertcli.results.masks import MaskPredictions
from bertcli.results.texts import FloatArray


@dataclass(frozen=True, slots=True)
class Explained:
    """A token in a mask whose log-probability is explained.

    Attributes:
        word: The target as the user gave it, or the text of the top prediction.
        id: Its id.
    """

    word: str
    id: int


def explained_tokens(mask: MaskPredictions, targets: Sequence[Target] | None) -> list[Explained]:
    """Return the tokens to explain in a mask: the targets, or without any the top prediction.

    Args:
        mask: The mask, with at least one prediction.
        targets: Targets of one piece, or None.
    """
    if targets is None:
        top = mask.predictions[0]
        return [Explained(top.token_str, top.token)]
    return [Explained(target.word, target.ids[0]) for target in targets]


def masks_by_row(mask_logits: MaskLogits) -> dict[int, list[int]]:
    """Return the indices of the masks of each text that has any, by the row of the text in its batch."""
    found: dict[int, list[int]] = defaultdict(list)
    for index, row in enumerate(mask_logits.rows.tolist()):
        found[row].append(index)
    return found


def logprobs_of(ops: Ops, logits: Array, ids: Sequence[int]) -> FloatArray:
    """Return the log-probability of each token in each row of logits: (rows, vocab) to (rows, ids), in float32."""
    chosen = ops.to_numpy(ops.to_float32(logits[:, ops.asarray(np.array(ids))]))
    return chosen - ops.to_numpy(ops.log_sum_exp(logits))[:, None]


def logprobs_by_row(ops: Ops, logits: Array, ids: Sequence[Sequence[int]]) -> list[FloatArray]:
    """Return the log-probabilities of the tokens of each row of logits. Each row has its own tokens."""
    return [logprobs_of(ops, logits[row : row + 1], of_row)[0] for row, of_row in enumerate(ids)]
