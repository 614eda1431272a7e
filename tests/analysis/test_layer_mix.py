"""--layer-op: one hidden state made of several, against plain loops over transformers' hidden states."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertcli.analysis.embeddings.encode import EncodeOptions, encode
from bertcli.analysis.embeddings.pooling import mix_layers
from bertcli.choices import LayerOp, Pooling
from bertcli.errors import WrongUsage
from bertcli.model.request import EmbeddingRequest
from tests.reference import assert_close, transformers_outputs
from tests.sentence_models import models, save_sentence_model
from tests.tiny import DEFAULTS, edit_config, one_batch, open_bert

ENGINES = ["numpy", "torch", "transformers"]
TEXTS = ["how are you", "the cat sat on the mat, caf", ("a", "the cat?"), "e"]
HIDDEN = DEFAULTS["hidden_size"]


def slow_mix(states: list[np.ndarray], op: LayerOp) -> np.ndarray:
    """Make one vector of those of a token."""
    if op == LayerOp.CONCAT:
        return np.array([value for state in states for value in state])
    total = sum(state.astype(np.float64) for state in states)
    return total / len(states) if op == LayerOp.MEAN else total


@pytest.mark.parametrize("op", LayerOp)
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("asked", "layers"), [("0,2", [0, 2]), ("-1,-3", [2, 0]), ("all", [0, 1, 2]), ("1", [1])])
def test_tokens_and_embeddings_are_made_of_the_layers(
    tiny_bert: Path, engine: str, asked: str, layers: list[int], op: LayerOp
) -> None:
    session = open_bert(tiny_bert, engine, embedding=EmbeddingRequest(mixed_layers=asked, layer_op=op))
    batch = one_batch(session, TEXTS)
    states = transformers_outputs(tiny_bert, batch).hidden_states
    width = HIDDEN * (len(layers) if op == LayerOp.CONCAT else 1)
    shown = session.recipe.shown
    assert (shown.dimension, shown.layers, shown.layer_op) == (width, tuple(layers), op)
    for row, found in enumerate(encode(session, batch, EncodeOptions(tokens=True))):
        size = len(batch.texts[row])
        tokens = np.array([slow_mix([states[layer][row, at] for layer in layers], op) for at in range(size)])
        assert_close(found.last_hidden_state, tokens.astype(np.float32))
        assert_close(found.embedding, tokens.mean(0).astype(np.float32))


def test_layers_of_their_own_are_independent_of_the_mix(tiny_bert: Path) -> None:
    session = open_bert(tiny_bert, embedding=EmbeddingRequest(mixed_layers="0,1", layer_op=LayerOp.SUM))
    batch = one_batch(session, TEXTS)
    states = transformers_outputs(tiny_bert, batch).hidden_states
    found = encode(session, batch, EncodeOptions(tokens=True, layers=[2]))[1]
    size = len(batch.texts[1])
    assert_close(found.hidden_states[0], states[2][1, :size])
    assert_close(found.last_hidden_state, (states[0] + states[1])[1, :size])


def test_several_poolings_of_joined_layers_have_all_their_values(tmp_path: Path) -> None:
    folder = save_sentence_model(
        tmp_path / "m", models.Pooling(HIDDEN, pooling_mode=["cls", "mean"]), models.Normalize()
    )
    session = open_bert(folder, embedding=EmbeddingRequest(mixed_layers="0,1", layer_op=LayerOp.CONCAT))
    assert session.recipe.shown.dimension == 4 * HIDDEN
    (found,) = encode(session, one_batch(session, ["how are you"]), EncodeOptions())
    assert found.embedding.shape == (4 * HIDDEN,)
    assert np.linalg.norm(found.embedding) == pytest.approx(1, abs=1e-6)


def test_a_dense_layer_takes_the_mean_but_not_joined_layers(tmp_path: Path) -> None:
    folder = save_sentence_model(tmp_path / "m", models.Pooling(HIDDEN), models.Dense(HIDDEN, 10))

    def recipe(op: LayerOp) -> Any:
        return open_bert(folder, embedding=EmbeddingRequest(mixed_layers="0,1", layer_op=op)).recipe

    assert recipe(LayerOp.MEAN).shown.dimension == 10
    with pytest.raises(WrongUsage, match="--layer-op concat gives vectors of 48 values") as raised:
        recipe(LayerOp.CONCAT)
    assert raised.value.hint == "use --layer-op mean, or add --pooling mean, which leaves out the recipe"


def test_a_recipe_that_weights_layers_refuses_a_mix(tmp_path: Path) -> None:
    weighted = models.WeightedLayerPooling(HIDDEN, num_hidden_layers=2, layer_start=1)
    folder = save_sentence_model(tmp_path / "m", weighted, models.Pooling(HIDDEN))
    edit_config(folder, output_hidden_states=True)
    session = open_bert(folder, embedding=EmbeddingRequest(mixed_layers="0,1", layer_op=LayerOp.MEAN))
    with pytest.raises(WrongUsage, match="both choose hidden states"):
        _ = session.recipe
    mean = EmbeddingRequest(Pooling.MEAN, mixed_layers="0,1", layer_op=LayerOp.MEAN)
    assert open_bert(folder, embedding=mean).recipe.shown.layers == (0, 1)


@pytest.mark.parametrize(
    ("pooling", "message"), [(Pooling.POOLER, "pooler_output is made from"), (Pooling.LEXICAL, "made from logits")]
)
def test_poolings_that_take_the_last_layer_refuse_a_mix(tiny_bert: Path, pooling: Pooling, message: str) -> None:
    request = EmbeddingRequest(pooling, mixed_layers="0,1", layer_op=LayerOp.MEAN)
    with pytest.raises(WrongUsage, match=message):
        _ = open_bert(tiny_bert, embedding=request).recipe


@pytest.mark.parametrize("layers", ["3", "-4", "first", ""])
def test_layers_that_do_not_exist_are_wrong_usage(tiny_bert: Path, layers: str) -> None:
    request = EmbeddingRequest(mixed_layers=layers, layer_op=LayerOp.MEAN)
    with pytest.raises(WrongUsage, match=r"there is no hidden state|is not a list of numbers"):
        _ = open_bert(tiny_bert, embedding=request).recipe


@given(st.integers(1, 4), st.integers(1, 5), st.integers(0, 99))
def test_the_sum_is_the_mean_times_the_number_of_layers(count: int, size: int, seed: int) -> None:
    states = list(np.random.default_rng(seed).normal(size=(count, 2, size)).astype(np.float32))
    np.testing.assert_allclose(mix_layers(states, LayerOp.SUM), mix_layers(states, LayerOp.MEAN) * count, 1e-5, 1e-6)
    joined = mix_layers(states, LayerOp.CONCAT)
    assert joined.shape == (2, count * size)
    assert all(np.array_equal(joined[:, at * size : (at + 1) * size], state) for at, state in enumerate(states))
