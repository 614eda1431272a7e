"""The engine that runs transformers' own classes, for other architectures and as a cross-check."""

import logging
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import torch
import transformers
from transformers.utils import logging as transformers_logging

from bertcli.checkpoints.config import ModelConfig
from bertcli.checkpoints.find import Checkpoint
from bertcli.checkpoints.pickled import without_pickle_warnings
from bertcli.choices import EngineName
from bertcli.errors import BadCheckpoint, WrongUsage
from bertcli.input.records import is_utf8
from bertcli.model.batching import Batch
from bertcli.model.engine import ModelOutput, ObservedAttention, OutputRequest, ProjectionName, backend_index
from bertcli.model.ops.base import Array, Linear, Ops

# transformers logs every load to stderr and draws progress bars there. bertcli itself reports what a user needs.
transformers_logging.set_verbosity(logging.CRITICAL)
transformers_logging.disable_progress_bar()

# Names of layers in all families: encoder.layer.0, transformer.layer.0, layers.0.
_LAYER = re.compile(r"(^|\.)layers?\.\d+\.")


class TransformersEngine:
    """The engine that runs an architecture's transformers classes: the body, and the body with each head.

    Each class is loaded when it is first needed.
    """

    name: str = EngineName.TRANSFORMERS
    supports_packing = False

    def __init__(self, checkpoint: Checkpoint, config: ModelConfig, ops: Ops, has_pooler: bool) -> None:
        self.ops = ops
        self._folder, self._config, self._has_pooler = checkpoint.folder, config, has_pooler
        self._model = cache(self._load)

    def run(self, batch: Batch, request: OutputRequest) -> ModelOutput:
        with self.ops.inference_mode():
            logits = next_sentence_logits = None
            output = self._run_body(batch, request)
            last = output.last_hidden_state
            if request.logits_at is not None:
                # Compute logits at the requested positions only: at all positions they take more memory than the model.
                at_positions = last[backend_index(self.ops, request.logits_at)]
                logits = self.mlm_logits(at_positions.reshape(-1, last.shape[-1]))
                logits = logits.reshape(*at_positions.shape[:-1], -1)
            if request.next_sentence:
                pairs = self._call(self._model(self._config.architecture.next_sentence_class), batch, OutputRequest())
                next_sentence_logits = pairs.logits
            if request.on_attention is not None:
                for layer, attention in enumerate(output.attentions):
                    request.on_attention(ObservedAttention(layer, attention))
            hidden_states = [output.hidden_states[index] for index in request.hidden_states]
            pooler_output = output.pooler_output if request.pooler_output else None
            return ModelOutput(last, pooler_output, next_sentence_logits, hidden_states, logits)

    def _run_body(self, batch: Batch, request: OutputRequest) -> Any:
        body = self._body(request)
        if request.on_attention is None:
            return self._call(body, batch, request)
        # transformers' default sdpa attention returns no weights, so request eager here (and only here).
        default = body.config._attn_implementation
        body.set_attn_implementation("eager")
        try:
            return self._call(body, batch, request)
        finally:
            body.set_attn_implementation(default)

    def _body(self, request: OutputRequest) -> Any:
        """Return the model that computes the hidden states.

        This is the body inside the class with the MLM head if that class is needed anyway. Only the body class itself
        has a pooler.
        """
        architecture = self._config.architecture
        needs_head = request.logits_at is not None and not request.pooler_output
        return self._model(architecture.mlm_class).base_model if needs_head else self._model(architecture.body_class)

    def projection(self, layer: int, which: ProjectionName) -> Linear:
        has_bert_layers = self._config.architecture.has_bert_layers
        raise WrongUsage(
            "--value-norms and --expansion need value vectors, which the transformers engine does not return",
            hint="use --engine numpy or torch" if has_bert_layers else "use a BERT, RoBERTa or DistilBERT model",
        )

    def mlm_logits(self, hidden: Array, *, is_last: bool = True) -> Array:
        # Families name and build their heads differently. Run the whole model on one token, so that its own forward
        # pass applies its own head, and replace the output of the body by the given states.
        model = self._model(self._config.architecture.mlm_class)
        # The body applies this norm to its last states only.
        norm = None if is_last else getattr(model.base_model, "final_norm", None)

        def replace_states(body: Any, inputs: Any, output: Any) -> Any:
            return type(output)((hidden if norm is None else norm(hidden))[None])

        hook = model.base_model.register_forward_hook(replace_states)
        try:
            with self.ops.inference_mode():
                return model(input_ids=torch.zeros((1, 1), dtype=torch.int64, device=self.ops.device)).logits[0]
        finally:
            hook.remove()

    def _call(self, model: Any, batch: Batch, request: OutputRequest) -> Any:
        token_types = {"token_type_ids": self.ops.asarray(batch.token_type_ids)} if self._config.type_vocab_size else {}
        return model(
            input_ids=self.ops.asarray(batch.input_ids),
            attention_mask=self.ops.asarray(batch.attention_mask),
            output_hidden_states=bool(request.hidden_states),
            output_attentions=request.on_attention is not None,
            **token_types,
        )

    def _load(self, class_name: str) -> Any:
        """Load the checkpoint into a class of transformers.

        Raises:
            BadCheckpoint: transformers cannot load it, weights are missing, or there are more layers than configured.
        """
        architecture = self._config.architecture
        has_optional_pooler = class_name == architecture.body_class and architecture.pooler
        try:
            with without_pickle_warnings():
                model, loading = getattr(transformers, class_name).from_pretrained(
                    self._folder,
                    local_files_only=True,
                    output_loading_info=True,
                    # By default transformers computes in the dtype that the checkpoint is stored in.
                    dtype=getattr(torch, self.ops.dtype),
                    **({"add_pooling_layer": self._has_pooler} if has_optional_pooler else {}),
                )
        except MemoryError:
            raise
        except Exception as error:  # transformers raises errors of many types for a bad config
            why = " ".join(str(error).split()) or type(error).__name__
            hint = "config and weights may come from different models; copy both again from the same place"
            if not is_utf8(str(self._folder)):
                hint = "rename the folder, since transformers takes no name that is not UTF-8; or leave out --engine"
            raise BadCheckpoint(f"transformers cannot load {self._folder} as {class_name}: {why}", hint=hint) from None
        if loading["missing_keys"]:
            raise _missing(self._folder, class_name, sorted(loading["missing_keys"]))
        if surplus := surplus_layers(loading["unexpected_keys"]):
            raise BadCheckpoint(
                f"the weights in {self._folder} do not fit its config.json: there are more layers than the config "
                f"counts, such as that of {surplus}",
                hint="config and weights come from different models; copy both again from the same place",
            )
        return model.to(self.ops.device).eval()


def surplus_layers(unexpected: Iterable[str]) -> str | None:
    """Return the first tensor that belongs to a layer, among those that transformers did not use, or None."""
    return next((name for name in sorted(unexpected) if _LAYER.search(name)), None)


def _missing(folder: Path, class_name: str, names: list[str]) -> BadCheckpoint:
    return BadCheckpoint(
        f"{folder} lacks {len(names)} of the weights of {class_name}: {names[0]} is missing",
        hint="use a complete checkpoint; transformers would fill missing weights with random numbers",
    )
