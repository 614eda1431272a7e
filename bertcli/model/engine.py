"""The engine interface, and the engine that runs bertcli's own forward pass of BERT."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import field, replace
from functools import cache, partial
from itertools import groupby
from types import EllipsisType
from typing import Literal, Protocol

import numpy as np

from bertcli.checkpoints.config import BertConfig, ModelConfig
from bertcli.checkpoints.heads import TaskHead
from bertcli.lazy_dataclass import dataclass
from bertcli.model import bert
from bertcli.model.ablation import Head, context_masks, features_of
from bertcli.model.batching import Batch, position_ids
from bertcli.model.heads import head_logits, load_head
from bertcli.model.ops.base import Array, IntArray, Linear, Ops
from bertcli.model.weights import BertWeights


@dataclass(frozen=True, slots=True)
class ObservedAttention:
    """The attention of one layer, as an engine passes it to an AttentionObserver.

    weights is (batch, heads, seq, seq), from query to key. query, key and value are (batch, heads, seq, head_size), or
    None from the transformers engine: transformers' classes do not return them.
    """

    layer: int
    weights: Array
    query: Array | None = None
    key: Array | None = None
    value: Array | None = None


# Called once per layer, in order. The engine drops the arrays after the call.
AttentionObserver = Callable[[ObservedAttention], None]
ProjectionName = Literal["value", "output"]
# Positions in a batch as (rows, columns), or ... for all positions.
TokenPositions = tuple[IntArray, IntArray] | EllipsisType


@dataclass(frozen=True, slots=True)
class OutputRequest:
    """The outputs to compute beside last_hidden_state. Nothing else is computed.

    hidden_states lists indices from 0 (the embeddings) to num_hidden_layers. logits_at selects the positions whose MLM
    logits to compute. on_attention receives the attention of each layer. last_layer is for requests of attention alone:
    the last layer of interest. The engine may stop once it has that layer's attention. heads are the heads whose logits
    to compute. word_embeddings, (batch, seq, hidden), replace those of the ids of texts without padding. Only engines
    of bertcli's own take them.
    """

    pooler_output: bool = False
    next_sentence: bool = False
    hidden_states: Sequence[int] = ()
    logits_at: TokenPositions | None = None
    on_attention: AttentionObserver | None = None
    last_layer: int | None = None
    heads: Sequence[TaskHead] = ()
    word_embeddings: Array | None = None


@dataclass(frozen=True, slots=True)
class ModelOutput:
    """The outputs of one batch, as arrays of the backend.

    last_hidden_state is (batch, seq, hidden), from the last layer that was run to its end. pooler_output is
    (batch, hidden). next_sentence_logits is (batch, 2): B follows A, B does not. hidden_states holds the requested ones
    in the requested order. logits is (n, vocab) for n positions, or (batch, seq, vocab) for all. head_logits holds the
    logits of each requested head: (batch, n) for the text, or (batch, seq, n) for each token.
    """

    last_hidden_state: Array
    pooler_output: Array | None = None
    next_sentence_logits: Array | None = None
    hidden_states: Sequence[Array] = field(default=())
    logits: Array | None = None
    head_logits: Sequence[Array] = ()


class Engine(Protocol):
    """An engine runs batches through one checkpoint.

    supports_packing is True if the engine computes hidden states without those of the padding.
    """

    name: str
    ops: Ops
    supports_packing: bool

    def run(self, batch: Batch, request: OutputRequest) -> ModelOutput:
        """Run a batch and return the requested outputs."""

    def projection(self, layer: int, which: ProjectionName) -> Linear:
        """Return a layer's projection into the heads ("value") or out of them ("output").

        Returns:
            Its weight, (hidden, hidden), and bias, (hidden,), in float32.

        Raises:
            WrongUsage: The engine has no access to the projections.
        """

    def word_embeddings(self, ids: IntArray) -> Array:
        """Return the word embeddings of ids, (batch, seq, hidden).

        Raises:
            WrongUsage: The engine has no access to them.
        """

    def last_states_without(self, batch: Batch, states: Sequence[Array], heads: Sequence[Head]) -> Array:
        """Run a text once for each of some heads, with the head switched off, from the layer of the head on.

        Args:
            batch: The text alone.
            states: Its hidden states in the whole model, from the embeddings on: those that go into each layer.
            heads: The heads, sorted by layer.

        Returns:
            The last hidden states of each run, (heads, seq, hidden).

        Raises:
            WrongUsage: The engine cannot switch heads off.
        """

    def mlm_logits(self, hidden: Array, *, is_last: bool = True) -> Array:
        """Apply the MLM head to hidden states of any layer: (n, hidden) to (n, vocab).

        Args:
            is_last: True if they are the last layer's. Some architectures norm the last layer's states once more, so
                the engine then norms those of any other layer before the head.
        """


class OwnEngine(ABC):
    """An engine that runs one of bertcli's own forward passes, on numpy or torch, over padded or packed texts."""

    def __init__(self, name: str, ops: Ops, config: ModelConfig, ablated: Sequence[Head] = ()) -> None:
        """Prepare the engine.

        Args:
            name: Name of the engine.
            ops: The backend.
            config: The architecture of the checkpoint.
            ablated: Attention heads to switch off.
        """
        self.name, self.ops, self.supports_packing = name, ops, ops.supports_packing
        self._has_token_types, self._first_position = bool(config.type_vocab_size), config.first_position
        self._layer_count, self._head_count = config.num_hidden_layers, config.num_attention_heads
        masks = context_masks(ablated, config.num_attention_heads, config.hidden_size)
        self._context_masks = {layer: ops.load_vector(mask) for layer, mask in masks.items()}
        self._projections: dict[tuple[int, str], Linear] = {}

    def projection(self, layer: int, which: ProjectionName) -> Linear:
        """As in Engine. The columns of heads that are switched off are zero in the projection out of the heads."""
        if (layer, which) not in self._projections:
            linear = self._read_projection(layer, which)
            if which == "output" and layer in self._context_masks:
                linear = Linear(linear.weight * self._context_masks[layer], linear.bias)
            self._projections[layer, which] = linear
        return self._projections[layer, which]

    @abstractmethod
    def _read_projection(self, layer: int, which: ProjectionName) -> Linear:
        """Read a projection from the checkpoint, as plain float32 arrays."""

    @abstractmethod
    def _hidden_states(
        self, inputs: bert.Inputs, want_attention: bool, last_layer: int | None
    ) -> Iterator[tuple[Array, bert.Attention | None]]:
        """Yield each hidden state with the attention of the layer that made it, as bert.hidden_states does."""

    @abstractmethod
    def word_embeddings(self, ids: IntArray) -> Array:
        """As in Engine."""

    @abstractmethod
    def _run_layer(self, number: int, x: Array, inputs: bert.Inputs, context_mask: Array) -> Array:
        """Run one layer, and after the last one the norm that the architecture may have there.

        Args:
            number: The layer, from 0.
            x: Hidden states that go into it, (batch, seq, hidden).
            inputs: Inputs of texts that are all of the same length.
            context_mask: Factors of the context, (batch, 1, hidden).
        """

    def last_states_without(self, batch: Batch, states: Sequence[Array], heads: Sequence[Head]) -> Array:
        """As in Engine."""
        with self.ops.inference_mode():
            inputs = self._padded(batch)
            x = states[heads[0].layer][:0]  # no run yet
            for layer in range(heads[0].layer, self._layer_count):
                new = [head for of_layer, head in heads if of_layer == layer]
                # The rows of earlier runs have all heads of this layer.
                off: list[list[int]] = [*([] for _ in range(len(x))), *([head] for head in new)]
                x = self.ops.concatenate([x, *[states[layer]] * len(new)])
                mask = self.ops.load_vector(features_of(off, self._head_count, x.shape[-1])[:, None])
                if layer in self._context_masks:
                    mask = mask * self._context_masks[layer]
                x = self._run_layer(layer, x, inputs, mask)
            return x

    def _encode(self, batch: Batch, request: OutputRequest) -> tuple[Array, dict[int, Array]]:
        """Run the encoder. Return its last hidden state, and the requested hidden states by index."""
        is_uneven = batch.is_padded or self.ops.extra_tokens(batch.input_ids.size) > 0
        inputs = self._packed(batch) if self.supports_packing and is_uneven else self._padded(batch)
        if request.word_embeddings is not None:
            inputs = replace(inputs, word_embeddings=request.word_embeddings)
        states = self._hidden_states(inputs, request.on_attention is not None, request.last_layer)
        kept: dict[int, Array] = {}
        for index, (state, attention) in enumerate(states):
            if index in request.hidden_states:
                kept[index] = bert.unpack(self.ops, state, inputs.packing)
            if attention is not None and request.on_attention is not None:
                request.on_attention(
                    ObservedAttention(index - 1, attention.weights, attention.query, attention.key, attention.value)
                )
            del attention  # free it before the next layer computes its own
        return bert.unpack(self.ops, state, inputs.packing), kept

    def _padded(self, batch: Batch) -> bert.Inputs:
        asarray = self.ops.asarray
        return bert.Inputs(
            asarray(batch.input_ids),
            asarray(batch.token_type_ids) if self._has_token_types else None,
            asarray(position_ids(batch.input_ids, self._first_position)),
            self._mask(batch),
            context_masks=self._context_masks,
        )

    def _packed(self, batch: Batch) -> bert.Inputs:
        asarray, is_token = self.ops.asarray, batch.attention_mask
        positions = np.broadcast_to(position_ids(batch.input_ids, self._first_position), batch.shape)
        extra = self.ops.extra_tokens(int(is_token.sum()))
        input_ids, token_type_ids, positions = (
            np.pad(ids[is_token], (0, extra)) for ids in (batch.input_ids, batch.token_type_ids, positions)
        )
        return bert.Inputs(
            asarray(input_ids),
            asarray(token_type_ids) if self._has_token_types else None,
            asarray(positions),
            self._mask(batch),
            bert.Packing(list(_blocks(is_token.sum(-1).tolist())), batch.shape),
            self._context_masks,
        )

    def _mask(self, batch: Batch) -> Array | None:
        return self.ops.asarray(batch.attention_mask[:, None, None, :]) if batch.is_padded else None


