"""Attention of each text for the HTML page: every head of the page's layers, from one forward pass.

Each layer goes to an encoder as float32 and is freed before the next layer is computed. The page decides what to keep
of it and how to compress it.
"""

from collections.abc import Callable, Sequence
from typing import Any, Generic

from bertcli.analysis.attention.maps import Rollout
from bertcli.analysis.attention.statistics import describe_heads, head_statistics, statistic_inputs
from bertcli.analysis.masks.predictions import MaskAnalysis, MaskLogits, mask_coordinates, top_predictions
from bertcli.model.batching import Batch
from bertcli.model.engine import ObservedAttention, OutputRequest
from bertcli.model.ops.base import Array
from bertcli.model.session import Session
from bertcli.model.text_info import text_info, utf16_spans
from bertcli.model.tokenizer import TokenizedText
from bertcli.results.attention import AttentionOfLayer, AttnPageRecord, HeadStatistics, KeptLayer
from bertcli.results.masks import MaskPredictions

_PREDICTIONS = 10  # for each mask


def compute_page_attention(
    session: Session,
    batch: Batch,
    encode: Callable[[AttentionOfLayer], KeptLayer],
    layers: Sequence[int] | None = None,
    analyses: Sequence[MaskAnalysis] = (),
) -> list[AttnPageRecord[KeptLayer]]:
    """Compute the layers, the statistics of all heads, and the mask predictions of each text of a batch.

    Args:
        session: The open checkpoint.
        batch: The texts.
        encode: Function that returns what the page keeps of a layer of one text.
        layers: Numbers of the layers that the page holds, in ascending order. None for all.
        analyses: Analyses of each mask after its prediction, in the order in which they run.

    Returns:
        A record for each text. Masks are predicted only if the checkpoint has an MLM head.
    """
    layers = range(session.config.num_hidden_layers) if layers is None else layers
    rows, columns = mask_coordinates(batch, session.tokenizer.mask_token_id)
    masks_at = (rows, columns) if session.has_mlm_head and len(rows) else None
    observer = _Observer(session, batch, encode, layers)
    last_layer = layers[-1] if masks_at is None else None
    request = OutputRequest(logits_at=masks_at, on_attention=observer.observe, last_layer=last_layer)
    logits = session.run(batch, request).logits
    masks: list[list[MaskPredictions]] = [[] for _ in batch.texts]
    if masks_at is not None:
        for row, mask in zip(rows.tolist(), _predict_masks(session, batch, masks_at, logits, analyses), strict=True):
            masks[row].append(mask)
    return [
        AttnPageRecord(
            text_info(text),
            _sentences(session, text),
            observer.statistics[row],
            observer.layers[row],
            masks[row],
            utf16_spans(text, session.tokenizer),
        )
        for row, text in enumerate(batch.texts)
    ]


class _Observer(Generic[KeptLayer]):
    """Observer that encodes each layer and keeps the statistics of its heads.

    Attributes:
        layers: The encoded layers of each text, by its row.
        statistics: The statistics of all heads of each text, by its row.
    """

    def __init__(
        self,
        session: Session,
        batch: Batch,
        encode: Callable[[AttentionOfLayer], KeptLayer],
        layer_numbers: Sequence[int],
    ) -> None:
        self._ops, self._encode, self._texts = session.engine.ops, encode, batch.texts
        self._layer_numbers = layer_numbers
        self._inputs = statistic_inputs(self._ops, batch, session.tokenizer)
        self._rollout = Rollout(self._ops)
        self.layers: list[list[KeptLayer]] = [[] for _ in batch.texts]
        self.statistics: list[list[HeadStatistics]] = [[] for _ in batch.texts]

    def observe(self, attention: ObservedAttention) -> None:
        """Encode the next layer of each text, if the page holds it. The rollout goes through all layers below."""
        if attention.layer > self._layer_numbers[-1]:
            return
        ops = self._ops
        weights = ops.to_float32(attention.weights)
        self._rollout.observe(weights)
        if attention.layer not in self._layer_numbers:
            return
        values = ops.to_numpy(head_statistics(ops, weights, self._inputs))
        rollout = self._rollout.matrices()
        weights = ops.to_numpy(weights)
        query, key = (None if x is None else ops.to_numpy(ops.to_float32(x)) for x in (attention.query, attention.key))
        for row, text in enumerate(self._texts):
            size = len(text)
            layer = AttentionOfLayer(
                self._layer_numbers.index(attention.layer),
                weights[row, :, :size, :size],
                rollout[row, :size, :size],
                None if query is None else query[row, :, :size],
                None if key is None else key[row, :, :size],
            )
            self.layers[row].append(self._encode(layer))
            self.statistics[row] += describe_heads(attention.layer, range(len(values[row])), values[row], size)


def _predict_masks(
    session: Session, batch: Batch, masks_at: tuple[Any, Any], logits: Array, analyses: Sequence[MaskAnalysis]
) -> Sequence[MaskPredictions]:
    """Return the predictions for each mask.

    Args:
        session: The open checkpoint.
        batch: The texts.
        masks_at: Rows and columns of the masks.
        logits: (masks, vocab).
        analyses: Analyses of each mask after its prediction.
    """
    rows, columns = masks_at
    mask_logits = MaskLogits(session, batch, rows, columns, logits)
    found = top_predictions(mask_logits, logits, min(_PREDICTIONS, session.config.vocab_size))
    masks: Sequence[MaskPredictions] = list(map(MaskPredictions, columns.tolist(), found))
    for analysis in analyses:
        masks = analysis(mask_logits, masks)
    return masks


def _sentences(session: Session, text: TokenizedText) -> Sequence[int]:
    """Return 0 for each token of sentence A and 1 for each token of B, or nothing if there is no B."""
    if text.record.pair is None:
        return ()
    if any(text.token_type_ids):
        return text.token_type_ids
    # In architectures without token types, sentence A ends at the first separator.
    ids = list(text.input_ids)
    sep = session.tokenizer.sep_token_id
    end = ids.index(sep) + 1 if sep in ids else len(ids)
    return [int(position >= end) for position in range(len(ids))]
