"""Encoding of arrays for the page: few bits per number, each row scaled by its maximum, deflated, as base64."""

import zlib
from base64 import b64encode
from typing import Any

import numpy as np

from bertcli.lazy_dataclass import dataclass
from bertcli.results.attention import AttentionOfLayer

FloatArray = np.ndarray[Any, Any]
# The integer that represents the largest magnitude of a row of a query or key vector.
VECTOR_STEPS = 32767
# Weights of a text with more tokens are stored in 8 bits. In 16 bits, the page of a long text would be twice as large.
MOST_16_BIT_TOKENS = 200
# Query and key vectors are left out for a text with more tokens, or if their total size before deflation is larger.
MOST_VECTOR_TOKENS, MOST_VECTOR_BYTES = 256, 4 << 20
# The rollouts are left out, except the one through all layers, if their total size before deflation is larger.
MOST_ROLLOUT_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class WeightEncoding:
    """Encoding of the weights and the rollout of a text.

    A step is an integer from 0 to 2**bits - 1. It means a share of the largest weight of the row:
    linear: step / (2**bits - 1). root: the square of that, so that small weights keep their digits.
    """

    bits: int
    law: str

    @property
    def most(self) -> int:
        """The step that means the largest weight of a row."""
        return (1 << self.bits) - 1

    def to_steps(self, shares: FloatArray) -> FloatArray:
        """Return the nearest steps to shares between 0 and 1."""
        parts = np.sqrt(shares) if self.law == "root" else shares
        steps: FloatArray = np.rint(parts * self.most)
        return steps

    def to_shares(self, steps: FloatArray) -> FloatArray:
        """Return the shares that the steps mean."""
        parts = steps / self.most
        return parts**2 if self.law == "root" else parts


LINEAR, ROOT = WeightEncoding(16, "linear"), WeightEncoding(8, "root")


def weight_encoding(token_count: int) -> WeightEncoding:
    """Return the encoding of the weights of a text with this number of tokens."""
    return LINEAR if token_count <= MOST_16_BIT_TOKENS else ROOT


@dataclass(frozen=True, slots=True)
class EncodedLayer:
    """An encoded layer. rollout and vectors (query and key) are None if they are left out.

    Each field is deflated (zlib), then base64. It holds, in little-endian order, the maxima of the rows as float32,
    then the steps of all numbers:
    attention: maxima (heads, seq), steps (heads, seq, seq) as uint16 or uint8, see weight_encoding.
    rollout: maxima (seq,), steps (seq, seq) as those of the attention.
    vectors: maxima (2, heads, seq), steps (2, heads, seq, head_size) as int16.
    """

    attention: str
    rollout: str | None
    vectors: str | None


class LayerEncoder:
    """Encoder of the layers of a model.

    The limits of a page's size depend on the number of layers.
    """

    def __init__(self, layer_count: int) -> None:
        self._layer_count = layer_count

    def __call__(self, layer: AttentionOfLayer) -> EncodedLayer:
        """Return the encoded layer."""
        return EncodedLayer(_encode_weights(layer.weights), self._rollout(layer), self._vectors(layer))

    def _rollout(self, layer: AttentionOfLayer) -> str | None:
        is_last = layer.layer == self._layer_count - 1
        if not is_last and layer.rollout.size * self._layer_count > MOST_ROLLOUT_BYTES:
            return None
        return _encode_weights(layer.rollout)

    def _vectors(self, layer: AttentionOfLayer) -> str | None:
        if layer.query is None or layer.key is None:
            return None
        size = 2 * layer.query.size * np.dtype(np.int16).itemsize * self._layer_count
        if layer.query.shape[1] > MOST_VECTOR_TOKENS or size > MOST_VECTOR_BYTES:
            return None
        return _encode_vectors(np.stack([layer.query, layer.key]))


def _encode_weights(weights: FloatArray) -> str:
    """Return the maxima of the rows and the steps of the weights, deflated, as base64.

    Args:
        weights: (..., seq, seq), not negative.
    """
    encoding = weight_encoding(weights.shape[-1])
    maxima = weights.max(-1).astype(np.float32)
    steps: FloatArray = np.empty(weights.shape, f"<u{encoding.bits // 8}")
    for head in np.ndindex(weights.shape[:-2]):  # one head at a time, to avoid a second float32 copy of the layer
        rows = weights[head]
        steps[head] = encoding.to_steps(_divided(rows, maxima[head][:, None]))
        if encoding.law == "root":
            # Keep the sum of each row instead of its maximum: rounding moves the sum by up to 0.5 %.
            maxima[head] = _divided(rows.sum(-1), encoding.to_shares(steps[head]).sum(-1))
    return _deflated(maxima, steps)


def _encode_vectors(vectors: FloatArray) -> str:
    """Return the largest magnitude of each vector and the steps of its numbers, deflated, as base64."""
    maxima = np.abs(vectors).max(-1).astype(np.float32)
    steps = np.rint(_divided(vectors, maxima[..., None]) * VECTOR_STEPS)
    return _deflated(maxima, steps.astype("<i2"))


def _divided(numbers: FloatArray, divisors: FloatArray) -> FloatArray:
    """Return numbers / divisors, and 0 where the divisor is 0."""
    quotients: FloatArray = np.divide(numbers, divisors, out=np.zeros_like(numbers), where=divisors > 0)
    return quotients


def _deflated(maxima: FloatArray, steps: FloatArray) -> str:
    # Deflate finds few repeats in such noisy numbers, so Z_FILTERED favours Huffman coding over string matching.
    packer = zlib.compressobj(6, strategy=zlib.Z_FILTERED)
    parts = (np.ascontiguousarray(maxima, "<f4"), np.ascontiguousarray(steps))
    content = b"".join([*(packer.compress(part.data) for part in parts), packer.flush()])
    return b64encode(content).decode("ascii")
