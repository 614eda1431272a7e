"""The name and shape of every output, from a config alone: neither torch nor numpy, and no weights."""

from collections.abc import Iterable, Sequence
from math import prod

from bertcli.checkpoints import layout
from bertcli.checkpoints.config import BertConfig, ModelConfig
from bertcli.checkpoints.headers import TensorInfo
from bertcli.checkpoints.weight_files import Parts
from bertcli.results.models import ModelClass, Output, StoredTensor

_BYTES_OF = {"float32": 4, "float16": 2, "bfloat16": 2}
_HIDDEN = ("batch_size", "sequence_length", "hidden_size")
_ATTENTION = ("batch_size", "num_attention_heads", "sequence_length", "sequence_length")


def model_classes(
    config: ModelConfig, batch_size: int, sequence_length: int, dtype: str, held: Parts | None
) -> list[ModelClass]:
    """The outputs of the body's class and of the one with the MLM head, such as BertModel and BertForMaskedLM.

    held: what the checkpoint holds beside the body; None where there are no weights to see.
    """
    architecture = config.architecture
    sizes = {
        "batch_size": batch_size,
        "sequence_length": sequence_length,
        "hidden_size": config.hidden_size,
        "num_attention_heads": config.num_attention_heads,
        "vocab_size": config.vocab_size,
    }

    body, has_pooler, has_mlm_head = (True, held.pooler, held.mlm_head) if held else (None, None, None)

    def output(
        name: str, symbolic: Sequence[str], *, count: int = 1, default: bool = True, held: bool | None = body
    ) -> Output:
        shape = [sizes[axis] for axis in symbolic]
        return Output(name, symbolic, shape, count, dtype, count * prod(shape) * _BYTES_OF[dtype], default, held)

    on_request = [
        output("hidden_states", _HIDDEN, count=config.num_hidden_layers + 1, default=False),
        output("attentions", _ATTENTION, count=config.num_hidden_layers, default=False),
    ]
    pooled = ("batch_size", "hidden_size")
    pooler = [output("pooler_output", pooled, held=has_pooler)] if architecture.pooler else []
    logits = output("logits", ("batch_size", "sequence_length", "vocab_size"), held=has_mlm_head)
    features = [output("last_hidden_state", _HIDDEN), *pooler, *on_request]
    return [
        ModelClass(architecture.body_class, _body_parameters(config), features),
        ModelClass(architecture.mlm_class, _mlm_parameters(config), [logits, *on_request]),
    ]


def _body_parameters(config: ModelConfig) -> int | None:
    """With the pooler; None where the layers are not BERT's, and only transformers could count them."""
    if not isinstance(config, BertConfig):
        return None
    return layout.parameters(layout.body_layout(config) | layout.pooler_layout(config))


def _mlm_parameters(config: ModelConfig) -> int | None:
    if not isinstance(config, BertConfig):
        return None
    parameters = layout.parameters(layout.body_layout(config) | layout.mlm_head_layout(config))
    # A decoder that is not tied has a bias of its own, and leaves the head's bias unused beside it.
    has_two_biases = not config.tie_word_embeddings and not config.architecture.has_one_mlm_bias
    return parameters + config.vocab_size * has_two_biases


def known_parts(config: ModelConfig, held: Parts) -> dict[str, bool]:
    """What the checkpoint holds of the parts that its architecture has."""
    architecture = config.architecture
    has = {
        "pooler": architecture.pooler,
        "mlm_head": architecture.mlm_head,
        "next_sentence_head": architecture.next_sentence_head,
    }
    return {name: getattr(held, name) for name, tensors in has.items() if tensors}


def stored_tensors(infos: Iterable[TensorInfo]) -> list[StoredTensor]:
    """The tensors of a checkpoint as its files name them, in their order."""
    return [StoredTensor(info.name, info.shape, info.dtype, info.parameters, info.nbytes) for info in infos]
