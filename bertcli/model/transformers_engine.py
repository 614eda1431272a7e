"""Every architecture through transformers' own classes: the only way for some, the cross-check for the others."""

import logging
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import torch
import transformers
from tokenizers import Tokenizer
from transformers.utils import logging as transformers_logging

from bertcli.checkpoints.config import ModelConfig
from bertcli.checkpoints.find import Checkpoint
from bertcli.choices import EngineName
from bertcli.errors import BadCheckpoint, WrongUsage
from bertcli.model.batching import Batch
from bertcli.model.engine import LayerAttention, ModelOutput, OutputRequest, ProjectionName, on_device
from bertcli.model.ops.base import Array, Linear, Ops

# transformers tells of every load on stderr and draws bars there; what a user needs to know of it, bertcli says itself.
transformers_logging.set_verbosity(logging.CRITICAL)
transformers_logging.disable_progress_bar()


# As families number their layers: encoder.layer.0, transformer.layer.0, layers.0.
_LAYER = re.compile(r"(^|\.)layers?\.\d+\.")


class TransformersEngine:
    """The body alone and with each of its heads, by the architecture's classes, each loaded when it is first needed."""

    name: str = EngineName.TRANSFORMERS
    supports_packing = False

    def __init__(self, checkpoint: Checkpoint, config: ModelConfig, ops: Ops, has_pooler: bool) -> None:
        self.ops = ops
        self._folder, self._config, self._has_pooler = checkpoint.folder, config, has_pooler
        self._model = cache(self._load)

    def run(self, batch: Batch, requested: OutputRequest) -> ModelOutput:
        with self.ops.computing():
            logits = next_sentence_logits = None
            output = self._call(self._body(requested), batch, requested)
            last = output.last_hidden_state
            if requested.logits_at is not None:
                # Of the positions that are asked for alone: over all of them logits take more memory than the model.
                at_positions = last[on_device(self.ops, requested.logits_at)]
                logits = self.mlm_logits(at_positions.reshape(-1, last.shape[-1]))
                logits = logits.reshape(*at_positions.shape[:-1], -1)
            if requested.next_sentence:
                pairs = self._call(self._model(self._config.architecture.next_sentence_class), batch, OutputRequest())
                next_sentence_logits = pairs.logits
            if requested.on_attention is not None:
                for layer, attention in enumerate(output.attentions):
                    requested.on_attention(LayerAttention(layer, attention))
            hidden_states = [output.hidden_states[index] for index in requested.hidden_states]
            pooler_output = output.pooler_output if requested.pooler_output else None
            return ModelOutput(last, pooler_output, next_sentence_logits, hidden_states, logits)

    def _body(self, requested: OutputRequest) -> Any:
        """The body, of the class with the MLM head where that is needed anyway; the pooler is the body class's own."""
        architecture = self._config.architecture
        needs_head = requested.logits_at is not None and not requested.pooler_output
        body = self._model(architecture.mlm_class).base_model if needs_head else self._model(architecture.body_class)
        if requested.on_attention is not None:
            # transformers' default sdpa attention returns no weights, so eager is asked for from here on.
            body.set_attn_implementation("eager")
        return body

    def projection(self, layer: int, which: ProjectionName) -> Linear:
        own = (
            "use --engine numpy or torch"
            if self._config.architecture.has_bert_layers
            else "ask a BERT, RoBERTa or DistilBERT"
        )
        raise WrongUsage("this takes a layer's values, which transformers' classes keep to themselves", hint=own)

    def mlm_logits(self, hidden: Array, *, is_last: bool = True) -> Array:
        # Each family has its head under other names and in other parts. Its own forward pass puts them together, over a
        # body that is made to give these states for the one token that it is asked about.
        model = self._model(self._config.architecture.mlm_class)
        # Which the body itself applies to its last states alone.
        norm = None if is_last else getattr(model.base_model, "final_norm", None)

        def give(body: Any, given: Any, output: Any) -> Any:
            return type(output)((hidden if norm is None else norm(hidden))[None])

        hook = model.base_model.register_forward_hook(give)
        try:
            with self.ops.computing():
                return model(input_ids=torch.zeros((1, 1), dtype=torch.int64, device=self.ops.device)).logits[0]
        finally:
            hook.remove()

    def _call(self, model: Any, batch: Batch, requested: OutputRequest) -> Any:
        token_types = {"token_type_ids": self.ops.asarray(batch.token_type_ids)} if self._config.type_vocab_size else {}
        return model(
            input_ids=self.ops.asarray(batch.input_ids),
            attention_mask=self.ops.asarray(batch.attention_mask),
            output_hidden_states=bool(requested.hidden_states),
            output_attentions=requested.on_attention is not None,
            **token_types,
        )

    def _load(self, class_name: str) -> Any:
        architecture = self._config.architecture
        has_choice = class_name == architecture.body_class and architecture.pooler
        try:
            model, loading = getattr(transformers, class_name).from_pretrained(
                self._folder,
                local_files_only=True,
                output_loading_info=True,
                # Left alone, transformers computes in the dtype that the checkpoint is stored in.
                dtype=getattr(torch, self.ops.dtype),
                **({"add_pooling_layer": self._has_pooler} if has_choice else {}),
            )
        except MemoryError:
            raise
        except Exception as error:  # a config that asks for what is not there fails in whatever way it happens to
            why = " ".join(str(error).split()) or type(error).__name__
            raise BadCheckpoint(
                f"transformers cannot load {self._folder} as {class_name}: {why}",
                hint="config and weights may come from different models; copy both again from the same place",
            ) from None
        if loading["missing_keys"]:
            raise _missing(self._folder, class_name, sorted(loading["missing_keys"]))
        if surplus := surplus_layers(loading["unexpected_keys"]):
            raise BadCheckpoint(
                f"the weights in {self._folder} do not fit its config.json: {surplus} is of a layer beyond those that "
                "the config counts",
                hint="config and weights come from different models; copy both again from the same place",
            )
        return model.to(self.ops.device).eval()


def surplus_layers(unexpected: Iterable[str]) -> str | None:
    """A tensor of a layer that the model has not, of those that transformers had no place for."""
    return next((name for name in sorted(unexpected) if _LAYER.search(name)), None)


def tokenizer_of(folder: Path) -> Tokenizer:
    """The tokenizer of a folder that has no tokenizer.json, as transformers makes it of the vocabulary.

    Raises BadCheckpoint where it cannot be made, or where a package that it takes is not installed.
    """
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
        return Tokenizer.from_str(tokenizer.backend_tokenizer.to_str())
    except Exception as error:  # each kind of vocabulary fails in its own way
        why = " ".join(str(error).split()) or type(error).__name__
        raise BadCheckpoint(
            f"{folder} has no tokenizer.json, and transformers makes no tokenizer of its vocabulary: {why}",
            hint="install what it names (often: pip install sentencepiece), or save the tokenizer as tokenizer.json",
        ) from None


def _missing(folder: Path, class_name: str, names: list[str]) -> BadCheckpoint:
    return BadCheckpoint(
        f"{folder} does not hold all of {class_name}: {names[0]} is missing (one of {len(names)})",
        hint="transformers would make up the missing weights; use a whole checkpoint",
    )
