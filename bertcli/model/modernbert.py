"""The ModernBERT forward pass (Warner et al. 2024), written once for both numpy and torch.

It differs from BERT's in these points:
- The positions of tokens turn the query and the key. Nothing is added to the embeddings.
- Only some layers, the global ones, attend to all tokens. In a local layer, a token attends to those in a window.
- A layer normalises its inputs, not its outputs. One more norm follows the last layer.
- The feed-forward network has a gate.

Shapes are those of bertcli.model.bert. Texts may be padded or packed, as there.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from bertcli.checkpoints.config import ModernBertConfig
from bertcli.model.bert import Attention, Inputs, block_context
from bertcli.model.modernbert_weights import ModernBertWeights, ModernLayerWeights
from bertcli.model.ops.base import Array, BoolArray, FloatArray, Ops
from bertcli.model.weights import MlmHeadWeights


@dataclass(frozen=True, slots=True)
class Pattern:
    """The rotation of tokens, and the tokens that attend to each other, in the layers of one kind: global or local.

    cosine and sine are those of each token's angles, (seq, head_size / 2), or (tokens, head_size / 2) if packed. mask
    is True where a query attends to a key: (batch, 1, 1 or seq, seq), or (seq, seq) if no text has padding, or None if
    all queries attend to all keys. If packed, it is (longest, longest), and shorter texts use its corner.
    """

    cosine: Array
    sine: Array
    mask: Array | None


def rotary_angles(length: int, head_size: int, theta: float) -> FloatArray:
    """Compute position * theta^(-2 i / head_size) for each position and pair i of features (Su et al. 2021).

    They are rounded to float32 as transformers rounds them, since an error grows with the position.

    Returns:
        (length, head_size / 2).
    """
    powers = np.float64(theta) ** (np.arange(0, head_size, 2, dtype=np.float32) / np.float32(head_size))
    frequencies: FloatArray = np.float32(1) / powers.astype(np.float32)
    return np.arange(length, dtype=np.float32)[:, None] * frequencies


def window(length: int, local_attention: int) -> BoolArray:
    """Return True for each query and key that are at most local_attention / 2 tokens apart: (length, length)."""
    positions = np.arange(length)
    near: BoolArray = np.abs(positions[:, None] - positions) <= local_attention // 2
    return near


def pattern(ops: Ops, inputs: Inputs, config: ModernBertConfig, is_global: bool) -> Pattern:
    """Return the pattern of the global or of the local layers."""
    longest = inputs.input_ids.shape[-1] if inputs.blocks is None else max(block.length for block in inputs.blocks)
    theta = config.global_rope_theta if is_global else config.local_rope_theta
    angles = rotary_angles(longest, config.head_size, theta)
    tables = (function(angles, dtype=np.float64).astype(np.float32) for function in (np.cos, np.sin))
    cosine, sine = (ops.embedding(inputs.position_ids, ops.asarray(table)) for table in tables)
    near = window(longest, config.local_attention)
    if is_global or near.all():
        return Pattern(cosine, sine, inputs.mask)
    if inputs.mask is None:
        return Pattern(cosine, sine, ops.asarray(near))
    # Padding may have no token in its window, and a softmax over nothing is NaN. So let padding attend to all tokens.
    is_padding = ~inputs.mask.swapaxes(-1, -2)  # (batch, 1, seq, 1)
    return Pattern(cosine, sine, inputs.mask & (ops.asarray(near) | is_padding))


def projections(ops: Ops, w: ModernLayerWeights, x: Array, of_layer: Pattern, eps: float) -> Sequence[Array]:
    """Normalise the hidden states, except in the first layer, and project them: query, key, value, same shape as x."""
    if w.attention_norm is not None:
        x = ops.layer_norm(x, w.attention_norm, eps)
    query, key, value = ops.linear_stacked(x, w.query_key_value)
    turned = (ops.rotate(part, of_layer.cosine, of_layer.sine) for part in (query, key))
    return [*turned, value]


def layer_attention(
    ops: Ops, w: ModernLayerWeights, x: Array, of_layer: Pattern, config: ModernBertConfig
) -> Attention:
    """Compute the attention weights of one layer over padded texts, but not the context."""
    parts = projections(ops, w, x, of_layer, config.norm_eps)
    query, key, value = (ops.split_heads(part, config.num_attention_heads) for part in parts)
    return Attention(ops.attention_weights(query, key, of_layer.mask), query, key, value)


def self_attention(
    ops: Ops, w: ModernLayerWeights, x: Array, inputs: Inputs, of_layer: Pattern, config: ModernBertConfig
) -> Array:
    """Apply rotary multi-head self-attention, without the output projection: same shape as x."""
    parts, heads, mask = projections(ops, w, x, of_layer, config.norm_eps), config.num_attention_heads, of_layer.mask
    if inputs.blocks is None:
        query, key, value = (ops.split_heads(part, heads) for part in parts)  # (batch, heads, seq, head_size)
        return ops.merge_heads(ops.attention(query, key, value, mask))
    contexts = []
    for block in inputs.blocks:
        of_block = None if mask is None else mask[: block.length, : block.length]
        contexts.append(block_context(ops, parts, block, heads, of_block))
    return ops.concatenate(contexts)


def encoder_layer(
    ops: Ops,
    w: ModernLayerWeights,
    x: Array,
    inputs: Inputs,
    of_layer: Pattern,
    config: ModernBertConfig,
    want_attention: bool,
) -> tuple[Array, Attention | None]:
    """Apply one pre-norm transformer layer (Xiong et al. 2020) with a gated feed-forward network (Shazeer 2020).

    Args:
        x: Hidden states, (batch, seq, hidden), or (tokens, hidden) if packed.

    Returns:
        The layer's output, same shape as x, and its Attention if want_attention, else None.
    """
    attention = None
    if want_attention:
        attention = layer_attention(ops, w, x, of_layer, config)
        context = ops.merge_heads(attention.weights @ attention.value)
    else:
        context = self_attention(ops, w, x, inputs, of_layer, config)
    x = x + ops.linear(context, w.attention_output)
    normed = ops.layer_norm(x, w.mlp_norm, config.norm_eps)
    inner = ops.linear_activation(normed, w.inner, config.hidden_activation)  # (..., intermediate)
    return x + ops.linear(inner * ops.linear(normed, w.gate), w.output), attention


def hidden_states(
    ops: Ops,
    weights: ModernBertWeights,
    config: ModernBertConfig,
    inputs: Inputs,
    want_attention: bool,
    last_layer: int | None = None,
) -> Iterator[tuple[Array, Attention | None]]:
    """Yield each of the num_hidden_layers + 1 hidden states with the attention of the layer that made it.

    The final norm applies to the last one only, which is last_hidden_state. Otherwise as bertcli.model.bert's.
    """
    x = ops.layer_norm(ops.embedding(inputs.input_ids, weights.embeddings), weights.embeddings_norm, config.norm_eps)
    yield x, None
    of_global, of_local = (pattern(ops, inputs, config, is_global) for is_global in (True, False))
    for number, (layer, is_global) in enumerate(zip(weights.layers, config.global_layers, strict=True)):
        of_layer = of_global if is_global else of_local
        if number == last_layer:
            yield x, layer_attention(ops, layer, x, of_layer, config)
            return
        x, attention = encoder_layer(ops, layer, x, inputs, of_layer, config, want_attention)
        if number == config.num_hidden_layers - 1:
            x = final_norm(ops, weights, x, config)
        yield x, attention
        del attention  # free it before the next layer computes its own


def final_norm(ops: Ops, weights: ModernBertWeights, hidden: Array, config: ModernBertConfig) -> Array:
    """Apply the norm that follows the last layer to hidden states of any layer."""
    return ops.layer_norm(hidden, weights.final_norm, config.norm_eps)


def mlm_logits(ops: Ops, w: MlmHeadWeights, hidden: Array, config: ModernBertConfig) -> Array:
    """Compute the MLM head's logits over the vocabulary from states after the final norm: (n, hidden) to (n, vocab)."""
    transformed = ops.linear_activation(hidden, w.transform, config.classifier_activation)  # (n, hidden)
    return ops.linear(ops.layer_norm(transformed, w.transform_norm, config.norm_eps), w.decoder)
