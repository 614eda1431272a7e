"""Every engine gives the same numbers as transformers."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st

from bertcli.checkpoints.find import BUNDLED_FOLDER
from bertcli.model.batching import pad
from tests.reference import Outputs, assert_close, assert_same, engine_outputs, transformers_outputs
from tests.tiny import VOCABULARY, WORDS, one_batch, open_bert, random_model, save_bert, tokenize

ENGINES = ["numpy", "torch", "transformers"]
NO_CUDA = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
PLACES = [
    *((engine, "cpu") for engine in ENGINES),
    *(pytest.param(engine, "cuda", marks=[pytest.mark.cuda, NO_CUDA]) for engine in ("torch", "transformers")),
]
SENTENCES = [
    "how [MASK] you",
    "the Café of [MASK] is on the [MASK], 中文!",
    ("the cat sat on the mat", "was it a [MASK]?"),
    "a [MASK]",
]


@st.composite
def configs(draw: st.DrawFn) -> dict[str, Any]:
    """Draw the config of a small BERT."""
    heads = draw(st.integers(1, 4))
    # LayerNorm over two numbers divides by their difference. If they are close, float32 cannot keep 1e-5.
    head_sizes = [2, 5, 8, 16] if heads > 1 else [5, 8, 16]
    return {
        "vocab_size": len(VOCABULARY) + draw(st.sampled_from([0, 3])),
        "num_attention_heads": heads,
        "hidden_size": heads * draw(st.sampled_from(head_sizes)),
        "num_hidden_layers": draw(st.integers(1, 3)),
        "intermediate_size": draw(st.integers(1, 70)),
        "hidden_act": draw(st.sampled_from(["gelu", "gelu_new", "relu", "silu", "tanh", "gelu_fast", "quick_gelu"])),
        "layer_norm_eps": draw(st.sampled_from([1e-12, 1e-7, 1e-5, 1e-2])),
        "type_vocab_size": draw(st.integers(1, 3)),
        "tie_word_embeddings": draw(st.booleans()),
        "max_position_embeddings": draw(st.sampled_from([30, 47])),
    }


@st.composite
def batches_of_texts(draw: st.DrawFn, token_types: int) -> list[str | tuple[str, str]]:
    """Draw texts of different lengths, so that there is padding, and pairs if the model has token type 1."""
    words = st.lists(st.sampled_from([*WORDS, "[MASK]", ".", "xyzzy"]), min_size=1, max_size=5).map(" ".join)
    text = words if token_types == 1 else st.one_of(words, st.tuples(words, words))
    return draw(st.lists(text, min_size=1, max_size=4))


def assert_every_engine_agrees(folder: Path, texts: list[Any], device: str = "cpu") -> Outputs:
    batch = one_batch(open_bert(folder), texts)
    expected = transformers_outputs(folder, batch)
    for engine in ENGINES if device == "cpu" else ENGINES[1:]:
        assert_same(engine_outputs(open_bert(folder, engine, device), batch), expected, batch)
    return expected


def assert_every_engine_agrees_over_a_random_checkpoint(device: str, data: st.DataObject) -> None:
    config = data.draw(configs())
    texts = data.draw(batches_of_texts(config["type_vocab_size"]))
    seed = data.draw(st.integers(0, 1000))
    with TemporaryDirectory() as folder:
        save_bert(Path(folder), seed=seed, **config)
        assert_every_engine_agrees(Path(folder), texts, device)


@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=[pytest.mark.cuda, NO_CUDA])])
@given(data=st.data())
@settings(max_examples=25)
def test_engines_agree_over_random_small_checkpoints(device: str, data: st.DataObject) -> None:
    assert_every_engine_agrees_over_a_random_checkpoint(device, data)


@pytest.mark.slow
@given(data=st.data())
@settings(max_examples=250)
def test_engines_agree_over_many_random_small_checkpoints(data: st.DataObject) -> None:
    assert_every_engine_agrees_over_a_random_checkpoint("cpu", data)


@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=[pytest.mark.cuda, NO_CUDA])])
def test_engines_agree_over_the_bundled_model(device: str) -> None:
    assert_every_engine_agrees(BUNDLED_FOLDER, SENTENCES, device)


@pytest.mark.parametrize(("engine", "device"), PLACES)
def test_a_batch_gives_the_same_outputs_as_its_texts_one_by_one(tiny_bert: Path, engine: str, device: str) -> None:
    session = open_bert(tiny_bert, engine, device)
    batch = one_batch(session, SENTENCES)
    assert batch.is_padded
    together = engine_outputs(session, batch)
    for row, text in enumerate(batch.texts):
        size = len(text)
        alone = engine_outputs(session, pad([text], 0))
        assert_close(together.last_hidden_state[row, :size], alone.last_hidden_state[0])
        assert_close(together.pooler_output[row], alone.pooler_output[0])
        assert_close(together.logits[row, :size], alone.logits[0])
        for layer, weights in enumerate(together.attentions):
            np.testing.assert_allclose(weights[row, :, :size, :size], alone.attentions[layer][0], 0, 1e-5)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
@pytest.mark.parametrize("engine", ENGINES)
def test_half_precision_weights_are_computed_in_float32(tmp_path: Path, engine: str, dtype: torch.dtype) -> None:
    folder = save_bert(tmp_path, random_model(seed=3).to(dtype))
    session = open_bert(folder, engine)
    assert {info.dtype for info in session.weight_files.infos} == {
        {torch.float16: "F16", torch.bfloat16: "BF16"}[dtype]
    }
    batch = one_batch(session, SENTENCES)
    assert_same(engine_outputs(session, batch), transformers_outputs(folder, batch), batch)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
def test_numpy_gives_the_same_numbers_with_kept_float32_copies(
    tmp_path: Path, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Blocks this small split each product of the first run into several.
    monkeypatch.setattr("bertcli.model.ops.numpy_ops._BLOCK_VALUES", 100)
    session = open_bert(save_bert(tmp_path, random_model(seed=4).to(dtype)), "numpy")
    batch = one_batch(session, SENTENCES)
    first = engine_outputs(session, batch)
    assert session.engine.ops._widened, "the second run must use kept copies"
    assert_same(engine_outputs(session, batch), first, batch)
    expected = transformers_outputs(tmp_path, batch)
    assert_same(first, expected, batch)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("engine", ["torch", "transformers"])
def test_half_precision_results_are_near_float32_and_returned_as_float32(
    tiny_bert: Path, engine: str, dtype: str
) -> None:
    session = open_bert(tiny_bert, engine, dtype=dtype)
    batch = one_batch(session, SENTENCES)
    found, exact = engine_outputs(session, batch), transformers_outputs(tiny_bert, batch)
    assert found.last_hidden_state.dtype == np.float32
    real = batch.attention_mask
    np.testing.assert_allclose(found.last_hidden_state[real], exact.last_hidden_state[real], 0, 0.25)
    assert np.abs(found.last_hidden_state - exact.last_hidden_state)[real].max() > 1e-5, "this was computed in float32"


@pytest.mark.parametrize("engine", ENGINES)
def test_logits_at_chosen_positions_equal_those_of_all_positions(tiny_bert: Path, engine: str) -> None:
    from bertcli.model.engine import OutputRequest

    session = open_bert(tiny_bert, engine)
    batch = one_batch(session, SENTENCES)
    positions = np.nonzero(batch.input_ids == session.tokenizer.mask_token_id)
    logits = session.to_numpy(session.run(batch, OutputRequest(logits_at=positions)).logits)
    assert logits.shape == (5, len(VOCABULARY))
    assert_close(logits, transformers_outputs(tiny_bert, batch).logits[positions])


def test_a_float64_checkpoint_is_computed_in_float32(tmp_path: Path) -> None:
    folder = save_bert(tmp_path, random_model(seed=5).double())
    assert_every_engine_agrees(folder, SENTENCES)


def test_a_checkpoint_of_another_class_gives_its_body(tmp_path: Path) -> None:
    model = random_model(transformers.BertForSequenceClassification, seed=6)
    folder = save_bert(tmp_path, model)
    session = open_bert(folder)
    batch = pad(tokenize(session, SENTENCES), 0)
    expected = transformers_outputs(folder, batch, logits=False)
    for engine in ENGINES:
        assert_same(engine_outputs(open_bert(folder, engine), batch, logits=False), expected, batch)
