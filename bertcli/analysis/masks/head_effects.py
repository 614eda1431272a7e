"""The effect of each attention head on a prediction: the change of its log-probability when the head is switched off.

A head that is switched off adds nothing to its layer (Michel et al. 2019). A run without head h of layer l differs from
the run of the whole model only from layer l on. So the hidden states of the whole model are computed once, and each
run without a head starts at the head's layer. The runs of a text are the rows of a batch, which grows from layer to
layer: on average, this is half of the work of whole runs.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product

import numpy as np

from bertcli.analysis.masks.explained import Explained, explained_tokens, logprobs_by_row, logprobs_of, masks_by_row
from bertcli.analysis.masks.predictions import MaskLogits
from bertcli.analysis.masks.targets import Target
from bertcli.lazy_dataclass import dataclass
from bertcli.model.ablation import Head
from bertcli.model.batching import pad
from bertcli.model.engine import OutputRequest
from bertcli.model.finite import check_finite
from bertcli.model.session import Session
from bertcli.model.tokenizer import TokenizedText
from bertcli.results.masks import HeadEffects, MaskPredictions
from bertcli.results.texts import FloatArray


@dataclass(frozen=True, slots=True)
class HeadEffectsAnalysis:
    """Analysis that adds the effects of all heads on the top prediction of each mask, or on each target.

    Attributes:
        targets: Targets of one piece, or None for the top prediction.
        layers: Numbers of the layers of the heads, in ascending order, or None for all.
    """

    targets: Sequence[Target] | None = None
    layers: Sequence[int] | None = None

    def __call__(self, mask_logits: MaskLogits, masks: Sequence[MaskPredictions]) -> list[MaskPredictions]:
        """Return the masks with the effects of heads."""
        found = list(masks)
        for row, indices in masks_by_row(mask_logits).items():
            explained = [explained_tokens(masks[index], self.targets) for index in indices]
            positions = [masks[index].position for index in indices]
            text = mask_logits.batch.texts[row]
            effects = head_effects(mask_logits.session, text, positions, explained, self.layers)
            for index, of_mask in zip(indices, effects, strict=True):
                found[index] = replace(masks[index], head_effects=of_mask)
        return found


def head_effects(
    session: Session,
    text: TokenizedText,
    positions: Sequence[int],
    explained: Sequence[Sequence[Explained]],
    layers: Sequence[int] | None = None,
) -> list[list[HeadEffects]]:
    """Compute the effect of each head of the model on tokens in the masks of one text.

    Args:
        session: The open checkpoint, on an engine of bertcli's own.
        text: The text.
        positions: Positions of its masks.
        explained: For each mask, the tokens.
        layers: Numbers of the layers of the heads, in ascending order, or None for all.

    Returns:
        For each mask, the effects on each of its tokens.

    Raises:
        NotFinite: An output holds an infinity or NaN.
    """
    config = session.config
    batch = pad([text], session.tokenizer.pad_token_id)
    places = np.zeros(len(positions), np.int64), np.array(positions)
    request = OutputRequest(hidden_states=range(config.num_hidden_layers), logits_at=places)
    whole = session.run(batch, request)
    ids = [[token.id for token in tokens] for tokens in explained]
    before = logprobs_by_row(session.engine.ops, whole.logits, ids)
    layers = range(config.num_hidden_layers) if layers is None else layers
    heads = [Head(*place) for place in product(layers, range(config.num_attention_heads))]
    after: list[list[FloatArray]] = [[] for _ in positions]
    with session.engine.ops.inference_mode():
        for part in _parts(heads, session.batch_tokens // len(text)):
            last = session.engine.last_states_without(batch, whole.hidden_states, part)  # (heads, seq, hidden)
            for mask, position in enumerate(positions):
                logits = session.engine.mlm_logits(last[:, position])
                check_finite(session.engine, [logits], session.checkpoint.name)
                after[mask].append(logprobs_of(session.engine.ops, logits, ids[mask]))
    shape = len(layers), config.num_attention_heads
    return [
        [
            HeadEffects(token.word, token.id, float(logprob), (column - logprob).reshape(shape))
            for token, logprob, column in zip(tokens, before[mask], np.concatenate(after[mask]).T, strict=True)
        ]
        for mask, tokens in enumerate(explained)
    ]


def _parts(heads: Sequence[Head], size: int) -> Iterator[Sequence[Head]]:
    """Yield the heads in parts of at most that size, and at least one."""
    step = max(size, 1)
    for start in range(0, len(heads), step):
        yield heads[start : start + step]
