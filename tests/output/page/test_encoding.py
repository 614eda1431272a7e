"""Tests of the encoding of arrays in the page."""

import zlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertcli.output.page.encoding import (
    ALPHABET,
    BYTES,
    DIGITS,
    MOST_ROLLOUT_BYTES,
    MOST_VECTOR_BYTES,
    MOST_VECTOR_TOKENS,
    LayerEncoder,
    Packed,
    to_digits,
)
from bertcli.results.attention import AttentionOfLayer


def from_digits(digits: str, size: int) -> bytes:
    """Return the bytes of the digits, with Python's unbounded integers."""
    groups = [digits[at : at + DIGITS] for at in range(0, len(digits), DIGITS)]
    numbers = [
        sum(ALPHABET.index(ord(digit)) * 116**place for place, digit in enumerate(group[::-1])) for group in groups
    ]
    return b"".join(number.to_bytes(BYTES, "big") for number in numbers)[:size]


def unpacked(packed: Packed, shape: tuple[int, ...], dtype: str, steps: int) -> Any:
    """Return the numbers that the page's script decodes, and the maxima of their rows."""
    content = zlib.decompress(from_digits(packed.digits, packed.size))
    rows = int(np.prod(shape[:-1]))
    maxima = np.frombuffer(content, "<f4", rows).reshape(shape[:-1])
    scaled = np.frombuffer(content, dtype, offset=4 * rows).reshape(shape)
    return scaled.astype(np.float64) * maxima[..., None] / steps, maxima


def attention(heads: int, size: int, head_size: int, layer: int = 0, sharpness: float = 3.0) -> AttentionOfLayer:
    draw = np.random.default_rng(0)
    scores = np.exp(draw.normal(0, sharpness, (heads, size, size)))
    weights = (scores / scores.sum(-1, keepdims=True)).astype(np.float32)
    query, key = draw.normal(0, 2, (2, heads, size, head_size)).astype(np.float32)
    return AttentionOfLayer(layer, weights, weights.mean(0), query, key)


@given(st.binary(max_size=40))
def test_digits_decode_to_the_original_bytes(content: bytes) -> None:
    digits = to_digits(content)
    assert len(digits) == DIGITS * -(-len(content) // BYTES)
    assert from_digits(digits, len(content)) == content


def test_the_largest_group_of_bytes_fits_in_seven_digits() -> None:
    assert from_digits(to_digits(b"\xff" * 12), 12) == b"\xff" * 12


def test_no_digit_ends_a_script_element_is_changed_by_a_parser_or_controls_a_terminal() -> None:
    assert len(set(ALPHABET)) == len(ALPHABET) == 116
    assert max(ALPHABET) < 127
    assert not set(ALPHABET) & set(b"<\0\r\x1b\x07\x08\x0e\x0f")


@pytest.mark.parametrize("sharpness", [0.0, 0.02, 1.0, 8.0])
def test_weights_are_within_half_a_step_of_the_computed_ones(sharpness: float) -> None:
    layer = attention(3, 70, 4, sharpness=sharpness)
    encoded = LayerEncoder(1)(layer)
    found, maxima = unpacked(encoded.attention, (3, 70, 70), "u1", 255)
    assert np.array_equal(maxima, layer.weights.max(-1))
    assert (np.abs(found - layer.weights) <= layer.weights.max(-1, keepdims=True) * (0.5 / 255 + 1e-6)).all()
    assert found.max(-1) == pytest.approx(maxima)


def test_even_attention_over_512_tokens_is_not_rounded_away() -> None:
    even = np.full((1, 512, 512), 1 / 512, np.float32)
    encoded = LayerEncoder(1)(AttentionOfLayer(0, even, even[0], None, None))
    assert unpacked(encoded.attention, even.shape, "u1", 255)[0] == pytest.approx(even)


def test_rollout_and_vectors_decode_to_the_original() -> None:
    layer = attention(2, 9, 5)
    encoded = LayerEncoder(4)(layer)
    assert encoded.rollout is not None and encoded.vectors is not None
    assert unpacked(encoded.rollout, (9, 9), "u1", 255)[0] == pytest.approx(layer.rollout, abs=1 / 255)
    vectors = np.stack([layer.query, layer.key])
    found = unpacked(encoded.vectors, vectors.shape, "<i2", 32767)[0]
    assert (np.abs(found - vectors) <= np.abs(vectors).max(-1, keepdims=True) / 32767).all()


def test_a_row_of_zeros_stays_zero() -> None:
    nothing = np.zeros((1, 3, 3), np.float32)
    encoded = LayerEncoder(1)(AttentionOfLayer(0, nothing, nothing[0], nothing, nothing))
    assert not unpacked(encoded.attention, (1, 3, 3), "u1", 255)[0].any()


def test_the_encoding_does_not_depend_on_the_memory_layout() -> None:
    layer = attention(3, 8, 4)
    turned = AttentionOfLayer(0, np.asfortranarray(layer.weights), layer.rollout.T.copy().T, layer.query, layer.key)
    assert LayerEncoder(1)(turned) == LayerEncoder(1)(layer)


def test_vectors_are_left_out_for_long_texts_large_models_and_engines_without_them() -> None:
    assert LayerEncoder(1)(attention(1, MOST_VECTOR_TOKENS, 2)).vectors is not None
    assert LayerEncoder(1)(attention(1, MOST_VECTOR_TOKENS + 1, 2)).vectors is None
    layers = MOST_VECTOR_BYTES // (2 * 2 * 2 * 10 * 8)
    assert LayerEncoder(layers)(attention(2, 10, 8)).vectors is not None
    assert LayerEncoder(layers + 1)(attention(2, 10, 8)).vectors is None
    without = AttentionOfLayer(0, np.ones((1, 1, 1), np.float32), np.ones((1, 1), np.float32), None, None)
    assert LayerEncoder(1)(without).vectors is None


def test_a_long_text_keeps_only_the_rollout_through_all_layers() -> None:
    layers = MOST_ROLLOUT_BYTES // 100**2 + 1
    assert LayerEncoder(layers - 1)(attention(1, 100, 1)).rollout is not None
    assert LayerEncoder(layers)(attention(1, 100, 1)).rollout is None
    assert LayerEncoder(layers)(attention(1, 100, 1, layer=layers - 1)).rollout is not None
