"""Occlusion (Zeiler and Fergus 2014): how much a prediction loses when one token of the text is replaced by the mask.

The value of a token is ln p(target) in the text minus ln p(target) with the token masked: positive for a token that
supports the target. [CLS], [SEP] and the mask itself have none. Another mask of the text has 0, since nothing changes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from bertcli.analysis.masks.explained import Explained, explained_tokens, logprobs_by_row, masks_by_row
from bertcli.analysis.masks.predictions import MaskLogits
from bertcli.analysis.masks.targets import Target
from bertcli.analysis.masks.variants import Variant, content_positions, run_variants, with_masks
from bertcli.choices import AttributionMethod
from bertcli.results.masks import Attribution, MaskPredictions
from bertcli.results.texts import FloatArray


@dataclass(frozen=True, slots=True)
class _Occluded:
    """A text with one token masked: the row of the text in its batch, and the position of the token."""

    row: int
    position: int


@dataclass(frozen=True, slots=True)
class Occlusion:
    """Analysis that attributes the top prediction of each mask, or each target, to the tokens of the text.

    Attributes:
        targets: Targets of one piece, or None for the top prediction.
    """

    targets: Sequence[Target] | None = None

    def __call__(self, mask_logits: MaskLogits, masks: Sequence[MaskPredictions]) -> list[MaskPredictions]:
        """Return the masks with their attributions."""
        session, by_row = mask_logits.session, masks_by_row(mask_logits)
        ops = session.engine.ops
        explained = [explained_tokens(mask, self.targets) for mask in masks]
        ids = [[token.id for token in tokens] for tokens in explained]
        before = logprobs_by_row(ops, mask_logits.logits, ids)
        values = [_no_values(mask_logits, masks, mask, len(each)) for mask, each in enumerate(ids)]
        for run, logits in run_variants(session, _variants(mask_logits, masks)):
            # The logits of a variant are those of all masks of its text.
            places = [(mask, variant.about.position) for variant in run for mask in by_row[variant.about.row]]
            after = logprobs_by_row(ops, logits, [ids[mask] for mask, _ in places])
            for (mask, position), logprobs in zip(places, after, strict=True):
                values[mask][:, position] = before[mask] - logprobs
        return [
            replace(mask, attributions=_attributions(*found))
            for mask, *found in zip(masks, explained, before, values, strict=True)
        ]


def _no_values(mask_logits: MaskLogits, masks: Sequence[MaskPredictions], mask: int, count: int) -> FloatArray:
    """Return values for a number of tokens in a mask before any is computed: NaN, and 0 at other masks of the text."""
    row = mask_logits.rows[mask]
    values = np.full((count, len(mask_logits.batch.texts[row])), np.nan, np.float32)
    others = [masks[each].position for each in masks_by_row(mask_logits)[row] if each != mask]
    values[:, others] = 0
    return values


def _attributions(tokens: Sequence[Explained], logprobs: FloatArray, values: FloatArray) -> list[Attribution]:
    return [
        Attribution(token.word, token.id, AttributionMethod.OCCLUSION, float(logprob), of_token, None)
        for token, logprob, of_token in zip(tokens, logprobs, values, strict=True)
    ]


def _variants(mask_logits: MaskLogits, masks: Sequence[MaskPredictions]) -> Iterator[Variant[_Occluded]]:
    """Yield each text that has masks, with each token of its content masked in turn."""
    session = mask_logits.session
    for row, indices in masks_by_row(mask_logits).items():
        text = mask_logits.batch.texts[row]
        places = [masks[index].position for index in indices]
        for position in content_positions(session, text):
            if position not in places:
                occluded = with_masks(text, (position,), session.mask_token_id)
                yield Variant(occluded, places, _Occluded(row, position))
