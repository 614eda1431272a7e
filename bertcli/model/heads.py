"""Heads for classification and question answering over the last hidden state, for numpy and torch."""

from bertcli.checkpoints.heads import TaskHead
from bertcli.lazy_dataclass import dataclass
from bertcli.model.ops.base import Array, Linear, Ops
from bertcli.model.weights import BertWeights


@dataclass(frozen=True, slots=True)
class HeadWeights:
    """The weights of a head: the dense layer, (hidden, hidden), if it has one, and the output layer, (n, hidden)."""

    dense: Linear | None
    output: Linear


def load_head(weights: BertWeights, head: TaskHead) -> HeadWeights:
    """Read the weights of a head."""
    dense = None if head.dense is None else weights.linear(head.dense)
    return HeadWeights(dense, weights.linear(head.output))


def head_logits(ops: Ops, w: HeadWeights, head: TaskHead, last_hidden_state: Array) -> Array:
    """Compute the logits of a head.

    A head with a dense layer classifies the text by its first token, and one without it classifies each token.

    Args:
        ops: The backend.
        w: The weights of the head.
        head: The head.
        last_hidden_state: (batch, seq, hidden).

    Returns:
        (batch, n) for the text, (batch, seq, n) for each token.
    """
    if w.dense is None:
        return ops.linear(last_hidden_state, w.output)
    features = ops.linear_activation(last_hidden_state[:, 0], w.dense, head.activation)  # (batch, hidden)
    return ops.linear(features, w.output)
