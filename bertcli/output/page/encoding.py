"""Encoding of arrays for the page: few bits per number, each row scaled by its maximum, deflated, as text."""

import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from bertcli.results.attention import AttentionOfLayer

FloatArray = np.ndarray[Any, Any]
# The integer that represents the largest magnitude of a row: of weights (0 to 1), and of vectors (possibly negative).
# On a fixed scale from 0 to 1, 8 bits cannot represent uniform attention over 512 tokens, which is 0.002 each.
WEIGHT_STEPS, VECTOR_STEPS = 255, 32767
# Query and key vectors are left out for a text with more tokens, or if their total size before deflation is larger.
MOST_VECTOR_TOKENS, MOST_VECTOR_BYTES = 256, 4 << 20
# The rollouts are left out, except the one through all layers, if their total size before deflation is larger.
MOST_ROLLOUT_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Packed:
    """Deflated arrays.

    size: Number of bytes. digits: The bytes as text, see to_digits.
    """

    size: int
    digits: str


@dataclass(frozen=True, slots=True)
class EncodedLayer:
    """An encoded layer. rollout and vectors (query and key) are None if they are left out.

    Each field is deflated (zlib). It holds, in little-endian order, the maxima of the rows as float32, then the steps
    of all numbers:
    attention: maxima (heads, seq), steps (heads, seq, seq) as uint8.
    rollout: maxima (seq,), steps (seq, seq) as uint8.
    vectors: maxima (2, heads, seq), steps (2, heads, seq, head_size) as int16.
    """

    attention: Packed
    rollout: Packed | None
    vectors: Packed | None


class LayerEncoder:
    """Encoder of the layers of a model.

    The limits of a page's size depend on the number of layers.
    """

    def __init__(self, layer_count: int) -> None:
        self._layer_count = layer_count

    def __call__(self, layer: AttentionOfLayer) -> EncodedLayer:
        """Return the encoded layer."""
        attention = _packed(layer.weights, WEIGHT_STEPS, np.uint8)
        return EncodedLayer(attention, self._rollout(layer), self._vectors(layer))

    def _rollout(self, layer: AttentionOfLayer) -> Packed | None:
        is_last = layer.layer == self._layer_count - 1
        if not is_last and layer.rollout.size * self._layer_count > MOST_ROLLOUT_BYTES:
            return None
        return _packed(layer.rollout, WEIGHT_STEPS, np.uint8)

    def _vectors(self, layer: AttentionOfLayer) -> Packed | None:
        if layer.query is None or layer.key is None:
            return None
        size = 2 * layer.query.size * np.dtype(np.int16).itemsize * self._layer_count
        if layer.query.shape[1] > MOST_VECTOR_TOKENS or size > MOST_VECTOR_BYTES:
            return None
        return _packed(np.stack([layer.query, layer.key]), VECTOR_STEPS, np.int16)


def _packed(x: FloatArray, steps: int, dtype: type) -> Packed:
    """Return the largest magnitude of each row, and each number as an integer share of it, deflated.

    Args:
        x: (..., rows, n).
        steps: Integer that represents the largest magnitude of a row.
        dtype: Type of the integers.
    """
    maxima = np.abs(x).max(-1).astype(np.float32)
    scales = np.divide(steps, maxima, out=np.zeros_like(maxima), where=maxima > 0)
    scaled: FloatArray = np.empty(x.shape, dtype)
    for row in np.ndindex(x.shape[:-2]):  # one head at a time, to avoid a second float32 copy of the layer
        scaled[row] = np.rint(x[row] * scales[row][..., None])
    # Deflate finds few repeats in such noisy numbers, so Z_FILTERED favours Huffman coding over string matching.
    packer = zlib.compressobj(6, strategy=zlib.Z_FILTERED)
    little_endian = (np.ascontiguousarray(array, array.dtype.newbyteorder("<")) for array in (maxima, scaled))
    content = b"".join([*(packer.compress(array.data) for array in little_endian), packer.flush()])
    return Packed(len(content), to_digits(content))


BYTES, DIGITS = 6, 7
# ASCII characters that can end a script element, are changed by an HTML parser (as NUL and CR are), or control a
# terminal on which the file is printed. All others are digits.
_LEFT_OUT = (0x00, 0x05, 0x07, 0x08, 0x0B, 0x0C, 0x0D, 0x0E, 0x0F, 0x1B, ord("<"), 0x7F)
ALPHABET = bytes(code for code in range(128) if code not in _LEFT_OUT)
_BASE = len(ALPHABET)


def to_digits(content: bytes) -> str:
    """Return the bytes as text: seven characters for six bytes, where base64 needs eight.

    Six bytes are a big-endian number, which has seven digits in base 116. A page of 512 tokens is one eighth smaller
    than with base64. The last group is padded with zero bytes, so a decoder needs the number of bytes.
    """
    groups = -(-len(content) // BYTES)
    padded = np.zeros((groups, 8), np.uint8)
    padded[:, 8 - BYTES :] = np.frombuffer(content.ljust(groups * BYTES, b"\0"), np.uint8).reshape(groups, BYTES)
    numbers: Any = padded.view(">u8")[:, 0].astype(np.uint64)
    digits = np.empty((groups, DIGITS), np.uint8)
    for place in reversed(range(DIGITS)):
        numbers, digits[:, place] = np.divmod(numbers, np.uint64(_BASE))
    return np.frombuffer(ALPHABET, np.uint8)[digits].tobytes().decode("ascii")
