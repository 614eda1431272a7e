"""Weights of attention together with the size of what they weigh (Kobayashi et al. 2020)."""

from bertcli.core.backends import Array


def value_norms(weights: Array, value: Array, output: Array) -> Array:
    """||a[i, j] f(x_j)|| of each head, f(x) = (x W_V + b_V) W_O, W_O the head's own rows of the output projection.

    weights: (batch, heads, seq, seq). value: x W_V + b_V, (batch, heads, seq, head_size). output: the projection after
    the heads as checkpoints store it, (hidden, heads * head_size). Returns (batch, heads, seq, seq).
    """
    heads, head_size = value.shape[1], value.shape[-1]
    by_head = output.T.reshape(heads, head_size, output.shape[0])
    transformed = value @ by_head
    norms = ((transformed * transformed).sum(-1)) ** 0.5
    return weights * norms[:, :, None, :]
