"""What every engine does for a batch, and the one that does it with bertcli's own forward pass."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from types import EllipsisType
from typing import Literal, Protocol

import numpy as np

from bertcli.checkpoints.config import BertConfig
from bertcli.model import bert
from bertcli.model.batching import Batch, position_ids
from bertcli.model.ops.base import Array, IntArray, Linear, Ops
from bertcli.model.weights import BertWeights


@dataclass(frozen=True, slots=True)
class LayerAttention:
    """What an engine shows of a layer. weights: (batch, heads, seq, seq), from query to key.

    query, key, value: (batch, heads, seq, head_size); None from transformers, whose classes keep them to themselves.
    """

    layer: int
    weights: Array
    query: Array | None = None
    key: Array | None = None
    value: Array | None = None


# Called with each layer's in turn, which is dropped afterwards.
AttentionObserver = Callable[[LayerAttention], None]
ProjectionName = Literal["value", "output"]
# (rows, columns) of some positions in the batch, or ... for all of them.
Positions = tuple[IntArray, IntArray] | EllipsisType


@dataclass(frozen=True, slots=True)
class OutputRequest:
    """What is to be computed beside last_hidden_state; nothing else is.

    hidden_states: indices from 0 (the embeddings) to num_hidden_layers. last_layer: the last one that anything is
    requested of, where that is attention alone; what comes after its weights need not be run.
    """

    pooler_output: bool = False
    next_sentence: bool = False
    hidden_states: Sequence[int] = ()
    logits_at: Positions | None = None
    on_attention: AttentionObserver | None = None
    last_layer: int | None = None


@dataclass(frozen=True, slots=True)
class ModelOutput:
    """Arrays of the backend. last_hidden_state: (batch, seq, hidden), of the last layer that was run to its end.

    pooler_output: (batch, hidden).

    next_sentence_logits: (batch, 2), that B follows A and that it does not. hidden_states: those requested,
    in that order. logits: (n, vocab) for n positions, (batch, seq, vocab) for all.
    """

    last_hidden_state: Array
    pooler_output: Array | None = None
    next_sentence_logits: Array | None = None
    hidden_states: Sequence[Array] = field(default=())
    logits: Array | None = None


class Engine(Protocol):
    """Runs batches through one checkpoint."""

    name: str
    ops: Ops
    # Whether texts of several lengths run without their padding, where attention itself is not requested.
    supports_packing: bool

    def run(self, batch: Batch, requested: OutputRequest) -> ModelOutput:
        """The outputs that are requested for the batch."""

    def projection(self, layer: int, which: ProjectionName) -> Linear:
        """A layer's projection before its heads (value) or after them (output), each (hidden, hidden), in float32."""

    def mlm_logits(self, hidden: Array, *, is_last: bool = True) -> Array:
        """What the MLM head makes of hidden states, whichever layer's they are: (n, hidden) to (n, vocab).

        is_last: they are the last layer's, which some architectures norm once more.
        """


class BertEngine:
    """bertcli's own forward pass over numpy or torch."""

    def __init__(self, name: str, ops: Ops, config: BertConfig, weights: BertWeights) -> None:
        self.name, self.ops, self.supports_packing = name, ops, ops.supports_packing
        self._config, self._weights = config, weights
        self._projections: dict[tuple[int, str], Linear] = {}

    def run(self, batch: Batch, requested: OutputRequest) -> ModelOutput:
        with self.ops.computing():
            last, kept = self._encode(batch, requested)
            pooled = next_sentence_logits = logits = None
            if requested.pooler_output or requested.next_sentence:
                pooled = bert.pooler_output(self.ops, self._weights.pooler, last)
            if requested.next_sentence:
                next_sentence_logits = bert.next_sentence_logits(self.ops, self._weights.next_sentence_head, pooled)
            if requested.logits_at is not None:
                logits = self.mlm_logits(last[on_device(self.ops, requested.logits_at)])
            hidden_states = [kept[index] for index in requested.hidden_states]
            return ModelOutput(last, pooled, next_sentence_logits, hidden_states, logits)

    def projection(self, layer: int, which: ProjectionName) -> Linear:
        if (layer, which) not in self._projections:
            self._projections[layer, which] = self._weights.projection(layer, which)
        return self._projections[layer, which]

    def mlm_logits(self, hidden: Array, *, is_last: bool = True) -> Array:
        with self.ops.computing():
            return bert.mlm_logits(self.ops, self._weights.mlm_head, hidden, self._config)

    def _encode(self, batch: Batch, requested: OutputRequest) -> tuple[Array, dict[int, Array]]:
        # The weights of attention are looked at as rectangles.
        is_packed = self.supports_packing and batch.is_padded and requested.on_attention is None
        inputs = self._packed(batch) if is_packed else self._padded(batch)
        states = bert.hidden_states(
            self.ops, self._weights, self._config, inputs, requested.on_attention is not None, requested.last_layer
        )
        kept: dict[int, Array] = {}
        for index, (state, attention) in enumerate(states):
            if index in requested.hidden_states:
                kept[index] = self._unpack(state, batch) if is_packed else state
            if attention is not None and requested.on_attention is not None:
                shown = attention.weights, attention.query, attention.key, attention.value
                requested.on_attention(LayerAttention(index - 1, *shown))
                del shown
            del attention  # before the next layer's is made
        return self._unpack(state, batch) if is_packed else state, kept

    def _padded(self, batch: Batch) -> bert.Inputs:
        asarray = self.ops.asarray
        return bert.Inputs(
            asarray(batch.input_ids),
            asarray(batch.token_type_ids) if self._config.type_vocab_size else None,
            asarray(position_ids(batch.input_ids, self._config.first_position)),
            asarray(batch.attention_mask[:, None, None, :]) if batch.is_padded else None,
        )

    def _packed(self, batch: Batch) -> bert.Inputs:
        asarray, is_token = self.ops.asarray, batch.attention_mask
        positions = position_ids(batch.input_ids, self._config.first_position)
        return bert.Inputs(
            asarray(batch.input_ids[is_token]),
            asarray(batch.token_type_ids[is_token]) if self._config.type_vocab_size else None,
            asarray(np.broadcast_to(positions, batch.shape)[is_token]),
            mask=None,
            blocks=list(_blocks(is_token.sum(-1).tolist())),
        )

    def _unpack(self, packed: Array, batch: Batch) -> Array:
        rows, columns = map(self.ops.asarray, batch.attention_mask.nonzero())
        return self.ops.unpack(packed, rows, columns, batch.shape)


def _blocks(lengths: Sequence[int]) -> Iterator[bert.Block]:
    """Neighbours of one length together."""
    start = 0
    for length, texts in groupby(lengths):
        count = len(list(texts))
        yield bert.Block(start, count, length)
        start += count * length


def on_device(ops: Ops, positions: Positions) -> tuple[Array, Array] | EllipsisType:
    """The positions as the backend indexes with them."""
    return positions if isinstance(positions, EllipsisType) else (ops.asarray(positions[0]), ops.asarray(positions[1]))
