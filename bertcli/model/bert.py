"""The BERT forward pass (Devlin et al. 2019), written once over the operations of a backend.

Shapes: input_ids, token_type_ids (batch, seq); mask (batch, 1, 1, seq), True at real tokens, or None where every token
is real; hidden states (batch, seq, hidden); attention (batch, heads, seq, seq).

Everything but attention takes each token by itself. So the texts of a batch may also come packed, one after another
without padding: (tokens,) ids and (tokens, hidden) states, and blocks that say where the texts are.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bertcli.checkpoints.config import BertConfig
from bertcli.model.ops.base import Array, Linear, Ops
from bertcli.model.weights import BertWeights, EmbeddingWeights, LayerWeights, MlmHeadWeights


@dataclass(frozen=True, slots=True)
class Block:
    """Packed texts of one length: where the first one starts, how many they are and how many tokens each has."""

    start: int
    count: int
    length: int


@dataclass(frozen=True, slots=True)
class Inputs:
    """What goes in. token_type_ids: None where the architecture has none. position_ids: (seq,) or (batch, seq).

    blocks: of packed texts, all of them in order, else None.
    """

    input_ids: Array
    token_type_ids: Array | None
    position_ids: Array
    mask: Array | None
    blocks: Sequence[Block] | None = None


@dataclass(frozen=True, slots=True)
class Attention:
    """One layer's. weights: (batch, heads, seq, seq), from query to key. The rest: (batch, heads, seq, head_size)."""

    weights: Array
    query: Array
    key: Array
    value: Array


def embeddings(ops: Ops, w: EmbeddingWeights, inputs: Inputs, eps: float) -> Array:
    """The sum of word, token type and position embeddings, normalised: the first of the hidden states."""
    x = ops.embedding(inputs.input_ids, w.word)
    if inputs.token_type_ids is not None:
        x = x + ops.embedding(inputs.token_type_ids, w.token_type)
    return ops.layer_norm(x + ops.embedding(inputs.position_ids, w.position), w.norm, eps)


def self_attention(
    ops: Ops, w: LayerWeights, x: Array, inputs: Inputs, heads: int, want_attention: bool
) -> tuple[Array, Attention | None]:
    """Multi-head self-attention (Vaswani et al. 2017, section 3.2): the context, and how it came about where wanted.

    Of packed texts there is the context alone.
    """
    if want_attention:
        attention = attention_alone(ops, w, x, inputs, heads)
        return ops.merge_heads(attention.weights @ attention.value), attention
    projections = ops.linear_each(x, w.query_key_value)
    if inputs.blocks is not None:
        return ops.concatenate([block_context(ops, projections, block, heads) for block in inputs.blocks]), None
    query, key, value = (ops.split_heads(part, heads) for part in projections)
    return ops.merge_heads(ops.attention(query, key, value, inputs.mask)), None


def attention_alone(ops: Ops, w: LayerWeights, x: Array, inputs: Inputs, heads: int) -> Attention:
    """One layer's attention over texts that are not packed, without what comes of it."""
    query, key, value = (ops.split_heads(part, heads) for part in ops.linear_each(x, w.query_key_value))
    return Attention(ops.attention_weights(query, key, inputs.mask), query, key, value)


def block_context(ops: Ops, projections: Sequence[Array], block: Block, heads: int) -> Array:
    """The context of packed texts of one length: (count x length, hidden)."""
    tokens = block.count * block.length
    texts = (part[block.start : block.start + tokens].reshape(block.count, block.length, -1) for part in projections)
    query, key, value = (ops.split_heads(part, heads) for part in texts)
    return ops.merge_heads(ops.attention(query, key, value, None)).reshape(tokens, -1)


def encoder_layer(
    ops: Ops, w: LayerWeights, x: Array, inputs: Inputs, config: BertConfig, want_attention: bool
) -> tuple[Array, Attention | None]:
    """One post-norm transformer layer: its output, same shape as x, and its attention where wanted."""
    context, attention = self_attention(ops, w, x, inputs, config.num_attention_heads, want_attention)
    x = ops.layer_norm(x + ops.linear(context, w.attention_output), w.attention_norm, config.layer_norm_eps)
    inner = ops.linear_activation(x, w.intermediate, config.hidden_act)
    return ops.layer_norm(x + ops.linear(inner, w.output), w.output_norm, config.layer_norm_eps), attention


def hidden_states(
    ops: Ops,
    weights: BertWeights,
    config: BertConfig,
    inputs: Inputs,
    want_attention: bool,
    last_layer: int | None = None,
) -> Iterator[tuple[Array, Attention | None]]:
    """Each of the num_hidden_layers + 1 hidden states in turn, with the attention of the layer that made it.

    The first comes from the embeddings and has no attention; the last is last_hidden_state. None is kept here, so a
    caller that needs one layer at a time holds one layer at a time.

    last_layer: the one that ends it with its attention alone, beside the hidden state that went into it.
    """
    x = embeddings(ops, weights.embeddings, inputs, config.layer_norm_eps)
    yield x, None
    for number, layer in enumerate(weights.layers):
        if number == last_layer:
            yield x, attention_alone(ops, layer, x, inputs, config.num_attention_heads)
            return
        x, attention = encoder_layer(ops, layer, x, inputs, config, want_attention)
        yield x, attention
        del attention  # before the next layer's is made


def pooler_output(ops: Ops, pooler: Linear, last_hidden_state: Array) -> Array:
    """tanh(W h_[CLS] + b): (batch, hidden)."""
    return ops.tanh(ops.linear(last_hidden_state[:, 0], pooler))


def next_sentence_logits(ops: Ops, head: Linear, pooled: Array) -> Array:
    """Logits over (B follows A, B comes from elsewhere), from pooler_output: (batch, 2)."""
    return ops.linear(pooled, head)


def mlm_logits(ops: Ops, w: MlmHeadWeights, hidden: Array, config: BertConfig) -> Array:
    """Logits over the vocabulary: dense, activation and LayerNorm, then the decoder. (n, hidden) to (n, vocab)."""
    transformed = ops.linear_activation(hidden, w.transform, config.mlm_head_act)
    return ops.linear(ops.layer_norm(transformed, w.transform_norm, config.layer_norm_eps), w.decoder)
