"""What a page about attention holds of each text: everything, layer by layer, in one forward pass.

A layer is handed to `encode` as float32 and let go of before the next one is computed, so that what is kept of it, and
how small, is for the page to say.
"""

from collections.abc import Callable, Sequence
from typing import Any, Generic

from bertcli.analysis.attention.maps import Rollout
from bertcli.analysis.attention.statistics import head_statistics, mark, named
from bertcli.analysis.masks.predictions import MaskLogits, candidates, mask_places
from bertcli.model.batching import Batch
from bertcli.model.engine import ObservedAttention, OutputRequest
from bertcli.model.ops.base import Array
from bertcli.model.session import Session, text_info
from bertcli.model.tokenizer import TokenizedText
from bertcli.results.attention import AttentionOfLayer, AttnPageRecord, HeadStatistics, KeptLayer
from bertcli.results.masks import MaskPredictions

_CANDIDATES = 10  # for each mask


def attend_for_page(
    session: Session, batch: Batch, encode: Callable[[AttentionOfLayer], KeptLayer]
) -> list[AttnPageRecord[KeptLayer]]:
    """For each text of the batch its layers as `encode` made them, the statistics of all heads, and its masks.

    The masks are answered where the checkpoint has an MLM head.
    """
    rows, columns = mask_places(batch, session.tokenizer.mask_token_id)
    places = (rows, columns) if session.has_mlm_head and len(rows) else None
    observer = _Observer(session, batch, encode)
    logits = session.run(batch, OutputRequest(logits_at=places, on_attention=observer.observe)).logits
    masks: list[list[MaskPredictions]] = [[] for _ in batch.texts]
    if places is not None:
        _answer_masks(session, batch, places, logits, masks)
    return [
        AttnPageRecord(
            text_info(text), _sentences(session, text), observer.statistics[row], observer.layers[row], masks[row]
        )
        for row, text in enumerate(batch.texts)
    ]


class _Observer(Generic[KeptLayer]):
    """Takes what the page holds of each layer. layers, statistics: by the text's row."""

    def __init__(self, session: Session, batch: Batch, encode: Callable[[AttentionOfLayer], KeptLayer]) -> None:
        self._ops, self._encode, self._texts = session.engine.ops, encode, batch.texts
        self._marks = mark(self._ops, batch, session.tokenizer)
        self._rollout = Rollout(self._ops)
        self.layers: list[list[KeptLayer]] = [[] for _ in batch.texts]
        self.statistics: list[list[HeadStatistics]] = [[] for _ in batch.texts]

    def observe(self, attention: ObservedAttention) -> None:
        ops = self._ops
        weights = ops.to_float32(attention.weights)
        numbers = ops.to_numpy(head_statistics(ops, weights, self._marks))
        self._rollout.observe(weights)
        rollout = self._rollout.matrices()
        weights = ops.to_numpy(weights)
        query, key = (None if x is None else ops.to_numpy(ops.to_float32(x)) for x in (attention.query, attention.key))
        for row, text in enumerate(self._texts):
            size = len(text)
            own = AttentionOfLayer(
                attention.layer,
                weights[row, :, :size, :size],
                rollout[row, :size, :size],
                None if query is None else query[row, :, :size],
                None if key is None else key[row, :, :size],
            )
            self.layers[row].append(self._encode(own))
            heads = enumerate(numbers[row])
            self.statistics[row] += [named(attention.layer, head, of_head) for head, of_head in heads]


def _answer_masks(
    session: Session, batch: Batch, places: tuple[Any, ...], logits: Array, masks: Sequence[list[MaskPredictions]]
) -> None:
    """Put the candidates for each mask into its text's list. logits: (masks, vocab)."""
    rows, columns = places
    asked = MaskLogits(session, batch, rows, columns, logits)
    found = candidates(asked, logits, min(_CANDIDATES, session.config.vocab_size))
    for row, column, predictions in zip(rows.tolist(), columns.tolist(), found, strict=True):
        masks[row].append(MaskPredictions(column, predictions))


def _sentences(session: Session, text: TokenizedText) -> Sequence[int]:
    """0 for each token of sentence A, 1 for each of B; empty where there is no B."""
    if text.record.pair is None:
        return ()
    if any(text.token_type_ids):
        return text.token_type_ids
    # Without token types sentence A ends where the first separator does.
    ids = list(text.input_ids)
    sep = session.tokenizer.sep_token_id
    end = ids.index(sep) + 1 if sep in ids else len(ids)
    return [int(position >= end) for position in range(len(ids))]
