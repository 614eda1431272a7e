"""The weights of a BERT, read from a checkpoint when they are first needed."""

from collections.abc import Callable
from functools import cached_property
from typing import Any, Generic, TypeVar

from bertcli.checkpoints.config import BertConfig, ModelConfig
from bertcli.lazy_dataclass import dataclass
from bertcli.model.ops.base import Array, LayerNorm, Linear, Ops


@dataclass(frozen=True, slots=True)
class EmbeddingWeights:
    """The embedding tables, each (rows, hidden), and the LayerNorm over their sum.

    token_type is None if the architecture has no token types.
    """

    word: Array
    position: Array
    token_type: Array | None
    norm: LayerNorm


@dataclass(frozen=True, slots=True)
class LayerWeights:
    """The weights of one transformer layer.

    query_key_value holds the three projections in the form of Ops.stack_linears.
    """

    query_key_value: Any
    attention_output: Linear
    attention_norm: LayerNorm
    intermediate: Linear
    output: Linear
    output_norm: LayerNorm


@dataclass(frozen=True, slots=True)
class MlmHeadWeights:
    """The transform, (hidden, hidden), its LayerNorm, and the decoder, (vocab, hidden) and (vocab,)."""

    transform: Linear
    transform_norm: LayerNorm
    decoder: Linear


Config = TypeVar("Config", bound=ModelConfig)
_PROJECTIONS = {"value": "self.value", "output": "output.dense"}


class LazyWeights(Generic[Config]):
    """The weights of one checkpoint, each loaded at its first use."""

    def __init__(self, ops: Ops, config: Config, read: Callable[[str], Array], has_own_decoder: bool) -> None:
        """Remember how to read the weights; read none yet.

        Args:
            read: Return the tensor of a canonical name, as stored in the checkpoint.
            has_own_decoder: True if the checkpoint stores a decoder for the MLM head. Otherwise the decoder is tied to
                the word embeddings.
        """
        self._ops, self._config, self._read = ops, config, read
        self._has_own_decoder = has_own_decoder


class BertWeights(LazyWeights[BertConfig]):
    """The weights of a BERT."""

    @cached_property
    def embeddings(self) -> EmbeddingWeights:
        matrix = self._matrix
        return EmbeddingWeights(
            word=matrix("embeddings.word_embeddings.weight"),
            position=matrix("embeddings.position_embeddings.weight"),
            token_type=matrix("embeddings.token_type_embeddings.weight") if self._config.type_vocab_size else None,
            norm=self._layer_norm("embeddings.LayerNorm"),
        )

    @cached_property
    def layers(self) -> list[LayerWeights]:
        return [self._layer(f"encoder.layer.{index}") for index in range(self._config.num_hidden_layers)]

    @cached_property
    def pooler(self) -> Linear:
        return self._linear("pooler.dense")

    @cached_property
    def next_sentence_head(self) -> Linear:
        return self._linear("cls.seq_relationship")

    @cached_property
    def mlm_head(self) -> MlmHeadWeights:
        decoder = self._matrix("cls.predictions.decoder.weight") if self._has_own_decoder else self.embeddings.word
        return MlmHeadWeights(
            transform=self._linear("cls.predictions.transform.dense"),
            transform_norm=self._layer_norm("cls.predictions.transform.LayerNorm"),
            decoder=self._ops.prepare_linear(Linear(decoder, self._vector("cls.predictions.bias"))),
        )

    def linear(self, name: str) -> Linear:
        """Read the linear layer of a canonical name. It is read anew at each call."""
        return self._linear(name)

    def projection(self, layer: int, which: str) -> Linear:
        """Read a layer's projection into the heads ("value") or out of them ("output"), as plain float32 arrays."""
        full = f"encoder.layer.{layer}.attention.{_PROJECTIONS[which]}"
        load, read = self._ops.load_float32, self._read
        return Linear(load(read(f"{full}.weight")), load(read(f"{full}.bias")))

    def _layer(self, name: str) -> LayerWeights:
        projections = [self._plain_linear(f"{name}.attention.self.{part}") for part in ("query", "key", "value")]
        return LayerWeights(
            query_key_value=self._ops.stack_linears(projections),
            attention_output=self._linear(f"{name}.attention.output.dense"),
            attention_norm=self._layer_norm(f"{name}.attention.output.LayerNorm"),
            intermediate=self._linear(f"{name}.intermediate.dense"),
            output=self._linear(f"{name}.output.dense"),
            output_norm=self._layer_norm(f"{name}.output.LayerNorm"),
        )

    def _linear(self, name: str) -> Linear:
        return self._ops.prepare_linear(self._plain_linear(name))

    def _plain_linear(self, name: str) -> Linear:
        return Linear(self._matrix(f"{name}.weight"), self._vector(f"{name}.bias"))

    def _layer_norm(self, name: str) -> LayerNorm:
        return LayerNorm(self._vector(f"{name}.weight"), self._vector(f"{name}.bias"))

    def _matrix(self, name: str) -> Array:
        return self._ops.load_matrix(self._read(name))

    def _vector(self, name: str) -> Array:
        return self._ops.load_vector(self._read(name))
