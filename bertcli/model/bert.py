"""The BERT forward pass (Devlin et al. 2019), written once for both numpy and torch.

Shapes:
    input_ids, token_type_ids: (batch, seq).
    mask: (batch, 1, 1, seq), True at real tokens, or None if there is no padding.
    hidden states: (batch, seq, hidden).
    attention weights: (batch, heads, seq, seq), from query to key.

All of BERT except attention treats each token on its own. The texts of a batch may therefore also be packed: laid end
to end without padding. Ids then are (tokens,), hidden states are (tokens, hidden), and blocks say where each text is.
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
class Inputs:
    """The inputs of a forward pass.

    token_type_ids is None if the architecture has none. position_ids is (seq,) or (batch, seq), or (tokens,) if packed.
    blocks covers all packed texts in order, and is None if the texts are padded. Tokens after the last block only fill
    the batch up, and their results have no meaning. context_masks holds a mask of the context, (hidden,), for each
    layer in which heads are switched off: 0 at the features of those heads, else 1. word_embeddings,
    (batch, seq, hidden), are used instead of those of input_ids.
    """

    input_ids: Array
    token_type_ids: Array | None
    position_ids: Array
    mask: Array | None
    blocks: Sequence[Block] | None = None
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
        want_attention: Also return the attention. The texts must not be packed then.

    Returns:
        The context, same shape as x, and the Attention if want_attention, else None.
    """
    if want_attention:
        attention = layer_attention(ops, w, x, inputs, heads)
        return ops.merge_heads(attention.weights @ attention.value), attention
    projections = ops.linear_stacked(x, w.query_key_value)  # query, key, value: each (..., hidden)
    if inputs.blocks is not None:
        contexts = [block_context(ops, projections, block, heads) for block in inputs.blocks]
        return ops.concatenate([*contexts, after_blocks(projections[0], inputs.blocks)]), None
    query, key, value = (ops.split_heads(part, heads) for part in projections)  # (batch, heads, seq, head_size)
    return ops.merge_heads(ops.attention(query, key, value, inputs.mask)), None


def layer_attention(ops: Ops, w: LayerWeights, x: Array, inputs: Inputs, heads: int) -> Attention:
    """Compute the attention weights of one layer over padded texts, but not the context."""
    query, key, value = (ops.split_heads(part, heads) for part in ops.linear_stacked(x, w.query_key_value))
    return Attention(ops.attention_weights(query, key, inputs.mask), query, key, value)


def block_context(ops: Ops, projections: Sequence[Array], block: Block, heads: int) -> Array:
    """Compute the context of one block of packed texts.

    Args:
        projections: query, key and value of all packed tokens, each (tokens, hidden).

    Returns:
        (block.count * block.length, hidden).
    """
    # each (count, heads, length, head_size)
    query, key, value = (ops.split_heads(part, heads) for part in block_texts(projections, block))
    return ops.merge_heads(ops.attention(query, key, value, None)).reshape(block.count * block.length, -1)


def block_texts(projections: Sequence[Array], block: Block) -> Iterator[Array]:
    """Yield the part of each projection, (tokens, hidden), that belongs to a block: (count, length, hidden)."""
    tokens = slice(block.start, block.start + block.count * block.length)
    for part in projections:
        yield part[tokens].reshape(block.count, block.length, -1)


def after_blocks(packed: Array, blocks: Sequence[Block]) -> Array:
    """Return the part of packed values, (tokens, hidden), that belongs to no text but fills the batch up."""
    last = blocks[-1]
    return packed[last.start + last.count * last.length :]


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
