"""bertcli's own forward pass of ModernBERT gives the numbers of transformers, inside and beyond the windows."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st

from bertcli.analysis.attention.heads import AttnOptions, compute_attention
from bertcli.analysis.attention.maps import expansion_rate, expansion_rates
from bertcli.analysis.masks.lens import Lens
from bertcli.analysis.masks.predictions import predict_masks
from bertcli.checkpoints.config import ModernBertConfig
from bertcli.errors import MissingMlmHead, WrongUsage
from bertcli.model.batching import pad
from bertcli.model.engine import OutputRequest
from bertcli.model.ops.base import BoolArray
from bertcli.model.requirements import require_mlm
from bertcli.model.session import Session
from tests.families import save_family
from tests.reference import ABSOLUTE, assert_close, assert_same, engine_outputs, load, transformers_outputs
from tests.tiny import WORDS, edit_config, one_batch, open_bert, tokenize, with_random_parameters

ENGINES = ["numpy", "torch"]
NO_CUDA = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
PLACES = [("numpy", "cpu"), ("torch", "cpu"), pytest.param("torch", "cuda", marks=[pytest.mark.cuda, NO_CUDA])]
TEXTS = ["how are [MASK]", "you", "the cat sat on the [MASK], a mat."]
LAYERS, HEADS, HEAD_SIZE = 4, 3, 8


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a ModernBERT with windows of two tokens on each side. Tests must not write to it."""
    return save_family(tmp_path_factory.mktemp("modernbert"), "modernbert")


