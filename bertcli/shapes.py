"""The name and shape of every output, from a config alone: neither torch nor numpy, and no weights."""

from collections.abc import Callable, Sequence
from math import prod

from bertcli.checkpoints import layout
from bertcli.checkpoints.config import BertConfig
from bertcli.checkpoints.weight_files import WeightFiles
from bertcli.results import ModelClass, Output, StoredTensor

# Whether a checkpoint has the tensors of a part of the model.
Holds = Callable[[layout.Layout], bool]
_BYTES_OF = {"float32": 4, "float16": 2, "bfloat16": 2}
_HIDDEN = ("batch_size", "sequence_length", "hidden_size")
_ATTENTION = ("batch_size", "num_attention_heads", "sequence_length", "sequence_length")


def model_classes(
    config: BertConfig,
    batch_size: int,
    sequence_length: int,
    dtype: str,
    holds: Holds | None,
) -> list[ModelClass]:
    """The outputs of BertModel and of BertForMaskedLM for a batch of this size.

    holds: whether the checkpoint has the tensors of a part of the model; None where there are no weights to see.
    """
    sizes = {
        "batch_size": batch_size,
        "sequence_length": sequence_length,
        "hidden_size": config.hidden_size,
        "num_attention_heads": config.num_attention_heads,
        "vocab_size": config.vocab_size,
    }

    def output(
        name: str, symbolic: Sequence[str], *, count: int = 1, default: bool = True, held: bool | None = True
    ) -> Output:
        shape = [sizes[axis] for axis in symbolic]
        return Output(name, symbolic, shape, count, dtype, count * prod(shape) * _BYTES_OF[dtype], default, held)

    on_request = [
        output("hidden_states", _HIDDEN, count=config.num_hidden_layers + 1, default=False),
        output("attentions", _ATTENTION, count=config.num_hidden_layers, default=False),
    ]
    body = layout.body_layout(config)
    pooler, mlm_head = layout.pooler_layout(config), layout.mlm_head_layout(config)
    features = [
        output("last_hidden_state", _HIDDEN),
        output("pooler_output", ("batch_size", "hidden_size"), held=holds(pooler) if holds else None),
        *on_request,
    ]
    masked_lm = [
        output("logits", ("batch_size", "sequence_length", "vocab_size"), held=holds(mlm_head) if holds else None),
        *on_request,
    ]
    # A decoder that is not tied has a bias of its own, and leaves the head's bias unused beside it.
    unused = 0 if config.tie_word_embeddings else config.vocab_size
    return [
        ModelClass("BertModel", layout.parameters(body | pooler), features),
        ModelClass("BertForMaskedLM", layout.parameters(body | mlm_head) + unused, masked_lm),
    ]


def stored_tensors(weight_files: WeightFiles) -> list[StoredTensor]:
    """The tensors of a checkpoint as its files name them, in their order."""
    return [
        StoredTensor(info.name, info.shape, info.dtype, info.parameters, info.nbytes) for info in weight_files.infos
    ]
