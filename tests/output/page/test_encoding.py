"""Tests of the encoding of arrays in the page."""

import zlib
from base64 import b64decode
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bertcli.output.page.encoding import (
    LINEAR,
    MOST_16_BIT_TOKENS,
    MOST_ROLLOUT_BYTES,
    MOST_VECTOR_BYTES,
    MOST_VECTOR_TOKENS,
    ROOT,
    VECTOR_STEPS,
    LayerEncoder,
    weight_encoding,
)
from bertcli.results.attention import AttentionOfLayer

LONG = MOST_16_BIT_TOKENS + 1


def parts_of(encoded: str, shape: tuple[int, ...], dtype: str) -> tuple[Any, Any]:
    """Return the maxima of the rows and the steps."""
    content = zlib.decompress(b64decode(encoded, validate=True))
    rows = int(np.prod(shape[:-1]))
    maxima = np.frombuffer(content, "<f4", rows).reshape(shape[:-1])
    return maxima, np.frombuffer(content, dtype, offset=4 * rows).reshape(shape)


def decoded_weights(encoded: str, shape: tuple[int, ...]) -> Any:
    """Return the weights that the page's script decodes."""
    if shape[-1] <= MOST_16_BIT_TOKENS:
        maxima, steps = parts_of(encoded, shape, "<u2")
        return maxima[..., None] * (steps / 65535)
    maxima, steps = parts_of(encoded, shape, "u1")
    return maxima[..., None] * (steps / 255) ** 2


def decoded_vectors(encoded: str, shape: tuple[int, ...]) -> Any:
    maxima, steps = parts_of(encoded, shape, "<i2")
    return maxima[..., None] * (steps / VECTOR_STEPS)


def softmax(scores: Any) -> Any:
    shares = np.exp(scores - scores.max(-1, keepdims=True))
    return (shares / shares.sum(-1, keepdims=True)).astype(np.float32)


def attention(heads: int, size: int, head_size: int, layer: int = 0, sharpness: float = 3.0) -> AttentionOfLayer:
    draw = np.random.default_rng(0)
    weights = softmax(draw.normal(0, sharpness, (heads, size, size)))
    query, key = draw.normal(0, 2, (2, heads, size, head_size)).astype(np.float32)
    return AttentionOfLayer(layer, weights, weights.mean(0), query, key)


def encoded_weights(weights: Any) -> Any:
    """Return what the page shows for the weights of a layer, (heads, seq, seq)."""
    layer = AttentionOfLayer(0, weights, weights[0], None, None)
    return decoded_weights(LayerEncoder(1)(layer).attention, weights.shape)


def test_short_texts_have_16_bits_and_long_ones_8() -> None:
    assert weight_encoding(1) == weight_encoding(MOST_16_BIT_TOKENS) == LINEAR
    assert weight_encoding(LONG) == weight_encoding(512) == ROOT


# Rows of every shape: even, random, and one key with nearly all of the weight. Sharpness 0 is even attention.
SHARPNESS = st.floats(0, 12)
SEEDS = st.integers(0, 2**32 - 1)


@given(st.integers(1, 40), SHARPNESS, SEEDS)
def test_16_bits_are_within_half_a_step(size: int, sharpness: float, seed: int) -> None:
    weights = softmax(np.random.default_rng(seed).normal(0, sharpness, (2, size, size)))
    found = encoded_weights(weights)
    assert (np.abs(found - weights) <= weights.max(-1, keepdims=True) * (0.5 / 65535 + 1e-6)).all()
    assert np.array_equal(found.max(-1), weights.max(-1))


@settings(max_examples=25)
@given(st.integers(LONG, 300), SHARPNESS, SEEDS)
def test_8_bits_keep_sums_and_are_within_half_a_step_of_the_root(size: int, sharpness: float, seed: int) -> None:
    weights = softmax(np.random.default_rng(seed).normal(0, sharpness, (1, size, size)))
    found = encoded_weights(weights)
    assert found.sum(-1) == pytest.approx(1, abs=1e-5)
    most = weights.max(-1, keepdims=True)
    scale = found.max(-1, keepdims=True) / most
    assert scale == pytest.approx(1, abs=0.01)
    assert (np.abs(np.sqrt(found / scale) - np.sqrt(weights)) <= np.sqrt(most) * (0.5 / 255 + 1e-5)).all()


@pytest.mark.parametrize("size", [50, LONG])
@given(SHARPNESS, SEEDS)
@settings(max_examples=20)
def test_the_order_of_weights_is_kept(size: int, sharpness: float, seed: int) -> None:
    weights = softmax(np.random.default_rng(seed).normal(0, sharpness, (1, size, size)))
    order = np.argsort(weights, -1)
    assert (np.diff(np.take_along_axis(encoded_weights(weights), order, -1)) >= 0).all()


def test_even_attention_over_512_tokens_is_not_rounded_away() -> None:
    even = np.full((1, 512, 512), 1 / 512, np.float32)
    assert encoded_weights(even) == pytest.approx(even)


def test_a_small_weight_in_a_long_row_is_not_zero() -> None:
    weights = np.full((1, 512, 512), 1e-5, np.float32)
    weights[..., 0] = 1 - weights[..., 1:].sum(-1)
    assert (encoded_weights(weights) > 0).all()


@pytest.mark.parametrize("size", [9, LONG])
def test_rollout_and_vectors_decode_to_the_original(size: int) -> None:
    layer = attention(2, size, 5)
    encoded = LayerEncoder(4)(layer)
    assert encoded.rollout is not None and encoded.vectors is not None
    rollout = decoded_weights(encoded.rollout, (size, size))
    assert rollout == pytest.approx(layer.rollout, abs=1 / 255)
    assert rollout.sum(-1) == pytest.approx(1, abs=1e-4)
    vectors = np.stack([layer.query, layer.key])
    found = decoded_vectors(encoded.vectors, vectors.shape)
    assert (np.abs(found - vectors) <= np.abs(vectors).max(-1, keepdims=True) / VECTOR_STEPS).all()


@pytest.mark.parametrize("size", [3, LONG])
def test_a_row_of_zeros_stays_zero(size: int) -> None:
    nothing = np.zeros((1, size, size), np.float32)
    encoded = LayerEncoder(1)(AttentionOfLayer(0, nothing, nothing[0], nothing, nothing))
    assert not decoded_weights(encoded.attention, nothing.shape).any()


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
