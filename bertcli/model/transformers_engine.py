"""The engine that runs transformers' own classes, for other architectures and as a cross-check."""

import logging
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from inspect import signature
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from torch.nn.functional import pad
from transformers.utils import logging as transformers_logging

from bertcli.checkpoints.config import ModelConfig, OwnConfig, read_json_object
from bertcli.checkpoints.find import Checkpoint
from bertcli.checkpoints.heads import TaskHead
from bertcli.checkpoints.pickled import without_pickle_warnings
from bertcli.checkpoints.weight_files import own_code_hint
from bertcli.choices import EngineName, HeadTask
from bertcli.errors import BadCheckpoint, UnsupportedModel, WrongUsage, message_of
from bertcli.lazy_dataclass import dataclass
from bertcli.model.ablation import Head
from bertcli.model.batching import Batch
from bertcli.model.engine import ModelOutput, ObservedAttention, OutputRequest, ProjectionName, backend_index
from bertcli.model.ops.base import Array, IntArray, Linear, Ops
from bertcli.quoting import is_utf8

# transformers logs every load to stderr and draws progress bars there. bertcli itself reports what a user needs.
transformers_logging.set_verbosity(logging.CRITICAL)
transformers_logging.disable_progress_bar()

# Names of layers in all families: encoder.layer.0, transformer.layer.0, layers.0.
_LAYER = re.compile(r"(^|\.)layers?\.\d+\.")


