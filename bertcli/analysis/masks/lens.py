"""The logit lens: the MLM head applied to the hidden states of every layer (nostalgebraist 2020)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bertcli.analysis.masks.predictions import MaskLogits, top_predictions
from bertcli.analysis.masks.targets import Target, score_targets
from bertcli.choices import TargetScore
from bertcli.results.masks import LensLayer, MaskPredictions


@dataclass(frozen=True, slots=True)
class LogitLens:
    """Analysis that predicts each mask from every layer. It needs all hidden states, those of the embeddings too.

    Attributes:
        top_k: Number of predictions for each layer.
        targets: Words of one piece to score at each layer, or None.
    """

    top_k: int
    targets: Sequence[Target] | None

    def __call__(self, mask_logits: MaskLogits, masks: Sequence[MaskPredictions]) -> list[MaskPredictions]:
        """Return the masks with an entry for each layer."""
        layers: list[list[LensLayer]] = [[] for _ in masks]
        for layer, hidden in enumerate(mask_logits.hidden_states):
            is_last = layer == len(mask_logits.hidden_states) - 1
            logits = mask_logits.session.engine.mlm_logits(hidden, is_last=is_last)
            found = top_predictions(mask_logits, logits, self.top_k)
            scored = None
            if self.targets is not None:
                scored = score_targets(mask_logits, logits, self.targets, TargetScore.L2R)
            for mask, predictions in enumerate(found):
                layers[mask].append(LensLayer(layer, predictions, None if scored is None else scored[mask]))
        return [replace(mask, lens=of_mask) for mask, of_mask in zip(masks, layers, strict=True)]
