"""Layouts of ModernBERT's parts: the names of their tensors, and the shapes that a config gives them.

Names are those of transformers' ModernBertModel; the head's are those of ModernBertForMaskedLM. Linear weights are
(out, in). A linear layer or a norm has a bias only if the config says so.
"""

from bertcli.checkpoints.config import ModernBertConfig

Layout = dict[str, tuple[int, ...]]


def body_layout(config: ModernBertConfig) -> Layout:
    """Return the layout of the embeddings, all layers and the final norm."""
    embeddings: Layout = {"embeddings.tok_embeddings.weight": (config.vocab_size, config.hidden_size)}
    return embeddings | _norm("embeddings.norm", config) | layers_layout(config) | _norm("final_norm", config)


def layers_layout(config: ModernBertConfig) -> Layout:
    """Return the layout of all layers."""
    layout: Layout = {}
    for index in range(config.num_hidden_layers):
        layout |= _layer(config, index)
    return layout


def _layer(config: ModernBertConfig, index: int) -> Layout:
    """Return the layout of one transformer layer. The first has no norm before its attention."""
    hidden, inner, layer = config.hidden_size, config.intermediate_size, f"layers.{index}"
    return {
        **(_norm(f"{layer}.attn_norm", config) if index else {}),
        **_linear(f"{layer}.attn.Wqkv", 3 * hidden, hidden, config.attention_bias),
        **_linear(f"{layer}.attn.Wo", hidden, hidden, config.attention_bias),
        **_norm(f"{layer}.mlp_norm", config),
        **_linear(f"{layer}.mlp.Wi", 2 * inner, hidden, config.mlp_bias),
        **_linear(f"{layer}.mlp.Wo", hidden, inner, config.mlp_bias),
    }


def mlm_head_layout(config: ModernBertConfig) -> Layout:
    """Return the layout of the MLM head. It includes the decoder only if the config unties it."""
    layout = {
        **_linear("head.dense", config.hidden_size, config.hidden_size, config.classifier_bias),
        **_norm("head.norm", config),
        **({"decoder.bias": (config.vocab_size,)} if config.decoder_bias else {}),
    }
    return layout if config.tie_word_embeddings else layout | own_decoder_layout(config)


def own_decoder_layout(config: ModernBertConfig) -> Layout:
    """Return the layout of an MLM head's untied decoder, which does not share the word embeddings."""
    return {"decoder.weight": (config.vocab_size, config.hidden_size)}


def _linear(name: str, out_features: int, in_features: int, has_bias: bool) -> Layout:
    weight: Layout = {f"{name}.weight": (out_features, in_features)}
    return {**weight, f"{name}.bias": (out_features,)} if has_bias else weight


def _norm(name: str, config: ModernBertConfig) -> Layout:
    weight: Layout = {f"{name}.weight": (config.hidden_size,)}
    return {**weight, f"{name}.bias": (config.hidden_size,)} if config.norm_bias else weight
