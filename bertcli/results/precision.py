"""Results of the comparison of a run in reduced precision with float32."""

from collections.abc import Sequence
from dataclasses import field

from bertcli.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class TextDistance:
    """Distance of the outputs of one text from those in float32.

    Attributes:
        cosine: Cosine of its two vectors.
        same_top: For each compared mask, True if both precisions have the same most probable token.
        max_difference: Largest difference between the probabilities of a token, over all tokens and masks.
    """

    cosine: float
    same_top: Sequence[bool] = field(default=())
    max_difference: float = 0.0


@dataclass(frozen=True, slots=True)
class Precision:
    """Distance of a run from float32, measured on a sample of its own texts.

    Attributes:
        texts: Number of texts that were computed in float32 too.
        mean_cosine: Mean cosine of a text's vector to that of float32. The vector is the embedding if the command makes
            embeddings, else the mean of last_hidden_state.
        min_cosine: The smallest of these cosines.
        masks: Number of masks in these texts, None if no prediction was compared.
        same_top: Share of masks with the same most probable token.
        max_difference: Largest difference between the probabilities of a token, over all tokens and masks.
    """

    texts: int
    mean_cosine: float
    min_cosine: float
    masks: int | None = None
    same_top: float | None = None
    max_difference: float | None = None
