"""Arrays as they stand in the page: few bits a number, each row scaled by its own maximum, deflated, as text."""

import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from bertcli.results.attention import AttentionOfLayer

FloatArray = np.ndarray[Any, Any]
# Each number is a whole share of its row's largest one: of weights, which lie between 0 and 1, of vectors, which may
# be negative. Even attention over 512 tokens is 0.002 each, which 8 bits of a scale from 0 to 1 would round away.
WEIGHT_STEPS, VECTOR_STEPS = 255, 32767
# How long a text may be, and what its query and key vectors may come to in bytes before they are deflated: of one with
# more they are left out.
MOST_VECTOR_TOKENS, MOST_VECTOR_BYTES = 256, 4 << 20
# The same in bytes for the rollouts through its layers, of which the one through all of them is always kept.
MOST_ROLLOUT_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Packed:
    """Deflated arrays. size: in bytes. digits: what stands in the page, see bertcli.output.page.encoding."""

    size: int
    digits: str


@dataclass(frozen=True, slots=True)
class EncodedLayer:
    """One layer. rollout, vectors (query and key): None where they are left out.

    Deflated (zlib) are, little-endian, the rows' maxima as float32, then the steps of every number: the attention's
    (heads, seq) and (heads, seq, seq) bytes, the rollout's (seq,) and (seq, seq) bytes, the vectors' (2, heads, seq)
    and (2, heads, seq, head_size) int16.
    """

    attention: Packed
    rollout: Packed | None
    vectors: Packed | None


class LayerEncoder:
    """Encodes the layers of a model that has so many."""

    def __init__(self, layer_count: int) -> None:
        self._layer_count = layer_count

    def __call__(self, layer: AttentionOfLayer) -> EncodedLayer:
        """The layer as it stands in the page."""
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
    """Each number of (..., n) as a whole share of its row's largest magnitude, after these magnitudes."""
    maxima = np.abs(x).max(-1).astype(np.float32)
    scales = np.divide(steps, maxima, out=np.zeros_like(maxima), where=maxima > 0)
    scaled: FloatArray = np.empty(x.shape, dtype)
    for row in np.ndindex(x.shape[:-2]):  # a head at a time, so that no second float32 copy of a layer is made
        scaled[row] = np.rint(x[row] * scales[row][..., None])
    # Such numbers look like noise to deflate, which finds little to repeat in them.
    packer = zlib.compressobj(6, strategy=zlib.Z_FILTERED)
    little_endian = (np.ascontiguousarray(array, array.dtype.newbyteorder("<")) for array in (maxima, scaled))
    content = b"".join([*(packer.compress(array.data) for array in little_endian), packer.flush()])
    return Packed(len(content), to_digits(content))


BYTES, DIGITS = 6, 7
_LEFT_OUT = (0x00, 0x05, 0x07, 0x08, 0x0B, 0x0C, 0x0D, 0x0E, 0x0F, 0x1B, ord("<"), 0x7F)
ALPHABET = bytes(code for code in range(128) if code not in _LEFT_OUT)
_BASE = len(ALPHABET)


def to_digits(content: bytes) -> str:
    """The bytes as digits; the last group is filled up with zeros, so whoever reads them has to know their number."""
    groups = -(-len(content) // BYTES)
    padded = np.zeros((groups, 8), np.uint8)
    padded[:, 8 - BYTES :] = np.frombuffer(content.ljust(groups * BYTES, b"\0"), np.uint8).reshape(groups, BYTES)
    numbers: Any = padded.view(">u8")[:, 0].astype(np.uint64)
    digits = np.empty((groups, DIGITS), np.uint8)
    for place in reversed(range(DIGITS)):
        numbers, digits[:, place] = np.divmod(numbers, np.uint64(_BASE))
    return np.frombuffer(ALPHABET, np.uint8)[digits].tobytes().decode("ascii")
