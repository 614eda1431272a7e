"""Choice of the tokens to hide from the model, and of their replacements."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from tools.bundled_model.settings import Masking

Array = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class SpecialIds:
    """The ids of the special tokens, and the size of the vocabulary."""

    cls: int
    sep: int
    mask: int
    pad: int
    unknown: int
    vocabulary: int

    @property
    def unmaskable(self) -> list[int]:
        """The ids that are never hidden and never replace a hidden token."""
        return [self.cls, self.sep, self.mask, self.pad, self.unknown]


@dataclass(frozen=True, slots=True)
class Masked:
    """The input ids of a batch, some of them hidden.

    positions are the indices of the hidden tokens in the flattened batch, labels their original ids.
    """

    input_ids: Array
    positions: Array
    labels: Array


def special_ids(tokenizer: Tokenizer) -> SpecialIds:
    """Return the special ids of a BERT tokenizer."""
    ids = tokenizer.get_vocab()
    return SpecialIds(
        cls=ids["[CLS]"],
        sep=ids["[SEP]"],
        mask=ids["[MASK]"],
        pad=ids["[PAD]"],
        unknown=ids["[UNK]"],
        vocabulary=len(ids),
    )


def mask_for_training(input_ids: Array, special: SpecialIds, settings: Masking, rng: np.random.Generator) -> Masked:
    """Hide a share of the tokens: most become [MASK], some become a random token, some stay as they are."""
    positions = draw_positions(input_ids, special, settings.train, rng)
    hidden = input_ids.flatten()
    labels = hidden[positions]
    way = rng.random(len(positions))
    as_mask = way < settings.as_mask
    as_random = ~as_mask & (way < settings.as_mask + settings.as_random)
    allowed = np.setdiff1d(np.arange(special.vocabulary), special.unmaskable)
    hidden[positions[as_mask]] = special.mask
    hidden[positions[as_random]] = rng.choice(allowed, int(as_random.sum()))
    return Masked(hidden.reshape(input_ids.shape), positions, labels)


def mask_for_evaluation(input_ids: Array, special: SpecialIds, share: float, rng: np.random.Generator) -> Masked:
    """Replace a share of the tokens by [MASK], as a user does."""
    positions = draw_positions(input_ids, special, share, rng)
    hidden = input_ids.flatten()
    labels = hidden[positions]
    hidden[positions] = special.mask
    return Masked(hidden.reshape(input_ids.shape), positions, labels)


def draw_positions(input_ids: Array, special: SpecialIds, share: float, rng: np.random.Generator) -> Array:
    """Draw a share of the maskable positions of a flattened batch, at least one if there is any. Return them sorted."""
    maskable = np.flatnonzero(~np.isin(input_ids, special.unmaskable))
    count = min(len(maskable), max(1, round(share * len(maskable))))
    return np.sort(rng.choice(maskable, count, replace=False))