class BertEngine(OwnEngine):
    """The engine that runs bertcli's own forward pass of BERT, on numpy or torch."""

    def __init__(
        self, name: str, ops: Ops, config: BertConfig, weights: BertWeights, ablated: Sequence[Head] = ()
    ) -> None:
        super().__init__(name, ops, config, ablated)
        self._config, self._weights = config, weights
        self._head_weights = cache(partial(load_head, weights))

    def run(self, batch: Batch, request: OutputRequest) -> ModelOutput:
        with self.ops.inference_mode():
            last, kept = self._encode(batch, request)
            pooled = next_sentence_logits = logits = None
            if request.pooler_output or request.next_sentence:
                pooled = bert.pooler_output(self.ops, self._weights.pooler, last)
            if request.next_sentence:
                next_sentence_logits = bert.next_sentence_logits(self.ops, self._weights.next_sentence_head, pooled)
            if request.logits_at is not None:
                logits = self.mlm_logits(last[backend_index(self.ops, request.logits_at)])
            hidden_states = [kept[index] for index in request.hidden_states]
            of_heads = [head_logits(self.ops, self._head_weights(head), head, last) for head in request.heads]
            return ModelOutput(last, pooled, next_sentence_logits, hidden_states, logits, of_heads)

    def _read_projection(self, layer: int, which: ProjectionName) -> Linear:
        return self._weights.projection(layer, which)

    def mlm_logits(self, hidden: Array, *, is_last: bool = True) -> Array:
        with self.ops.inference_mode():
            return bert.mlm_logits(self.ops, self._weights.mlm_head, hidden, self._config)

    def _hidden_states(
        self, inputs: bert.Inputs, want_attention: bool, last_layer: int | None
    ) -> Iterator[tuple[Array, bert.Attention | None]]:
        return bert.hidden_states(self.ops, self._weights, self._config, inputs, want_attention, last_layer)

    def word_embeddings(self, ids: IntArray) -> Array:
        with self.ops.inference_mode():
            return self.ops.embedding(self.ops.asarray(ids), self._weights.embeddings.word)

    def _run_layer(self, number: int, x: Array, inputs: bert.Inputs, context_mask: Array) -> Array:
        layer = self._weights.layers[number]
        return bert.encoder_layer(self.ops, layer, x, inputs, self._config, False, context_mask)[0]


def _blocks(lengths: Sequence[int]) -> Iterator[bert.Block]:
    """Yield one block for each run of neighbouring texts of equal length."""
    start = 0
    for length, texts in groupby(lengths):
        count = len(list(texts))
        yield bert.Block(start, count, length)
        start += count * length


def backend_index(ops: Ops, positions: TokenPositions) -> tuple[Array, Array] | EllipsisType:
    """Convert positions to an index into arrays of the backend."""
    return positions if isinstance(positions, EllipsisType) else (ops.asarray(positions[0]), ops.asarray(positions[1]))
