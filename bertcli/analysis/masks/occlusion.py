"""Occlusion (Zeiler and Fergus 2014): how much a prediction loses when one token of the text is replaced by the mask.

The value of a token is ln p(target) in the text minus ln p(target) with the token masked: positive for a token that
supports the target. [CLS], [SEP] and the mask itself have none. Another mask of the text has 0, since nothing changes.
All tokens of a word can be masked together instead. Each of them then has the value of the word.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby

import numpy as np

from bertcli.analysis.masks.explained import Explained, explained_tokens, logprobs_by_row, masks_by_row
from bertcli.analysis.masks.predictions import MaskLogits
from bertcli.analysis.masks.targets import Target
from bertcli.analysis.masks.variants import Variant, content_positions, run_variants, with_masks
from bertcli.choices import AttributionMethod
from bertcli.lazy_dataclass import dataclass
from bertcli.model.tokenizer import TokenizedText
from bertcli.results.masks import Attribution, MaskPredictions
from bertcli.results.texts import FloatArray


@dataclass(frozen=True, slots=True)
class _Occluded:
    """A text with one token or word masked: the row of the text in its batch, and the positions that are masked."""

    row: int
    positions: Sequence[int]


@dataclass(frozen=True, slots=True)
class Occlusion:
    """Analysis that attributes the top prediction of each mask, or each target, to the tokens of the text.

    Attributes:
        targets: Targets of one piece, or None for the top prediction.
        words: Mask the tokens of each word together.
    """

    targets: Sequence[Target] | None = None
    words: bool = False

    def __call__(self, mask_logits: MaskLogits, masks: Sequence[MaskPredictions]) -> list[MaskPredictions]:
        """Return the masks with their attributions."""
        session, by_row = mask_logits.session, masks_by_row(mask_logits)
        ops = session.engine.ops
        explained = [explained_tokens(mask, self.targets) for mask in masks]
        ids = [[token.id for token in tokens] for tokens in explained]
        before = logprobs_by_row(ops, mask_logits.logits, ids)
        values = [_no_values(mask_logits, masks, mask, len(each)) for mask, each in enumerate(ids)]
        for run, logits in run_variants(session, self._variants(mask_logits, masks)):
            # The logits of a variant are those of all masks of its text.
            places = [(mask, variant.about.positions) for variant in run for mask in by_row[variant.about.row]]
            after = logprobs_by_row(ops, logits, [ids[mask] for mask, _ in places])
            for (mask, positions), logprobs in zip(places, after, strict=True):
                values[mask][:, positions] = (before[mask] - logprobs)[:, None]
        return [
            replace(mask, attributions=_attributions(*found))
            for mask, *found in zip(masks, explained, before, values, strict=True)
        ]

    def _variants(self, mask_logits: MaskLogits, masks: Sequence[MaskPredictions]) -> Iterator[Variant[_Occluded]]:
        """Yield each text that has masks, with each token or word of its content masked in turn."""
        session = mask_logits.session
        for row, indices in masks_by_row(mask_logits).items():
            text = mask_logits.batch.texts[row]
            places = [masks[index].position for index in indices]
            content = [position for position in content_positions(session, text) if position not in places]
            for positions in self._groups(text, content):
                yield Variant(with_masks(text, positions, session.mask_token_id), places, _Occluded(row, positions))

    def _groups(self, text: TokenizedText, positions: Sequence[int]) -> Iterator[Sequence[int]]:
        """Yield the positions that are masked together. A token that is in no word is one of its own."""
        for _, group in groupby(positions, lambda at: (self.words and text.words[at]) or at):
            yield tuple(group)


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
