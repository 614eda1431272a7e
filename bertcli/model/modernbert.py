"""The ModernBERT forward pass (Warner et al. 2024), written once for both numpy and torch.

It differs from BERT's in these points:
- The positions of tokens turn the query and the key. Nothing is added to the embeddings.
- Only some layers, the global ones, attend to all tokens. In a local layer, a token attends to those in a window.
- A layer normalises its inputs, not its outputs. One more norm follows the last layer.
- The feed-forward network has a gate.

Shapes are those of bertcli.model.bert. Texts may be padded or packed, as there.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from bertcli.checkpoints.config import ModernBertConfig
from bertcli.lazy_dataclass import dataclass
from bertcli.model.bert import Attention, Inputs, after_texts, attention_context, block_texts, unpack
from bertcli.model.modernbert_weights import ModernBertWeights, ModernLayerWeights
from bertcli.model.ops.base import Array, FloatArray, Ops
from bertcli.model.weights import MlmHeadWeights

# Number of queries of a local layer that attend together, to the keys that they can reach.
_CHUNK = 256


@dataclass(frozen=True, slots=True)
class Places:
    """The places of tokens, as the layers of one kind see them: global or local.

    cosine and sine are those of each token's angles, (seq, head_size / 2), or (tokens, head_size / 2) if packed. reach
    is the largest distance at which a token attends to another, or None if it attends to all.
    """

    cosine: Array
    sine: Array
    reach: int | None


def rotary_angles(length: int, head_size: int, theta: float) -> FloatArray:
    """Compute position * theta^(-2 i / head_size) for each position and pair i of features (Su et al. 2021).

    They are rounded to float32 as transformers rounds them, since an error grows with the position.

    Returns:
        (length, head_size / 2).
    """
    powers = np.float64(theta) ** (np.arange(0, head_size, 2, dtype=np.float32) / np.float32(head_size))
    frequencies: FloatArray = np.float32(1) / powers.astype(np.float32)
    return np.arange(length, dtype=np.float32)[:, None] * frequencies


def token_places(ops: Ops, inputs: Inputs, config: ModernBertConfig, is_global: bool) -> Places:
    """Return the places of tokens for the global or the local layers."""
    longest = inputs.input_ids.shape[-1] if inputs.packing is None else inputs.packing.shape[-1]
    theta = config.global_rope_theta if is_global else config.local_rope_theta
    angles = rotary_angles(longest, config.head_size, theta)
    tables = (function(angles, dtype=np.float64).astype(np.float32) for function in (np.cos, np.sin))
    cosine, sine = (ops.embedding(inputs.position_ids, ops.asarray(table)) for table in tables)
    return Places(cosine, sine, None if is_global else config.local_attention // 2)


def local_mask(ops: Ops, mask: Array | None, reach: int, queries: slice, keys: slice) -> Array:
    """Return True where a query attends to a key of a local layer: (queries, keys), or (batch, 1, queries, keys).

    Args:
        mask: (batch, 1, 1, seq), True at real tokens, or None if there is no padding.
        reach: The largest distance at which a token attends to another.
        queries, keys: The positions to compare.
    """
    rows, columns = (np.arange(span.start, span.stop, dtype=np.int32) for span in (queries, keys))
    is_near = ops.asarray(np.abs(rows[:, None] - columns) <= reach)
    if mask is None:
        return is_near
    # Padding attends to the padding around it. It may have nothing else in reach, and a softmax over nothing is NaN.
    is_padding = ~mask[..., queries].swapaxes(-1, -2)  # (batch, 1, queries, 1)
    return is_near & (mask[..., keys] | is_padding)


def projections(ops: Ops, w: ModernLayerWeights, x: Array, places: Places, eps: float) -> Sequence[Array]:
    """Normalise the hidden states, except in the first layer, and project them: query, key, value, same shape as x."""
    if w.attention_norm is not None:
        x = ops.layer_norm(x, w.attention_norm, eps)
    query, key, value = ops.linear_stacked(x, w.query_key_value)
    return [*(ops.rotate(part, places.cosine, places.sine) for part in (query, key)), value]


def layer_attention(
    ops: Ops, w: ModernLayerWeights, x: Array, inputs: Inputs, places: Places, config: ModernBertConfig
) -> Attention:
    """Compute the attention of one layer over padded texts, but not the context."""
    mask = inputs.mask
    parts = (unpack(ops, part, inputs.packing) for part in projections(ops, w, x, places, config.norm_eps))
    query, key, value = (ops.split_heads(part, config.num_attention_heads) for part in parts)
    if places.reach is not None:
        every = slice(0, query.shape[2])
        mask = local_mask(ops, mask, places.reach, every, every)
    return Attention(ops.attention_weights(query, key, mask), query, key, value)


def self_attention(
    ops: Ops, w: ModernLayerWeights, x: Array, inputs: Inputs, places: Places, config: ModernBertConfig
) -> Array:
    """Apply rotary multi-head self-attention, without the output projection: same shape as x."""
    parts, heads = projections(ops, w, x, places, config.norm_eps), config.num_attention_heads
    if inputs.packing is None:
        return attend(ops, [ops.split_heads(part, heads) for part in parts], inputs.mask, places.reach)
    contexts = []
    for block in inputs.packing.blocks:
        of_block = [ops.split_heads(block_texts(part, block), heads) for part in parts]
        contexts.append(attend(ops, of_block, None, places.reach).reshape(block.count * block.length, -1))
    return ops.concatenate([*contexts, after_texts(parts[0], inputs.packing)])


def attend(ops: Ops, parts: Sequence[Array], mask: Array | None, reach: int | None) -> Array:
    """Compute the context of all tokens: (batch, seq, hidden).

    A local layer takes a chunk of queries at a time, so that its work grows with the length and not with its square.

    Args:
        parts: query, key and value, each (batch, heads, seq, head_size).
        mask: (batch, 1, 1, seq), True at real tokens, or None if there is no padding.
        reach: The largest distance at which a token attends to another, or None if it attends to all.
    """
    query, key, value = parts
    length = query.shape[2]
    if reach is None or length <= reach + 1:
        return ops.merge_heads(ops.attention(query, key, value, mask))
    chunks = []
    for start in range(0, length, _CHUNK):
        queries = slice(start, min(start + _CHUNK, length))
        keys = slice(max(start - reach, 0), min(queries.stop + reach, length))
        seen = local_mask(ops, mask, reach, queries, keys)
        chunks.append(ops.attention(query[:, :, queries], key[:, :, keys], value[:, :, keys], seen))
    return ops.merge_heads(ops.concatenate(chunks, axis=2))


def encoder_layer(
    ops: Ops,
    w: ModernLayerWeights,
    x: Array,
    inputs: Inputs,
    places: Places,
    config: ModernBertConfig,
    want_attention: bool,
    context_mask: Array | None = None,
) -> tuple[Array, Attention | None]:
    """Apply one pre-norm transformer layer (Xiong et al. 2020) with a gated feed-forward network (Shazeer 2020).

    Args:
        x: Hidden states, (batch, seq, hidden), or (tokens, hidden) if packed.
        context_mask: As in bertcli.model.bert's.

    Returns:
        The layer's output, same shape as x, and its Attention if want_attention, else None.
    """
    attention = None
    if want_attention:
        attention = layer_attention(ops, w, x, inputs, places, config)
        context = attention_context(ops, attention, x, inputs.packing)
    else:
        context = self_attention(ops, w, x, inputs, places, config)
    if context_mask is not None:
        context = context * context_mask
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
    x = inputs.word_embeddings
    x = ops.embedding(inputs.input_ids, weights.embeddings) if x is None else x
    x = ops.layer_norm(x, weights.embeddings_norm, config.norm_eps)
    yield x, None
    of_global, of_local = (token_places(ops, inputs, config, is_global) for is_global in (True, False))
    for number, (layer, is_global) in enumerate(zip(weights.layers, config.global_layers, strict=True)):
        places = of_global if is_global else of_local
        if number == last_layer:
            yield x, layer_attention(ops, layer, x, inputs, places, config)
            return
        mask = inputs.context_masks.get(number)
        x, attention = encoder_layer(ops, layer, x, inputs, places, config, want_attention, mask)
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
