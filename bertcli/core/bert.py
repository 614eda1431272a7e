"""The BERT forward pass (Devlin et al. 2019), written once over the operations of a backend.

Shapes: input_ids, token_type_ids (batch, seq); mask (batch, 1, 1, seq), True at real tokens, or None where every token
is real; hidden states (batch, seq, hidden); attention (batch, heads, seq, seq).
"""

from collections.abc import Iterator
from dataclasses import dataclass

from bertcli.checkpoints.config import BertConfig
from bertcli.core.backends import Array, Linear, Ops
from bertcli.core.weights import BertWeights, EmbeddingWeights, LayerWeights, MlmHeadWeights


@dataclass(frozen=True, slots=True)
class Inputs:
    """What goes in. token_type_ids: None where the architecture has none. position_ids: (seq,) or (batch, seq)."""

    input_ids: Array
    token_type_ids: Array | None
    position_ids: Array
    mask: Array | None


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
    ops: Ops, w: LayerWeights, x: Array, mask: Array | None, heads: int, want_attention: bool
) -> tuple[Array, Attention | None]:
    """Multi-head self-attention (Vaswani et al. 2017, section 3.2): the context, and how it came about where wanted."""
    query, key, value = (ops.split_heads(part, heads) for part in ops.linear_each(x, w.query_key_value))
    if not want_attention:
        return ops.merge_heads(ops.attention(query, key, value, mask)), None
    weights = ops.attention_weights(query, key, mask)
    return ops.merge_heads(weights @ value), Attention(weights, query, key, value)


def encoder_layer(
    ops: Ops, w: LayerWeights, x: Array, mask: Array | None, config: BertConfig, want_attention: bool
) -> tuple[Array, Attention | None]:
    """One post-norm transformer layer: its output, same shape as x, and its attention where wanted."""
    context, attention = self_attention(ops, w, x, mask, config.num_attention_heads, want_attention)
    x = ops.layer_norm(x + ops.linear(context, w.attention_output), w.attention_norm, config.layer_norm_eps)
    inner = ops.activation(config.hidden_act)(ops.linear(x, w.intermediate))
    return ops.layer_norm(x + ops.linear(inner, w.output), w.output_norm, config.layer_norm_eps), attention


def hidden_states(
    ops: Ops, weights: BertWeights, config: BertConfig, inputs: Inputs, want_attention: bool
) -> Iterator[tuple[Array, Attention | None]]:
    """Each of the num_hidden_layers + 1 hidden states in turn, with the attention of the layer that made it.

    The first comes from the embeddings and has no attention; the last is last_hidden_state. None is kept here, so a
    caller that needs one layer at a time holds one layer at a time.
    """
    x = embeddings(ops, weights.embeddings, inputs, config.layer_norm_eps)
    yield x, None
    for layer in weights.layers:
        x, attention = encoder_layer(ops, layer, x, inputs.mask, config, want_attention)
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
    transformed = ops.activation(config.mlm_head_act)(ops.linear(hidden, w.transform))
    return ops.linear(ops.layer_norm(transformed, w.transform_norm, config.layer_norm_eps), w.decoder)
