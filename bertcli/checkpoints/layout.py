"""Layouts of BERT's parts: the names of their tensors, and the shapes that a config gives them.

Names are those of transformers' BertModel; the MLM head's begin with `cls.predictions.`, as in BertForMaskedLM.
`canonical_name` translates the names of other families whose layers are BERT's. Linear weights are (out, in). The parts
of a ModernBERT have names of their own, in modernbert_layout. Only its checkpoints need that module, and imports take
time, so it is imported where it is used.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from math import prod

from bertcli.checkpoints.architectures import Architecture
from bertcli.checkpoints.config import BertConfig, ModelConfig, ModernBertConfig, OwnConfig
from bertcli.checkpoints.families import ARCHITECTURES

Shape = tuple[int, ...]
Layout = dict[str, Shape]

_LAYER_INDEX = re.compile(r"(?:encoder\.layer|layers)\.([0-9]{1,9})\.")


def embeddings_layout(config: BertConfig) -> Layout:
    """Return the layout of the embeddings: word, position, token type (if the architecture has it), LayerNorm."""
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
    """Return the layout of one transformer layer: self-attention and the feed-forward network."""
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


def body_layout(config: OwnConfig) -> Layout:
    """Return the layout of the embeddings and all layers."""
    if isinstance(config, ModernBertConfig):
        from bertcli.checkpoints import modernbert_layout

        return modernbert_layout.body_layout(config)
    layout = embeddings_layout(config)
    for index in range(config.num_hidden_layers):
        layout |= layer_layout(config, index)
    return layout


def pooler_layout(config: OwnConfig) -> Layout:
    """Return the layout of the pooler, a dense layer over [CLS]. It is empty if the architecture has no pooler."""
    if not config.architecture.pooler:
        return {}
    return _linear("pooler.dense", config.hidden_size, config.hidden_size)


def mlm_head_layout(config: OwnConfig) -> Layout:
    """Return the layout of the MLM head.

    Its decoder is included only if the config unties it; else its weight is the word embeddings.
    """
    if isinstance(config, ModernBertConfig):
        from bertcli.checkpoints import modernbert_layout

        return modernbert_layout.mlm_head_layout(config)
    hidden = config.hidden_size
    layout = {
        **_linear("cls.predictions.transform.dense", hidden, hidden),
        **_layer_norm("cls.predictions.transform.LayerNorm", hidden),
        "cls.predictions.bias": (config.vocab_size,),
    }
    return layout if config.tie_word_embeddings else layout | own_decoder_layout(config)


def next_sentence_layout(config: OwnConfig) -> Layout:
    """Return the layout of the next-sentence head over pooler_output. It is empty if the architecture has none."""
    if not config.architecture.next_sentence_head:
        return {}
    return {"cls.seq_relationship.weight": (2, config.hidden_size), "cls.seq_relationship.bias": (2,)}


def own_decoder_layout(config: OwnConfig) -> Layout:
    """Return the layout of an MLM head's untied decoder, which does not share the word embeddings."""
    if isinstance(config, ModernBertConfig):
        from bertcli.checkpoints import modernbert_layout

        return modernbert_layout.own_decoder_layout(config)
    return {"cls.predictions.decoder.weight": (config.vocab_size, config.hidden_size)}


def pooler_tensors(config: ModelConfig) -> Collection[str]:
    """Return the tensors that a checkpoint with a pooler must hold. Empty if the architecture has no pooler."""
    return pooler_layout(config) if isinstance(config, OwnConfig) else config.architecture.pooler


def mlm_head_tensors(config: ModelConfig) -> Collection[str]:
    """Return the tensors that a checkpoint with an MLM head must hold."""
    return mlm_head_layout(config) if isinstance(config, OwnConfig) else config.architecture.mlm_head


def count_parameters(layout: Layout) -> int:
    """Return the number of values in all tensors of a layout."""
    return sum(prod(shape) for shape in layout.values())


def layer_parameters(config: ModelConfig) -> int:
    """Return the number of values in all layers, or 0 if only transformers could count them."""
    if isinstance(config, ModernBertConfig):
        from bertcli.checkpoints import modernbert_layout

        return count_parameters(modernbert_layout.layers_layout(config))
    if not isinstance(config, BertConfig):
        return 0
    return count_parameters(layer_layout(config, 0)) * config.num_hidden_layers


def canonical_name(name: str, architecture: Architecture = ARCHITECTURES["bert"]) -> str:
    """Return BertModel's name of a tensor, given its name in a family with BERT's layers or its old spelling.

    If the layers are not BERT's, return the family's own name, without the prefix that a model with a head adds.

    >>> canonical_name("bert.embeddings.LayerNorm.gamma")
    'embeddings.LayerNorm.weight'
    >>> canonical_name("distilbert.transformer.layer.0.ffn.lin1.bias", ARCHITECTURES["distilbert"])
    'encoder.layer.0.intermediate.dense.bias'
    """
    name = name.removeprefix(architecture.tensor_prefix).removeprefix(architecture.old_tensor_prefix)
    for part, bert_part in architecture.renames or ():
        name = name.replace(part, bert_part)
    if name.endswith(".gamma"):
        name = name.removesuffix("gamma") + "weight"
    elif name.endswith(".beta"):
        name = name.removesuffix("beta") + "bias"
    return "cls.predictions.bias" if name == "cls.predictions.decoder.bias" else name


def has_own_names(names: Iterable[str], config: OwnConfig) -> bool:
    """Return True if these canonical names include those of the body of a BERT, or of a ModernBERT."""
    if isinstance(config, ModernBertConfig):
        return {"embeddings.tok_embeddings.weight", "layers.0.attn.Wqkv.weight"} <= set(names)
    return {"embeddings.word_embeddings.weight", "encoder.layer.0.attention.self.query.weight"} <= set(names)


def has_embeddings(names: Iterable[str]) -> bool:
    """Return True if these canonical names include embeddings, which every family has."""
    return any(name.startswith(("embeddings.", "embed_tokens.")) for name in names)


def extra_layers(names: Iterable[str], config: ModelConfig) -> int:
    """Return the number of layers among the names beyond num_hidden_layers."""
    found = [int(match[1]) + 1 for name in names if (match := _LAYER_INDEX.match(name))]
    return max(max(found, default=0) - config.num_hidden_layers, 0)


def first_mismatch(layout: Mapping[str, Shape], shapes: Mapping[str, Shape]) -> tuple[str, Shape, Shape] | None:
    """Find the first tensor whose shape differs from the layout.

    Returns:
        Its name, the expected shape and the actual shape; None if all shapes match.
    """
    for name, expected in layout.items():
        if name in shapes and shapes[name] != expected:
            return name, expected, shapes[name]
    return None


def _linear(name: str, out_features: int, in_features: int) -> Layout:
    return {f"{name}.weight": (out_features, in_features), f"{name}.bias": (out_features,)}


def _layer_norm(name: str, features: int) -> Layout:
    return {f"{name}.weight": (features,), f"{name}.bias": (features,)}