def window(length: int, local_attention: int) -> BoolArray:
    """Return True for each query and key that are at most half a window apart."""
    return np.array([[abs(i - j) <= local_attention // 2 for j in range(length)] for i in range(length)])


@st.composite
def configs(draw: st.DrawFn) -> dict[str, Any]:
    """Draw the config of a small ModernBERT."""
    heads, layers = draw(st.integers(1, 3)), draw(st.integers(1, 4))
    kinds = st.sampled_from(["full_attention", "sliding_attention"])
    biases = ("norm_bias", "attention_bias", "mlp_bias", "classifier_bias", "decoder_bias")
    activations = st.sampled_from(["gelu", "gelu_new", "relu", "silu"])
    rope = {kind: draw(st.none() | st.floats(100, 1e6)) for kind in ("full_attention", "sliding_attention")}
    return {
        "num_attention_heads": heads,
        "hidden_size": heads * draw(st.sampled_from([6, 8, 12])),
        "num_hidden_layers": layers,
        "intermediate_size": draw(st.integers(1, 50)),
        "hidden_activation": draw(activations),
        "classifier_activation": draw(activations),
        "norm_eps": draw(st.sampled_from([1e-12, 1e-5, 1e-2])),
        "local_attention": draw(st.integers(1, 12)),
        "layer_types": draw(st.none() | st.lists(kinds, min_size=layers, max_size=layers)),
        "rope_parameters": {
            kind: {"rope_type": "default", "rope_theta": theta} for kind, theta in rope.items() if theta is not None
        },
        "tie_word_embeddings": draw(st.booleans()),
        **{bias: draw(st.booleans()) for bias in biases},
    }


@given(
    config=configs(),
    texts=st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=9).map(" ".join), min_size=1, max_size=4),
    chunk=st.integers(1, 9),
)
@settings(max_examples=25)
def test_engines_agree_over_random_small_checkpoints(config: dict[str, Any], texts: list[str], chunk: int) -> None:
    with TemporaryDirectory() as name, pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr("bertcli.model.modernbert._CHUNK", chunk)
        folder = save_family(Path(name), "modernbert", std=0.1, **config)
        batch = one_batch(open_bert(folder), texts)
        expected = transformers_outputs(folder, batch, pooler=False)
        for engine in ENGINES:
            session = open_bert(folder, engine)
            assert session.engine.name == engine
            assert_same(engine_outputs(session, batch, pooler=False), expected, batch)
        load.cache_clear()


@pytest.mark.parametrize(("engine", "device"), PLACES)
def test_texts_far_longer_than_the_window_agree(tmp_path: Path, engine: str, device: str) -> None:
    save_family(tmp_path, "modernbert", local_attention=16, max_position_embeddings=1024)
    session = open_bert(tmp_path, engine, device)
    batch = one_batch(session, ["how are you [MASK] " * 75, "the cat " * 20, "the mat sat on the cat " * 30])
    assert 300 < batch.shape[1] < 1024
    found = engine_outputs(session, batch, pooler=False)
    for row, text in enumerate(batch.texts):
        # In float32, transformers rounds as much as the tolerance allows. In float64, it returns NaN for padded texts.
        alone = pad([text], session.tokenizer.pad_token_id)
        expected = transformers_outputs(tmp_path, alone, pooler=False, dtype=torch.float64)
        size = len(text)
        assert_close(found.logits[row, :size], expected.logits[0], "logits")
        for index, state in enumerate(expected.hidden_states):
            assert_close(found.hidden_states[index][row, :size], state[0], f"hidden_states[{index}]")
        for layer, weights in enumerate(expected.attentions):
            np.testing.assert_allclose(found.attentions[layer][row, :, :size, :size], weights[0], 0, ABSOLUTE)
            assert not found.attentions[layer][row, :, :size, size:].any(), "a token attends to padding"


@pytest.mark.parametrize("engine", ENGINES)
def test_only_local_layers_give_no_weight_to_tokens_outside_the_window(tiny: Path, engine: str) -> None:
    session = open_bert(tiny, engine)
    batch = one_batch(session, ["the cat sat on the mat"])
    weights = engine_outputs(session, batch, pooler=False).attentions
    assert session.config.global_layers == (True, False, False, True)
    outside = ~window(batch.shape[1], session.config.local_attention)
    for is_global, layer in zip(session.config.global_layers, weights, strict=True):
        assert layer[..., outside].any() == is_global
        np.testing.assert_allclose(layer.sum(-1), 1, 0, 1e-5)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_text_has_the_same_outputs_in_a_batch_as_alone(tiny: Path, engine: str) -> None:
    session = open_bert(tiny, engine)
    batch = one_batch(session, [*TEXTS, "how are you how are you", "you are how"])
    together = engine_outputs(session, batch, pooler=False)
    for row, text in enumerate(batch.texts):
        alone = engine_outputs(session, pad([text], session.tokenizer.pad_token_id), pooler=False)
        assert_close(together.logits[row, : len(text)], alone.logits[0])
        for found, expected in zip(together.hidden_states, alone.hidden_states, strict=True):
            assert_close(found[row, : len(text)], expected[0])


def test_padded_texts_have_the_outputs_of_packed_ones(tiny: Path) -> None:
    packed, padded = open_bert(tiny, "torch"), open_bert(tiny, "torch")
    padded.engine.supports_packing = False  # as on a GPU
    batch = one_batch(packed, TEXTS)
    # The padding of the shortest text is farther from its tokens than the window is wide.
    assert batch.shape[1] - len(batch.texts[1]) > packed.config.local_attention
    found = engine_outputs(padded, batch, pooler=False)
    assert_same(found, engine_outputs(packed, batch, pooler=False), batch)
    assert np.isfinite(found.last_hidden_state).all()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
@pytest.mark.parametrize("engine", ENGINES)
def test_half_precision_weights_are_computed_in_float32(tmp_path: Path, engine: str, dtype: torch.dtype) -> None:
    save_family(tmp_path, "modernbert", norm_bias=True, attention_bias=True)
    transformers.ModernBertForMaskedLM.from_pretrained(tmp_path, dtype=dtype).save_pretrained(tmp_path)
    session = open_bert(tmp_path, engine)
    assert {info.dtype for info in session.weight_files.infos} == {
        {torch.float16: "F16", torch.bfloat16: "BF16"}[dtype]
    }
    batch = one_batch(session, TEXTS)
    expected = transformers_outputs(tmp_path, batch, pooler=False)
    for _ in range(2):  # numpy converts a weight once more at its second use
        assert_same(engine_outputs(session, batch, pooler=False), expected, batch)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_results_are_near_float32(tiny: Path, dtype: str) -> None:
    session = open_bert(tiny, "torch", dtype=dtype)
    batch = one_batch(session, TEXTS)
    found, exact = (
        engine_outputs(session, batch, pooler=False),
        transformers_outputs(tiny, batch, pooler=False),
    )
    real = batch.attention_mask
    np.testing.assert_allclose(found.last_hidden_state[real], exact.last_hidden_state[real], 0, 0.25)
    assert np.abs(found.last_hidden_state - exact.last_hidden_state)[real].max() > 1e-5, "this was computed in float32"


@pytest.mark.parametrize("engine", ENGINES)
def test_a_pickled_body_without_the_prefix_of_a_head_runs(tmp_path: Path, engine: str) -> None:
    save_family(tmp_path, "modernbert")
    body = transformers.ModernBertModel.from_pretrained(tmp_path)
    body.save_pretrained(tmp_path)
    if engine == "torch":
        (tmp_path / "model.safetensors").unlink()
        torch.save(body.state_dict(), tmp_path / "pytorch_model.bin")
    session = open_bert(tmp_path, engine)
    assert "layers.0.attn.Wqkv.weight" in {info.name for info in session.weight_files.infos}
    with pytest.raises(MissingMlmHead, match=r"head\.\* is missing"):
        require_mlm(session)
    batch = one_batch(session, TEXTS)
    expected = transformers_outputs(tmp_path, batch, pooler=False, logits=False)
    assert_same(engine_outputs(session, batch, pooler=False, logits=False), expected, batch)


@pytest.mark.parametrize("decoder_bias", [True, False])
def test_the_head_of_a_classifier_is_not_an_mlm_head(tmp_path: Path, decoder_bias: bool) -> None:
    save_family(tmp_path, "modernbert", decoder_bias=decoder_bias)
    config = transformers.AutoConfig.from_pretrained(tmp_path)
    assert open_bert(tmp_path).has_mlm_head
    with_random_parameters(transformers.ModernBertForSequenceClassification(config)).save_pretrained(tmp_path)
    with pytest.raises(MissingMlmHead):
        require_mlm(open_bert(tmp_path))


@pytest.mark.parametrize("engine", ENGINES)
def test_the_lens_norms_the_states_of_every_layer_but_the_last(tiny: Path, engine: str) -> None:
    session = open_bert(tiny, engine)
    batch = one_batch(session, ["the cat [MASK] on the mat how are you"])
    model = load("ModernBertForMaskedLM", tiny)
    with torch.no_grad():
        states = model(torch.from_numpy(batch.input_ids), output_hidden_states=True).hidden_states
        normed = [*(model.model.final_norm(state) for state in states[:-1]), states[-1]]
        probabilities = [model.decoder(model.head(state))[0].softmax(-1).numpy() for state in normed]
    [record] = predict_masks(
        session, batch, 3, analyses=[Lens(3, None)], hidden_states=range(session.config.num_hidden_layers + 1)
    )
    [mask] = record.masks
    for layer, expected in zip(mask.lens, probabilities, strict=True):
        for prediction in layer.predictions:
            assert prediction.score == pytest.approx(expected[mask.position, prediction.token], abs=1e-5)


def attention_of(session: Session, text: str, **options: object) -> Any:
    """Return the record of all heads of one text."""
    requested = AttnOptions(layers=range(LAYERS), heads=range(HEADS), **options)
    [record] = compute_attention(session, one_batch(session, [text]), requested)
    return record


@pytest.mark.parametrize("engine", ENGINES)
def test_value_norms_are_those_of_the_normed_states(tiny: Path, engine: str) -> None:
    session, text = open_bert(tiny, engine), "the cat sat on the mat"
    record = attention_of(session, text, value_norms=True)
    batch = one_batch(session, [text])
    outputs, model = transformers_outputs(tiny, batch, pooler=False), load("AutoModel", tiny)
    for at, head in enumerate(record.heads):
        layer, part = model.layers[head.layer], slice(head.head * HEAD_SIZE, (head.head + 1) * HEAD_SIZE)
        with torch.no_grad():
            normed = layer.attn_norm(torch.from_numpy(outputs.hidden_states[head.layer][0]))
            value = layer.attn.Wqkv(normed)[:, 2 * HEADS * HEAD_SIZE :][:, part]  # query, key, value
            added = (value @ layer.attn.Wo.weight[:, part].T).norm(dim=-1).numpy()
        expected = outputs.attentions[head.layer][0, head.head] * added
        np.testing.assert_allclose(record.value_norms[at], expected, 1e-5, 1e-5)


@pytest.mark.parametrize("engine", ENGINES)
def test_expansion_takes_the_value_part_of_the_stacked_projection(tmp_path: Path, engine: str) -> None:
    save_family(tmp_path, "modernbert", attention_bias=True)
    found = expansion_rates(open_bert(tmp_path, engine).engine, range(LAYERS))
    for rate, layer in zip(found, load("AutoModel", tmp_path).layers, strict=True):
        tensors = (layer.attn.Wqkv.weight[48:], layer.attn.Wqkv.bias[48:], layer.attn.Wo.weight, layer.attn.Wo.bias)
        assert rate == pytest.approx(expansion_rate(*(tensor.detach().numpy() for tensor in tensors)), rel=1e-5)


@pytest.mark.parametrize("engine", ENGINES)
def test_query_and_key_of_the_page_make_the_weights(tiny: Path, engine: str) -> None:
    session = open_bert(tiny, engine)
    batch = one_batch(session, ["you are how"])
    outside = ~window(batch.shape[1], session.config.local_attention)

    def check(attention: Any) -> None:
        query, key, weights = map(session.to_numpy, (attention.query, attention.key, attention.weights))
        scores = query @ key.swapaxes(-1, -2) / np.sqrt(HEAD_SIZE)
        if not session.config.global_layers[attention.layer]:
            scores[..., outside] = -np.inf
        expected = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)
        np.testing.assert_allclose(weights, expected, 0, 1e-5)

    session.run(batch, OutputRequest(on_attention=check))


