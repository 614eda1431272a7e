"""The BERT forward pass (Devlin et al. 2019), written once for both numpy and torch.

Shapes:
    input_ids, token_type_ids: (batch, seq).
    mask: (batch, 1, 1, seq), True at real tokens, or None if there is no padding.
    hidden states: (batch, seq, hidden).
    attention weights: (batch, heads, seq, seq), from query to key.

All of BERT except attention treats each token on its own. The texts of a batch may therefore also be packed: laid end
to end without padding. Ids then are (tokens,), hidden states are (tokens, hidden), and a Packing says where each text
is. Attention runs over blocks of packed texts, or over padded texts if its weights are requested.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field

from bertcli.checkpoints.config import BertConfig
from bertcli.lazy_dataclass import dataclass
from bertcli.model.ops.base import Array, Linear, Ops
from bertcli.model.weights import BertWeights, EmbeddingWeights, LayerWeights, MlmHeadWeights


@dataclass(frozen=True, slots=True)
class Block:
    """Consecutive packed texts of equal length.

    start is the offset of the first token. count is the number of texts, and length the number of tokens of each.
    """

    start: int
    count: int
    length: int


@dataclass(frozen=True, slots=True)
class Packing:
    """The places of packed tokens.

    blocks covers all texts in order. Tokens after the last block only fill the batch up, and their results have no
    meaning. shape is that of the padded texts, (batch, seq).
    """

    blocks: Sequence[Block]
    shape: tuple[int, int]

    @property
    def token_count(self) -> int:
        """Number of tokens of the texts, without those that fill the batch up."""
        return sum(block.count * block.length for block in self.blocks)


@dataclass(frozen=True, slots=True)
class Inputs:
    """The inputs of a forward pass.

    token_type_ids is None if the architecture has none. position_ids is (seq,) or (batch, seq), or (tokens,) if packed.
    mask is that of the padded texts, also if they are packed. packing is None if they are padded. context_masks holds a
    mask of the context, (hidden,), for each layer in which heads are switched off: 0 at the features of those heads,
    else 1. word_embeddings, (batch, seq, hidden), are used instead of those of input_ids.
    """

    input_ids: Array
    token_type_ids: Array | None
    position_ids: Array
    mask: Array | None
    packing: Packing | None = None
    context_masks: Mapping[int, Array] = field(default_factory=dict)
    word_embeddings: Array | None = None


@dataclass(frozen=True, slots=True)
class Attention:
    """The attention of one layer.

    weights is (batch, heads, seq, seq), from query to key. query, key and value are (batch, heads, seq, head_size).
    """

    weights: Array
    query: Array
    key: Array
    value: Array


def embeddings(ops: Ops, w: EmbeddingWeights, inputs: Inputs, eps: float) -> Array:
    """Sum the word, token type and position embeddings, and normalise: (batch, seq, hidden)."""
    x = ops.embedding(inputs.input_ids, w.word) if inputs.word_embeddings is None else inputs.word_embeddings
    if inputs.token_type_ids is not None:
        x = x + ops.embedding(inputs.token_type_ids, w.token_type)
    return ops.layer_norm(x + ops.embedding(inputs.position_ids, w.position), w.norm, eps)


def self_attention(
    ops: Ops, w: LayerWeights, x: Array, inputs: Inputs, heads: int, want_attention: bool
) -> tuple[Array, Attention | None]:
    """Apply multi-head self-attention (Vaswani et al. 2017, section 3.2), without the output projection.

    Args:
        x: Hidden states, (batch, seq, hidden), or (tokens, hidden) if packed.
        want_attention: Also return the attention.

    Returns:
        The context, same shape as x, and the Attention if want_attention, else None.
    """
    if want_attention:
        attention = layer_attention(ops, w, x, inputs, heads)
        return attention_context(ops, attention, x, inputs.packing), attention
    projections = ops.linear_stacked(x, w.query_key_value)  # query, key, value: each (..., hidden)
    if inputs.packing is not None:
        contexts = [block_context(ops, projections, block, heads) for block in inputs.packing.blocks]
        return ops.concatenate([*contexts, after_texts(projections[0], inputs.packing)]), None
    query, key, value = (ops.split_heads(part, heads) for part in projections)  # (batch, heads, seq, head_size)
    return ops.merge_heads(ops.attention(query, key, value, inputs.mask)), None


def layer_attention(ops: Ops, w: LayerWeights, x: Array, inputs: Inputs, heads: int) -> Attention:
    """Compute the attention of one layer over padded texts, but not the context."""
    projections = (unpack(ops, part, inputs.packing) for part in ops.linear_stacked(x, w.query_key_value))
    query, key, value = (ops.split_heads(part, heads) for part in projections)
    return Attention(ops.attention_weights(query, key, inputs.mask), query, key, value)


def attention_context(ops: Ops, attention: Attention, x: Array, packing: Packing | None) -> Array:
    """Compute the context, same shape as the hidden states x, from the attention of padded texts."""
    context = ops.merge_heads(attention.weights @ attention.value)  # (batch, seq, hidden)
    if packing is None:
        return context
    texts = (part.reshape(-1, x.shape[-1]) for _, part in padded_texts(context, packing))
    return ops.concatenate([*texts, after_texts(x, packing)])


def unpack(ops: Ops, packed: Array, packing: Packing | None) -> Array:
    """Put packed tokens, (tokens, hidden), in a padded array, (batch, seq, hidden), with zeros at the padding."""
    if packing is None:
        return packed
    padded = ops.zeros_like(packed, (*packing.shape, packed.shape[-1]))
    for block, part in padded_texts(padded, packing):
        part[:] = block_texts(packed, block)
    return padded


def padded_texts(padded: Array, packing: Packing) -> Iterator[tuple[Block, Array]]:
    """Yield each block with its part of a padded array: (count, length, hidden)."""
    row = 0
    for block in packing.blocks:
        yield block, padded[row : row + block.count, : block.length]
        row += block.count


def block_context(ops: Ops, projections: Sequence[Array], block: Block, heads: int) -> Array:
    """Compute the context of one block of packed texts.

    Args:
        projections: query, key and value of all packed tokens, each (tokens, hidden).

    Returns:
        (block.count * block.length, hidden).
    """
    # each (count, heads, length, head_size)
    query, key, value = (ops.split_heads(block_texts(part, block), heads) for part in projections)
    return ops.merge_heads(ops.attention(query, key, value, None)).reshape(block.count * block.length, -1)


def block_texts(packed: Array, block: Block) -> Array:
    """Return the texts of a block of packed tokens, (tokens, hidden): (count, length, hidden)."""
    tokens = packed[block.start : block.start + block.count * block.length]
    return tokens.reshape(block.count, block.length, -1)


def after_texts(packed: Array, packing: Packing) -> Array:
    """Return the packed tokens, (tokens, hidden), that belong to no text but fill the batch up."""
    return packed[packing.token_count :]


def encoder_layer(
    ops: Ops,
    w: LayerWeights,
    x: Array,
    inputs: Inputs,
    config: BertConfig,
    want_attention: bool,
    context_mask: Array | None = None,
) -> tuple[Array, Attention | None]:
    """Apply one post-norm transformer layer (Vaswani et al. 2017, section 3.1).

    Args:
        x: Hidden states, (batch, seq, hidden), or (tokens, hidden) if packed.
        context_mask: Factors of the context, to switch heads off: (hidden,) or (batch, 1, hidden). None for all heads.

    Returns:
        The layer's output, same shape as x, and its Attention if want_attention, else None.
    """
    context, attention = self_attention(ops, w, x, inputs, config.num_attention_heads, want_attention)
    if context_mask is not None:
        context = context * context_mask
    x = ops.layer_norm(x + ops.linear(context, w.attention_output), w.attention_norm, config.layer_norm_eps)
    inner = ops.linear_activation(x, w.intermediate, config.hidden_act)  # (..., intermediate)
    return ops.layer_norm(x + ops.linear(inner, w.output), w.output_norm, config.layer_norm_eps), attention


def hidden_states(
    ops: Ops,
    weights: BertWeights,
    config: BertConfig,
    inputs: Inputs,
    want_attention: bool,
    last_layer: int | None = None,
) -> Iterator[tuple[Array, Attention | None]]:
    """Yield each of the num_hidden_layers + 1 hidden states with the attention of the layer that made it.

    The first hidden state comes from the embeddings and has no attention. The last is last_hidden_state. Nothing is
    kept here, so a caller that needs one layer at a time holds one layer at a time.

    Args:
        last_layer: Layer to stop at, from 0. Only its attention is computed, and it is yielded with the hidden state
            that went into the layer. None runs all layers.
    """
    x = embeddings(ops, weights.embeddings, inputs, config.layer_norm_eps)
    yield x, None
    for number, layer in enumerate(weights.layers):
        if number == last_layer:
            yield x, layer_attention(ops, layer, x, inputs, config.num_attention_heads)
            return
        mask = inputs.context_masks.get(number)
        x, attention = encoder_layer(ops, layer, x, inputs, config, want_attention, mask)
        yield x, attention
        del attention  # free it before the next layer computes its own


def pooler_output(ops: Ops, pooler: Linear, last_hidden_state: Array) -> Array:
    """Compute tanh(W h_[CLS] + b): (batch, seq, hidden) to (batch, hidden)."""
    return ops.tanh(ops.linear(last_hidden_state[:, 0], pooler))


def next_sentence_logits(ops: Ops, head: Linear, pooled: Array) -> Array:
    """Compute the logits of (B follows A, B is unrelated) from pooler_output: (batch, hidden) to (batch, 2)."""
    return ops.linear(pooled, head)


def mlm_logits(ops: Ops, w: MlmHeadWeights, hidden: Array, config: BertConfig) -> Array:
    """Compute the MLM head's logits over the vocabulary: (n, hidden) to (n, vocab).

    The head is a dense layer, an activation and a LayerNorm, then the decoder.
    """
    transformed = ops.linear_activation(hidden, w.transform, config.mlm_head_act)  # (n, hidden)
    return ops.linear(ops.layer_norm(transformed, w.transform_norm, config.layer_norm_eps), w.decoder)
