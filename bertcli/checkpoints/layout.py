"""The tensors of a BERT: their names, the shapes that a config gives them, and which part of the model each is of.

They are those of the families whose layers are BERT's as well, which call them otherwise (`canonical_name`).
Names are transformers' for BertModel, with the MLM head's under `cls.predictions.`, as BertForMaskedLM has them.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from math import prod

from bertcli.checkpoints.architectures import ARCHITECTURES, Architecture
from bertcli.checkpoints.config import BertConfig, ModelConfig

Shape = tuple[int, ...]
Layout = dict[str, Shape]

_LAYER_INDEX = re.compile(r"encoder\.layer\.(\d+)\.")


def embeddings_layout(config: BertConfig) -> Layout:
    """Word and position embeddings, token type embeddings where the architecture has them, and their LayerNorm."""
    hidden = config.hidden_size
    token_types = {"embeddings.token_type_embeddings.weight": (config.type_vocab_size, hidden)}
    if not config.type_vocab_size:
        token_types = {}
    return {
        "embeddings.word_embeddings.weight": (config.vocab_size, hidden),
        "embeddings.position_embeddings.weight": (config.max_position_embeddings, hidden),
        **token_types,
        **_layer_norm("embeddings.LayerNorm", hidden),
    }


def layer_layout(config: BertConfig, index: int) -> Layout:
    """One transformer layer: self-attention and the two-layer network after it."""
    hidden, inner, layer = config.hidden_size, config.intermediate_size, f"encoder.layer.{index}"
    return {
        **_linear(f"{layer}.attention.self.query", hidden, hidden),
        **_linear(f"{layer}.attention.self.key", hidden, hidden),
        **_linear(f"{layer}.attention.self.value", hidden, hidden),
        **_linear(f"{layer}.attention.output.dense", hidden, hidden),
        **_layer_norm(f"{layer}.attention.output.LayerNorm", hidden),
        **_linear(f"{layer}.intermediate.dense", inner, hidden),
        **_linear(f"{layer}.output.dense", hidden, inner),
        **_layer_norm(f"{layer}.output.LayerNorm", hidden),
    }


def body_layout(config: BertConfig) -> Layout:
    """Embeddings and all layers."""
    layout = embeddings_layout(config)
    for index in range(config.num_hidden_layers):
        layout |= layer_layout(config, index)
    return layout


def pooler_layout(config: BertConfig) -> Layout:
    """The dense layer over [CLS] that only BertModel has; empty where the architecture has none."""
    if not config.architecture.pooler:
        return {}
    return _linear("pooler.dense", config.hidden_size, config.hidden_size)


def mlm_head_layout(config: BertConfig) -> Layout:
    """The MLM head, without a decoder of its own: it is tied to the word embeddings unless the config unties it."""
    hidden = config.hidden_size
    layout = {
        **_linear("cls.predictions.transform.dense", hidden, hidden),
        **_layer_norm("cls.predictions.transform.LayerNorm", hidden),
        "cls.predictions.bias": (config.vocab_size,),
    }
    return layout if config.tie_word_embeddings else layout | own_decoder_layout(config)


def next_sentence_layout(config: BertConfig) -> Layout:
    """The next-sentence head over pooler_output; empty where the architecture has none."""
    if not config.architecture.next_sentence_head:
        return {}
    return {"cls.seq_relationship.weight": (2, config.hidden_size), "cls.seq_relationship.bias": (2,)}


def own_decoder_layout(config: BertConfig) -> Layout:
    """The decoder of an MLM head that does not share the word embeddings."""
    return {"cls.predictions.decoder.weight": (config.vocab_size, config.hidden_size)}


def pooler_tensors(config: ModelConfig) -> Collection[str]:
    """The names of the tensors without which a checkpoint has no pooler; none where the architecture has none."""
    return pooler_layout(config) if isinstance(config, BertConfig) else config.architecture.pooler


def mlm_head_tensors(config: ModelConfig) -> Collection[str]:
    """The names of the tensors without which a checkpoint has no MLM head."""
    return mlm_head_layout(config) if isinstance(config, BertConfig) else config.architecture.mlm_head


def parameters(layout: Layout) -> int:
    """How many numbers the tensors hold together."""
    return sum(prod(shape) for shape in layout.values())


def layer_parameters(config: ModelConfig) -> int:
    """How many numbers the layers hold together; 0 where they are not BERT's, and nobody here counts them."""
    if not isinstance(config, BertConfig):
        return 0
    return parameters(layer_layout(config, 0)) * config.num_hidden_layers


def canonical_name(name: str, architecture: Architecture = ARCHITECTURES["bert"]) -> str:
    """A tensor's name as BertModel has it, from its name in a family of BERT's blocks, or from a spelling of old.

    Where the layers are not BERT's it is the family's own, without the prefix that a head beside the body gives it.

    >>> canonical_name("bert.embeddings.LayerNorm.gamma")
    'embeddings.LayerNorm.weight'
    >>> canonical_name("distilbert.transformer.layer.0.ffn.lin1.bias", ARCHITECTURES["distilbert"])
    'encoder.layer.0.intermediate.dense.bias'
    """
    name = name.removeprefix(architecture.tensor_prefix)
    for part, berts in architecture.renames or ():
        name = name.replace(part, berts)
    if name.endswith(".gamma"):
        name = name.removesuffix("gamma") + "weight"
    elif name.endswith(".beta"):
        name = name.removesuffix("beta") + "bias"
    return "cls.predictions.bias" if name == "cls.predictions.decoder.bias" else name


def looks_like_bert(names: Iterable[str]) -> bool:
    """Whether tensors of these canonical names are a BERT's."""
    return {"embeddings.word_embeddings.weight", "encoder.layer.0.attention.self.query.weight"} <= set(names)


def has_embeddings(names: Iterable[str]) -> bool:
    """Whether tensors of these canonical names are of a body of any family."""
    return any(name.startswith("embeddings.") for name in names)


def surplus_layers(names: Iterable[str], config: BertConfig) -> int:
    """How many layers the names tell of beyond those that the config counts."""
    found = [int(match[1]) + 1 for name in names if (match := _LAYER_INDEX.match(name))]
    return max(max(found, default=0) - config.num_hidden_layers, 0)


def first_misfit(layout: Mapping[str, Shape], shapes: Mapping[str, Shape]) -> tuple[str, Shape, Shape] | None:
    """The first tensor whose shape is not the layout's: its name, the shape wanted and the shape found."""
    for name, wanted in layout.items():
        if name in shapes and shapes[name] != wanted:
            return name, wanted, shapes[name]
    return None


def _linear(name: str, out_features: int, in_features: int) -> Layout:
    return {f"{name}.weight": (out_features, in_features), f"{name}.bias": (out_features,)}


def _layer_norm(name: str, features: int) -> Layout:
    return {f"{name}.weight": (features,), f"{name}.bias": (features,)}