@dataclass(frozen=True, slots=True)
class BodyOutput:
    """The outputs of a body over a batch, under their names in transformers, and the logits of the requested heads."""

    last_hidden_state: Array
    pooler_output: Array | None
    hidden_states: Sequence[Array]
    attentions: Sequence[Array]
    head_logits: Sequence[Array]


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
        self._token_features = cache(self._load_token_features)

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
            return ModelOutput(last, pooler_output, next_sentence_logits, hidden_states, logits, output.head_logits)

    def _run_body(self, batch: Batch, request: OutputRequest) -> BodyOutput:
        if batch.is_padded and not self._config.architecture.allows_padding:
            return self._run_by_length(batch, request)
        output = self._call_body(self._body(request), batch, request)
        pooler_output = output.get("pooler_output") if request.pooler_output else None
        hidden_states, attentions = output.get("hidden_states") or (), output.get("attentions") or ()
        head_logits = [self._head_logits(head, batch, output) for head in request.heads]
        return BodyOutput(output.last_hidden_state, pooler_output, hidden_states, attentions, head_logits)

    def _head_logits(self, head: TaskHead, batch: Batch, body_output: Any) -> Array:
        """Compute the logits of a head from the output of the body, without running the body again."""
        model = self._head_model(head)
        with _replaced_output(model.base_model, body_output):
            output = self._call(model, batch, OutputRequest())
        if head.info.task == HeadTask.ANSWER:
            return torch.stack([output.start_logits, output.end_logits], dim=-1)
        return output.logits

    def _run_by_length(self, batch: Batch, request: OutputRequest) -> BodyOutput:
        """Run texts of equal length together, without padding, and pad the outputs with zeros."""
        lengths = batch.attention_mask.sum(-1)
        found: dict[int, BodyOutput] = {}
        for length in sorted(set(lengths.tolist())):
            rows = (lengths == length).nonzero()[0]
            ids, types = batch.input_ids[rows, :length], batch.token_type_ids[rows, :length]
            part = Batch((), ids, types, batch.attention_mask[rows, :length])
            found.update(zip(rows.tolist(), _rows(self._run_body(part, request)), strict=True))
        return _stacked([found[row] for row in range(len(lengths))], batch.shape[1])

    def _head_model(self, head: TaskHead) -> Any:
        """Return the class of the body with a head. The number of labels is that of the weights."""
        return self._model(head.info.class_name, head.size)

    def _call_body(self, body: Any, batch: Batch, request: OutputRequest) -> Any:
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

        This is the body inside the class with a head if that class is needed anyway. Only the body class itself, and
        that in a class for sequence classification, may have a pooler.
        """
        architecture = self._config.architecture
        if request.heads and not request.pooler_output:
            of_text = [head for head in request.heads if head.info.task == HeadTask.TEXT_LABELS]
            return self._head_model((of_text or request.heads)[0]).base_model
        needs_head = request.logits_at is not None and not request.pooler_output
        return self._model(architecture.mlm_class).base_model if needs_head else self._model(architecture.body_class)

    def projection(self, layer: int, which: ProjectionName) -> Linear:
        has_own_engines = isinstance(self._config, OwnConfig)
        raise WrongUsage(
            "--value-norms and --expansion need value vectors, which the transformers engine does not return",
            hint="use --engine numpy or torch" if has_own_engines else "use a BERT, RoBERTa, DistilBERT or ModernBERT",
        )

    def word_embeddings(self, ids: IntArray) -> Array:
        raise WrongUsage("the transformers engine does not return word embeddings", hint="use --engine torch")

    def last_states_without(self, batch: Batch, states: Sequence[Array], heads: Sequence[Head]) -> Array:
        raise WrongUsage("the transformers engine cannot switch heads off", hint="use --engine numpy or torch")

    def mlm_logits(self, hidden: Array, *, is_last: bool = True) -> Array:
        # Families name and build their heads differently. Run the whole model on one token, so that its own forward
        # pass applies its own head, and replace the output of the body by the given states.
        model = self._model(self._config.architecture.mlm_class)
        # The body applies this norm to its last states only.
        name = self._config.architecture.final_norm
        norm = None if is_last or name is None else model.base_model.get_submodule(name)

        def replace_states(body: Any, inputs: Any, output: Any) -> Any:
            return type(output)((hidden if norm is None else norm(hidden))[None])

        hook = model.base_model.register_forward_hook(replace_states)
        try:
            with self.ops.inference_mode():
                return model(input_ids=torch.zeros((1, 1), dtype=torch.int64, device=self.ops.device)).logits[0]
        finally:
            hook.remove()

    def _call(self, model: Any, batch: Batch, request: OutputRequest) -> Any:
        inputs: dict[str, Any] = {"input_ids": self.ops.asarray(batch.input_ids)}
        if self._config.type_vocab_size:
            inputs["token_type_ids"] = self.ops.asarray(batch.token_type_ids)
        if _takes(type(model).forward, "attention_mask"):
            inputs["attention_mask"] = self.ops.asarray(batch.attention_mask)
        inputs |= {name: values[inputs["input_ids"]] for name, values in self._token_features().items()}
        if request.on_attention is not None:
            inputs["output_attentions"] = True
        return model(**inputs, output_hidden_states=bool(request.hidden_states))

    def _load_token_features(self) -> dict[str, Array]:
        """Return the value of each token for every input that depends on the token alone, (vocab,).

        Raises:
            BadCheckpoint: A file with the values is missing or damaged.
        """
        files = self._config.architecture.token_features
        return {name: self.ops.asarray(self._read_token_feature(self._folder / file)) for name, file in files.items()}

    def _read_token_feature(self, path: Path) -> IntArray:
        special = self._config.architecture.special_tokens
        try:
            tokens = (self._folder / "vocab.txt").read_text(encoding="utf-8").split("\n")[: self._config.vocab_size]
            values = read_json_object(path)
            unknown = values[special.unk]
            # As in transformers, the tokens that the tokenizer adds have the value of unknown tokens.
            values |= {special.cls: unknown, special.sep: unknown}
            found = np.full(self._config.vocab_size, unknown, np.int64)
            found[: len(tokens)] = [values.get(token, unknown) for token in tokens]
        except (OSError, KeyError, ValueError, TypeError) as error:
            raise BadCheckpoint(
                f"{path} does not give the features of the tokens in vocab.txt: {error}",
                hint="copy the tokenizer's files again",
            ) from None
        return found

    def _load(self, class_name: str, num_labels: int | None = None) -> Any:
        """Load the checkpoint into a class of transformers.

        Args:
            class_name: Name of the class.
            num_labels: Number of labels of a class with a head for them, None for other classes.

        Raises:
            BadCheckpoint: transformers cannot load it, weights are missing, or there are more layers than configured.
        """
        architecture = self._config.architecture
        model_class = getattr(transformers, class_name, None)
        if model_class is None:
            raise UnsupportedModel(
                f"transformers {transformers.__version__} has no {class_name}, which {self._folder} needs",
                hint="pip install -U transformers",
            )
        settings = dict(architecture.overrides)
        if class_name == architecture.body_class and _takes(model_class.__init__, "add_pooling_layer"):
            settings["add_pooling_layer"] = self._has_pooler
        if num_labels is not None:
            settings["num_labels"] = num_labels
        try:
            with without_pickle_warnings():
                model, loading = model_class.from_pretrained(
                    self._folder,
                    local_files_only=True,
                    output_loading_info=True,
                    # By default transformers computes in the dtype that the checkpoint is stored in.
                    dtype=getattr(torch, self.ops.dtype),
                    **settings,
                )
        except MemoryError:
            raise
        except Exception as error:  # transformers raises errors of many types for a bad config
            hint = own_code_hint(self._config) or (
                "config and weights may come from different models; copy both again from the same place"
            )
            if not is_utf8(str(self._folder)):
                hint = "rename the folder, since transformers takes no name that is not UTF-8; or leave out --engine"
            raise BadCheckpoint(
                f"transformers cannot load {self._folder} as {class_name}: {message_of(error)}", hint=hint
            ) from None
        # Without a pooler in the checkpoint, no command asks for its output, but a head over the text may need it.
        needs_pooler = self._has_pooler or class_name.endswith(HeadTask.TEXT_LABELS)
        missing = [name for name in loading["missing_keys"] if needs_pooler or "pooler." not in name]
        if missing:
            raise _missing(self._folder, class_name, sorted(missing), own_code_hint(self._config))
        if surplus := surplus_layers(loading["unexpected_keys"]):
            raise BadCheckpoint(
                f"the weights in {self._folder} do not fit its config.json: there are more layers than the config "
                f"counts, such as that of {surplus}",
                hint="config and weights come from different models; copy both again from the same place",
            )
        return model.to(self.ops.device).eval()


@contextmanager
def _replaced_output(body: Any, output: Any) -> Iterator[None]:
    """Have a body return the given output, whatever its input is."""
    body.forward = lambda *inputs, **more: output
    try:
        yield
    finally:
        del body.forward


@cache
def _takes(function: Any, parameter: str) -> bool:
    """Return True if a function has a parameter of that name."""
    return parameter in signature(function).parameters


def _rows(batch: BodyOutput) -> list[BodyOutput]:
    """Split the outputs of a batch into those of its texts, each a batch of one text."""
    poolers = [None] * len(batch.last_hidden_state) if batch.pooler_output is None else batch.pooler_output.split(1)
    return [
        BodyOutput(
            last,
            pooled,
            [state[row, None] for state in batch.hidden_states],
            [weights[row, None] for weights in batch.attentions],
            [logits[row, None] for logits in batch.head_logits],
        )
        for row, (last, pooled) in enumerate(zip(batch.last_hidden_state.split(1), poolers, strict=True))
    ]


def _stacked(rows: Sequence[BodyOutput], length: int) -> BodyOutput:
    """Join the outputs of texts, padded to a length. It is the inverse of _rows."""
    pooled = [row.pooler_output for row in rows if row.pooler_output is not None]
    return BodyOutput(
        _padded([row.last_hidden_state for row in rows], length),
        torch.cat(pooled) if pooled else None,
        [_padded(states, length) for states in zip(*(row.hidden_states for row in rows), strict=True)],
        [_padded(weights, length, axes=2) for weights in zip(*(row.attentions for row in rows), strict=True)],
        [
            _padded(logits, length) if logits[0].ndim > 2 else torch.cat(logits)
            for logits in zip(*(row.head_logits for row in rows), strict=True)
        ],
    )


def _padded(arrays: Sequence[Array], length: int, axes: int = 1) -> Array:
    """Pad arrays to a length and join them: (1, seq, hidden), or (1, heads, seq, seq) with two axes of tokens."""
    missing = ([0, length - array.shape[-2]] for array in arrays)
    return torch.cat(
        [pad(array, [*end, *end] if axes == 2 else [0, 0, *end]) for array, end in zip(arrays, missing, strict=True)]
    )


def surplus_layers(unexpected: Iterable[str]) -> str | None:
    """Return the first tensor that belongs to a layer, among those that transformers did not use, or None."""
    return next((name for name in sorted(unexpected) if _LAYER.search(name)), None)


def _missing(folder: Path, class_name: str, names: list[str], hint: str) -> BadCheckpoint:
    return BadCheckpoint(
        f"{folder} lacks {len(names)} of the weights of {class_name}: {names[0]} is missing",
        hint=hint or "use a complete checkpoint; transformers would fill missing weights with random numbers",
    )
