"""The weights of a ModernBERT, read from a checkpoint when they are first needed.

Most linear layers and norms of a ModernBERT have no bias. A missing bias is zero.
"""

from functools import cached_property
from typing import Any, Literal

import numpy as np

from bertcli.checkpoints.config import ModernBertConfig
from bertcli.lazy_dataclass import dataclass
from bertcli.model.ops.base import Array, LayerNorm, Linear
from bertcli.model.weights import LazyWeights, MlmHeadWeights


@dataclass(frozen=True, slots=True)
class ModernLayerWeights:
    """The weights of one transformer layer.

    attention_norm is None in the first layer. query_key_value holds the three projections in the form of
    Ops.stack_linears. inner and gate are the halves of the first layer of the feed-forward network.
    """

    attention_norm: LayerNorm | None
    query_key_value: Any
    attention_output: Linear
    mlp_norm: LayerNorm
    inner: Linear
    gate: Linear
    output: Linear


class ModernBertWeights(LazyWeights[ModernBertConfig]):
    """The weights of a ModernBERT."""

    @cached_property
    def embeddings(self) -> Array:
        """The word embeddings, (vocab, hidden)."""
        return self._ops.load_matrix(self._read("embeddings.tok_embeddings.weight"))

    @cached_property
    def embeddings_norm(self) -> LayerNorm:
        return self._norm("embeddings.norm")

    @cached_property
    def layers(self) -> list[ModernLayerWeights]:
        return [self._layer(index) for index in range(self._config.num_hidden_layers)]

    @cached_property
    def final_norm(self) -> LayerNorm:
        return self._norm("final_norm")

    @cached_property
    def mlm_head(self) -> MlmHeadWeights:
        config, prepare = self._config, self._ops.prepare_linear
        decoder = self._ops.load_matrix(self._read("decoder.weight")) if self._has_own_decoder else self.embeddings
        [transform] = self._linears("head.dense", 1, config.classifier_bias)
        return MlmHeadWeights(
            transform=prepare(transform),
            transform_norm=self._norm("head.norm"),
            decoder=prepare(Linear(decoder, self._bias("decoder", config.vocab_size, config.decoder_bias))),
        )

    def projection(self, layer: int, which: Literal["value", "output"]) -> Linear:
        """Read a layer's projection into the heads ("value") or out of them ("output"), as plain float32 arrays."""
        hidden, load = self._config.hidden_size, self._ops.load_float32
        name, first = ("Wqkv", 2 * hidden) if which == "value" else ("Wo", 0)  # the value's rows are the last of three
        weight = self._read(f"layers.{layer}.attn.{name}.weight")[first:]
        has_bias = self._config.attention_bias
        bias = self._read(f"layers.{layer}.attn.{name}.bias")[first:] if has_bias else np.zeros(hidden, np.float32)
        return Linear(load(weight), load(bias))

    def _layer(self, index: int) -> ModernLayerWeights:
        config, prepare, name = self._config, self._ops.prepare_linear, f"layers.{index}"
        [attention_output] = self._linears(f"{name}.attn.Wo", 1, config.attention_bias)
        inner, gate = self._linears(f"{name}.mlp.Wi", 2, config.mlp_bias)
        [output] = self._linears(f"{name}.mlp.Wo", 1, config.mlp_bias)
        return ModernLayerWeights(
            attention_norm=self._norm(f"{name}.attn_norm") if index else None,
            query_key_value=self._ops.stack_linears(self._linears(f"{name}.attn.Wqkv", 3, config.attention_bias)),
            attention_output=prepare(attention_output),
            mlp_norm=self._norm(f"{name}.mlp_norm"),
            inner=prepare(inner),
            gate=prepare(gate),
            output=prepare(output),
        )

    def _linears(self, name: str, count: int, has_bias: bool) -> list[Linear]:
        """Read a tensor of layers that share one input, stacked in the order of their outputs."""
        weight = self._read(f"{name}.weight")  # (count * out_features, in_features)
        bias = self._bias(name, len(weight), has_bias)
        rows = len(weight) // count
        parts = (slice(start, start + rows) for start in range(0, len(weight), rows))
        return [Linear(self._ops.load_matrix(weight[part]), bias[part]) for part in parts]

    def _norm(self, name: str) -> LayerNorm:
        weight = self._ops.load_vector(self._read(f"{name}.weight"))
        return LayerNorm(weight, self._bias(name, len(weight), self._config.norm_bias))

    def _bias(self, name: str, size: int, has_bias: bool) -> Array:
        return self._ops.load_vector(self._read(f"{name}.bias") if has_bias else np.zeros(size, np.float32))
