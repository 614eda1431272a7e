"""The engine that runs bertcli's own forward pass of ModernBERT."""

from collections.abc import Iterator, Sequence

from bertcli.checkpoints.config import ModernBertConfig
from bertcli.model import modernbert
from bertcli.model.ablation import Head
from bertcli.model.batching import Batch
from bertcli.model.bert import Attention, Inputs
from bertcli.model.engine import ModelOutput, OutputRequest, OwnEngine, ProjectionName, backend_index
from bertcli.model.modernbert_weights import ModernBertWeights
from bertcli.model.ops.base import Array, IntArray, Linear, Ops


class ModernBertEngine(OwnEngine):
    """The engine that runs bertcli's own forward pass of ModernBERT, on numpy or torch. It has no pooler."""

    def __init__(
        self, name: str, ops: Ops, config: ModernBertConfig, weights: ModernBertWeights, ablated: Sequence[Head] = ()
    ) -> None:
        super().__init__(name, ops, config, ablated)
        self._config, self._weights = config, weights

    def run(self, batch: Batch, request: OutputRequest) -> ModelOutput:
        with self.ops.inference_mode():
            last, kept = self._encode(batch, request)
            logits = None
            if request.logits_at is not None:
                logits = self.mlm_logits(last[backend_index(self.ops, request.logits_at)])
            return ModelOutput(last, hidden_states=[kept[index] for index in request.hidden_states], logits=logits)

    def _read_projection(self, layer: int, which: ProjectionName) -> Linear:
        return self._weights.projection(layer, which)

    def mlm_logits(self, hidden: Array, *, is_last: bool = True) -> Array:
        with self.ops.inference_mode():
            if not is_last:
                hidden = modernbert.final_norm(self.ops, self._weights, hidden, self._config)
            return modernbert.mlm_logits(self.ops, self._weights.mlm_head, hidden, self._config)

    def _hidden_states(
        self, inputs: Inputs, want_attention: bool, last_layer: int | None
    ) -> Iterator[tuple[Array, Attention | None]]:
        return modernbert.hidden_states(self.ops, self._weights, self._config, inputs, want_attention, last_layer)

    def word_embeddings(self, ids: IntArray) -> Array:
        with self.ops.inference_mode():
            return self.ops.embedding(self.ops.asarray(ids), self._weights.embeddings)

    def _run_layer(self, number: int, x: Array, inputs: Inputs, context_mask: Array) -> Array:
        ops, config, layer = self.ops, self._config, self._weights.layers[number]
        places = modernbert.token_places(ops, inputs, config, config.global_layers[number])
        x, _ = modernbert.encoder_layer(ops, layer, x, inputs, places, config, False, context_mask)
        is_last = number == config.num_hidden_layers - 1
        return modernbert.final_norm(ops, self._weights, x, config) if is_last else x
