"""How a prediction forms: the MLM head applied to the hidden states of every layer (nostalgebraist 2020)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bertcli.analysis.masks.predictions import MaskLogits, candidates
from bertcli.analysis.masks.targets import L2R, Target, score_targets
from bertcli.errors import WrongUsage
from bertcli.results.masks import LensLayer, MaskPredictions


@dataclass(frozen=True, slots=True)
class Lens:
    """The addition that reads every layer. It needs the states of all, the embeddings' among them."""

    top_k: int
    targets: Sequence[Target] | None

    def __call__(self, asked: MaskLogits, masks: Sequence[MaskPredictions]) -> list[MaskPredictions]:
        """The masks with an entry for each layer."""
        layers: list[list[LensLayer]] = [[] for _ in masks]
        for layer, hidden in enumerate(asked.hidden_states):
            is_last = layer == len(asked.hidden_states) - 1
            logits = asked.session.engine.mlm_logits(hidden, is_last=is_last)
            found = candidates(asked, logits, self.top_k)
            scored = None if self.targets is None else score_targets(asked, logits, self.targets, L2R)
            for at, predictions in enumerate(found):
                layers[at].append(LensLayer(layer, predictions, None if scored is None else scored[at]))
        return [replace(mask, lens=of_mask) for mask, of_mask in zip(masks, layers, strict=True)]


def check_single(targets: Sequence[Target]) -> None:
    """Raise WrongUsage for a target of several pieces, which would need another text for each layer to be read from."""
    for target in targets:
        if len(target.ids) > 1:
            raise WrongUsage(
                f"--lens follows the rank of one piece, and the target {target.word!r} has {len(target.ids)} "
                f"({' '.join(target.pieces)})",
                hint="give targets of one piece, or leave --lens out",
            )
