"""How much of each token reaches each other one through all layers."""

import numpy as np

from bertcli.core.backends import Array, Ops


class Rollout:
    """Attention rollout (Abnar & Zuidema 2020): the product A_L ... A_1 with A_l = (mean over heads + I) / 2.

    The identity stands for the residual connection. Rows of tokens sum to 1, as those of each A_l do.
    """

    def __init__(self, ops: Ops) -> None:
        self._ops = ops
        self._product: Array | None = None

    def observe(self, weights: Array) -> None:
        """The next layer's weights, from the first layer on: (batch, heads, seq, seq)."""
        identity = self._ops.asarray(np.eye(weights.shape[-1], dtype=np.float32))
        layer = (weights.sum(1) / weights.shape[1] + identity) / 2
        self._product = layer if self._product is None else layer @ self._product

    def matrices(self) -> Array:
        """(batch, seq, seq), from the token of the last layer to that of the embeddings. PAD columns hold zeros."""
        return self._ops.to_numpy(self._product)
