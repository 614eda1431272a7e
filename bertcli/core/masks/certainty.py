"""How sure the model is of what stands in a mask."""

from collections.abc import Sequence
from dataclasses import replace

from bertcli.core.masks.distributions import entropy_bits, log_softmax
from bertcli.core.masks.predictions import MaskLogits
from bertcli.results.masks import MaskPredictions


def with_entropy(asked: MaskLogits, masks: Sequence[MaskPredictions]) -> list[MaskPredictions]:
    """The masks with the entropy of the whole distribution, in bits."""
    logits = asked.session.to_numpy(asked.logits)
    return [
        replace(mask, entropy=float(entropy_bits(log_softmax(row)))) for mask, row in zip(masks, logits, strict=True)
    ]
