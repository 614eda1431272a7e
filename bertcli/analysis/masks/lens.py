"""The lens: the MLM head applied to the hidden states of every layer.

The logit lens applies it to the hidden states themselves (nostalgebraist 2020). The tuned lens first maps those of each
layer but the last by an affine translator, h + A h + b, that was trained to predict what the last layer predicts
(Belrose et al. 2023).
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from bertcli.analysis.masks.predictions import MaskLogits, top_predictions
from bertcli.analysis.masks.targets import Target, score_targets
from bertcli.checkpoints.find import BUNDLED_FOLDER
from bertcli.checkpoints.translators import (
    BUNDLED_LENS,
    StoredTranslators,
    head_probe,
    read_translators,
    wrong_translators,
)
from bertcli.choices import LensMethod, TargetScore
from bertcli.errors import WrongUsage
from bertcli.lazy_dataclass import dataclass
from bertcli.model.finite import check_finite
from bertcli.model.ops.base import Array, Linear
from bertcli.model.ops.numpy_ops import widen
from bertcli.model.session import Session
from bertcli.quoting import printable_name
from bertcli.results.masks import LensLayer, MaskPredictions

# Correlation of the head's logits with those in a file of translators, below which the file is for another model.
# Rounding to bfloat16 leaves it above 0.999.
_MIN_CORRELATION = 0.99


@dataclass(frozen=True, slots=True)
class Translators:
    """Translators in the backend's arrays.

    Attributes:
        linears: A and b for each hidden state but the last.
        name: Name of the file, for messages.
    """

    linears: Sequence[Linear]
    name: str


@dataclass(frozen=True, slots=True)
class Lens:
    """Analysis that predicts each mask from every layer. It needs all hidden states, those of the embeddings too.

    Attributes:
        top_k: Number of predictions for each layer.
        targets: Words of one piece to score at each layer, or None.
        translators: The translators of the tuned lens, or None for the logit lens.
    """

    top_k: int
    targets: Sequence[Target] | None
    translators: Translators | None = None

    def __call__(self, mask_logits: MaskLogits, masks: Sequence[MaskPredictions]) -> list[MaskPredictions]:
        """Return the masks with an entry for each layer."""
        layers: list[list[LensLayer]] = [[] for _ in masks]
        for layer in range(len(mask_logits.hidden_states)):
            logits = self._logits(mask_logits, layer)
            found = top_predictions(mask_logits, logits, self.top_k)
            scored = None
            if self.targets is not None:
                scored = score_targets(mask_logits, logits, self.targets, TargetScore.L2R)
            for mask, predictions in enumerate(found):
                layers[mask].append(LensLayer(layer, predictions, None if scored is None else scored[mask]))
        method = LensMethod.RAW if self.translators is None else LensMethod.TUNED
        return [replace(mask, lens=each, lens_method=method) for mask, each in zip(masks, layers, strict=True)]

    def _logits(self, mask_logits: MaskLogits, layer: int) -> Array:
        """Return the logits of a layer, (masks, vocab). Raises NotFinite if its translator makes them overflow."""
        engine, hidden = mask_logits.session.engine, mask_logits.hidden_states[layer]
        if layer == len(mask_logits.hidden_states) - 1:
            return engine.mlm_logits(hidden)
        if self.translators is None:
            return engine.mlm_logits(hidden, is_last=False)
        with engine.ops.inference_mode():
            hidden = hidden + engine.ops.linear(hidden, self.translators.linears[layer])
        logits = engine.mlm_logits(hidden, is_last=False)
        model = mask_logits.session.checkpoint.name
        check_finite(engine, [hidden, logits], f"{model} with the translators in {self.translators.name}")
        return logits


def open_translators(session: Session, method: LensMethod, file: str | None) -> Translators | None:
    """Return the translators of a lens, or None for the logit lens.

    Args:
        session: The open checkpoint.
        method: The lens. AUTO is the tuned lens if the model is the bundled one or there is a file.
        file: A file of translators, or None for those of the bundled model.

    Raises:
        WrongUsage: There are no translators for the model, or the file cannot be read or does not fit the model.
    """
    has_own = session.checkpoint.folder.resolve() == BUNDLED_FOLDER.resolve()
    if method == LensMethod.TUNED and file is None and not has_own:
        raise WrongUsage(
            f"--lens tuned needs translators, and there are none for {session.checkpoint.name}",
            hint="add --lens-file FILE with translators for it, or use --lens raw",
        )
    if method == LensMethod.RAW or (file is None and not has_own):
        return None
    config = session.config
    path = BUNDLED_LENS if file is None else Path(file)
    stored = read_translators(path, config.num_hidden_layers, config.hidden_size, config.vocab_size)
    if file is not None:
        _check_values(stored, session)
    ops = session.engine.ops
    # In float32, since NumpyOps keeps a copy of any other matrix as long as the checkpoint is open.
    linears = [
        ops.prepare_linear(Linear(ops.load_matrix(widen(weight)), ops.load_vector(widen(bias))))
        for weight, bias in zip(stored.weights, stored.biases, strict=True)
    ]
    return Translators(linears, printable_name(path))


def _check_values(stored: StoredTranslators, session: Session) -> None:
    """Check that translators are finite, and that they were made for the model. Raises WrongUsage."""
    engine = session.engine
    ops = engine.ops
    for raw in (stored.head_logits, *stored.weights, *stored.biases):
        if not np.isfinite(widen(raw)).all():
            raise wrong_translators(stored.path, "holds infinities or NaN")
    logits = engine.mlm_logits(ops.load_vector(head_probe(session.config.hidden_size)))
    found, expected = ops.to_numpy(logits)[0], widen(stored.head_logits)
    with np.errstate(all="ignore"):  # constants have no correlation
        fits = found.shape == expected.shape and np.corrcoef(found, expected)[0, 1] >= _MIN_CORRELATION
    if not fits:
        raise wrong_translators(stored.path, f"was made for another model than {session.checkpoint.name}")
