"""Shapes of a model's outputs, predicted from its config without weights, torch or numpy."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from math import prod

from bertcli.checkpoints import layout
from bertcli.checkpoints.config import BertConfig, ModelConfig, OwnConfig
from bertcli.checkpoints.heads import TaskHead, head_layout
from bertcli.checkpoints.recipe import DeclaredRecipe
from bertcli.checkpoints.safetensors import TensorInfo
from bertcli.checkpoints.weight_files import FLOATS, OptionalParts, WeightFiles
from bertcli.choices import DtypeName, HeadTask
from bertcli.results.models import ModelClass, Output, StoredTensor

_ITEM_BYTES = {DtypeName.FLOAT32: 4, DtypeName.FLOAT16: 2, DtypeName.BFLOAT16: 2}
_HIDDEN = ("batch_size", "sequence_length", "hidden_size")
_ATTENTION = ("batch_size", "num_attention_heads", "sequence_length", "sequence_length")
# The outputs of a class with a head, by the task of the head.
_HEAD_OUTPUTS: Mapping[HeadTask, Mapping[str, Sequence[str]]] = {
    HeadTask.TEXT_LABELS: {"logits": ("batch_size", "num_labels")},
    HeadTask.TOKEN_LABELS: {"logits": ("batch_size", "sequence_length", "num_labels")},
    HeadTask.ANSWER: dict.fromkeys(("start_logits", "end_logits"), ("batch_size", "sequence_length")),
}


def model_classes(
    config: ModelConfig, batch_size: int, sequence_length: int, dtype: DtypeName, parts: OptionalParts | None
) -> list[ModelClass]:
    """Predict the outputs of the body's class and of the class with the MLM head: BertModel and BertForMaskedLM.

    Args:
        config: The model's config.
        batch_size: Number of texts.
        sequence_length: Number of tokens in each text.
        dtype: Number type of the outputs.
        parts: The optional parts that the checkpoint holds; None if there are no weights to look at.
    """
    architecture = config.architecture
    sizes = {
        "batch_size": batch_size,
        "sequence_length": sequence_length,
        "hidden_size": config.hidden_size,
        "num_attention_heads": config.num_attention_heads,
        "vocab_size": config.vocab_size,
    }
    body, has_pooler, has_mlm_head = (True, parts.has_pooler, parts.has_mlm_head) if parts else (None, None, None)
    output = partial(_output, sizes, dtype, in_checkpoint=body)
    on_request = [
        output("hidden_states", _HIDDEN, count=config.num_hidden_layers + 1, default=False),
    ]
    if architecture.has_attentions:
        on_request.append(output("attentions", _ATTENTION, count=config.num_hidden_layers, default=False))
    pooled = ("batch_size", "hidden_size")
    pooler = [output("pooler_output", pooled, in_checkpoint=has_pooler)] if architecture.pooler else []
    logits = output("logits", ("batch_size", "sequence_length", "vocab_size"), in_checkpoint=has_mlm_head)
    features = [output("last_hidden_state", _HIDDEN), *pooler, *on_request]
    classes = [ModelClass(architecture.body_class, _body_parameters(config), features)]
    if architecture.has_mlm_class:
        classes.append(ModelClass(architecture.mlm_class, _mlm_parameters(config), [logits, *on_request]))
    return classes


def _output(
    sizes: Mapping[str, int],
    dtype: DtypeName,
    name: str,
    symbolic: Sequence[str],
    *,
    in_checkpoint: bool | None,
    count: int = 1,
    default: bool = True,
) -> Output:
    """Return an output with its shape and size. `sizes` has the size of each dimension; the others are as in Output."""
    shape = [sizes[axis] for axis in symbolic]
    nbytes = count * prod(shape) * _ITEM_BYTES[dtype]
    return Output(name, symbolic, shape, count, dtype, nbytes, default, in_checkpoint)


def embedding_class(
    declared: DeclaredRecipe, config: ModelConfig, batch_size: int, parts: OptionalParts | None
) -> ModelClass:
    """Predict the output of the checkpoint's recipe: that of SentenceTransformer, or of SparseEncoder.

    Args:
        declared: The recipe.
        config: The model's config.
        batch_size: Number of texts.
        parts: The optional parts that the checkpoint holds; None if there are no weights to look at.
    """
    is_lexical = declared.splade is not None
    dimension, dtype = declared.dimension(config), DtypeName.FLOAT32
    in_checkpoint = None if parts is None else parts.has_mlm_head or not is_lexical
    name = "vocab_size" if is_lexical else "embedding_dimension"
    output = Output(
        "sentence_embedding", ("batch_size", name), [batch_size, dimension], 1, dtype,
        batch_size * dimension * _ITEM_BYTES[dtype], default=True, in_checkpoint=in_checkpoint,
    )  # fmt: skip
    body = _mlm_parameters(config) if is_lexical else _body_parameters(config)
    parameters = None if body is None else body + declared.count_parameters(config)
    return ModelClass("SparseEncoder" if is_lexical else "SentenceTransformer", parameters, [output])


def head_class(
    head: TaskHead, body: ModelClass, config: ModelConfig, batch_size: int, sequence_length: int, weights: WeightFiles
) -> ModelClass:
    """Predict the outputs of the class with a head that the checkpoint holds.

    Args:
        head: The head.
        body: The class of the body, for the outputs on request and their dtype.
        config: The model's config.
        batch_size: Number of texts.
        sequence_length: Number of tokens in each text.
        weights: The weights, which count the parameters if the layers are not BERT's.
    """
    sizes = {"batch_size": batch_size, "sequence_length": sequence_length, "num_labels": len(head.info.labels)}
    dtype = body.outputs[0].dtype
    outputs = []
    for name, symbolic in _HEAD_OUTPUTS[head.info.task].items():
        shape = [sizes[axis] for axis in symbolic]
        nbytes = prod(shape) * _ITEM_BYTES[DtypeName(dtype)]
        outputs.append(Output(name, symbolic, shape, 1, dtype, nbytes, default=True, in_checkpoint=True))
    on_request = [output for output in body.outputs if not output.default]
    return ModelClass(head.info.class_name, _head_parameters(head, config, weights), [*outputs, *on_request])


def _head_parameters(head: TaskHead, config: ModelConfig, weights: WeightFiles) -> int:
    if not isinstance(config, BertConfig):
        return sum(info.parameters for info in weights.infos if info.dtype in FLOATS)
    return layout.count_parameters(layout.body_layout(config) | head_layout(head, config))


def _body_parameters(config: ModelConfig) -> int | None:
    """Return the number of parameters of the body and pooler.

    None if only transformers could count them.
    """
    if not isinstance(config, OwnConfig):
        return None
    return layout.count_parameters(layout.body_layout(config) | layout.pooler_layout(config))


def _mlm_parameters(config: ModelConfig) -> int | None:
    if not isinstance(config, OwnConfig):
        return None
    parameters = layout.count_parameters(layout.body_layout(config) | layout.mlm_head_layout(config))
    # An untied decoder has its own bias, and the bias of the head remains beside it, unused.
    has_two_biases = not config.tie_word_embeddings and not config.architecture.has_one_mlm_bias
    return parameters + config.vocab_size * has_two_biases


def present_parts(config: ModelConfig, parts: OptionalParts) -> dict[str, bool]:
    """Return, for each optional part of the architecture, True if the checkpoint holds it."""
    architecture = config.architecture
    tensors = {
        "pooler": architecture.pooler,
        "mlm_head": architecture.mlm_head,
        "next_sentence_head": architecture.next_sentence_head,
    }
    return {name: getattr(parts, f"has_{name}") for name, needed in tensors.items() if needed}


def stored_tensors(infos: Iterable[TensorInfo]) -> list[StoredTensor]:
    """Convert the tensors of a checkpoint's headers to results, in their order."""
    return [StoredTensor(info.name, info.shape, info.dtype, info.parameters, info.nbytes) for info in infos]