@pytest.mark.parametrize("engine", ENGINES)
def test_attention_of_one_layer_does_not_need_the_layers_after_it(tiny: Path, engine: str) -> None:
    session = open_bert(tiny, engine)
    batch = one_batch(session, TEXTS)
    expected = transformers_outputs(tiny, batch, pooler=False, logits=False).attentions
    found: dict[int, np.ndarray] = {}
    request = OutputRequest(on_attention=lambda a: found.update({a.layer: session.to_numpy(a.weights)}), last_layer=1)
    session.run(batch, request)
    assert list(found) == [0, 1]
    size = len(batch.texts[2])
    np.testing.assert_allclose(found[1][2, :, :size, :size], expected[1][2, :, :size, :size], 0, 1e-5)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("rope_scaling", {"rope_type": "linear", "factor": 2.0}),
        ("rope_parameters", {
            "full_attention": {"rope_type": "linear", "rope_theta": 1e4, "factor": 2.0},
            "sliding_attention": {"rope_type": "default", "rope_theta": 1e4},
        }),
    ],
)  # fmt: skip
def test_a_model_with_other_positions_runs_on_the_transformers_engine(
    tmp_path: Path, setting: str, value: object
) -> None:
    save_family(tmp_path, "modernbert")
    edit_config(tmp_path, rope_parameters=...)
    edit_config(tmp_path, **{setting: value})
    session = open_bert(tmp_path, "auto")
    assert session.engine.name == "transformers"
    batch = one_batch(session, TEXTS)
    assert_same(
        engine_outputs(session, batch, pooler=False), transformers_outputs(tmp_path, batch, pooler=False), batch
    )
    for engine in ENGINES:
        with pytest.raises(WrongUsage, match=f"not those of modernbert with {setting}") as raised:
            open_bert(tmp_path, engine).engine  # noqa: B018
        assert "--engine transformers" in raised.value.hint


def test_settings_of_all_spellings_give_the_same_numbers(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    rope = {"full_attention": 5e4, "sliding_attention": 300.0}
    for folder in (old, new):
        save_family(
            folder,
            "modernbert",
            rope_parameters={kind: {"rope_type": "default", "rope_theta": theta} for kind, theta in rope.items()},
            layer_types=["full_attention", "sliding_attention"] * 2,
        )
    edit_config(
        old, rope_parameters=..., layer_types=..., global_attn_every_n_layers=2,
        global_rope_theta=5e4, local_rope_theta=300,
    )  # fmt: skip
    sessions = [open_bert(folder) for folder in (old, new)]
    assert isinstance(sessions[0].config, ModernBertConfig)
    assert sessions[0].config == sessions[1].config
    batch = one_batch(sessions[0], TEXTS)
    assert_same(engine_outputs(sessions[0], batch, pooler=False), transformers_outputs(old, batch, pooler=False), batch)


def test_little_work_goes_to_numpy(tiny: Path) -> None:
    assert open_bert(tiny, "auto", "auto").engine.name == "numpy"
    assert tokenize(open_bert(tiny), ["how"])[0].token_type_ids == ()
