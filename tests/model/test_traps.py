"""Known ways for a BERT inspector to give wrong numbers unnoticed, each with a test that would catch it."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

from bertcli.errors import BadCheckpoint, MissingMlmHead, MissingPooler, NotFinite
from bertcli.model.engine import OutputRequest
from bertcli.model.requirements import require_mlm, require_pooler
from bertcli.model.session import Session
from tests.reference import assert_close, assert_same, engine_outputs, load, transformers_outputs
from tests.tiny import DEFAULTS, edit_config, one_batch, open_bert, random_model, save_bert

ENGINES = ["numpy", "torch", "transformers"]
OWN_ENGINES = ["numpy", "torch"]
TEXTS = ["how [MASK] you", ("the cat sat on the mat", "are you the [MASK]?"), "caf"]
LAYERS, HEADS, HIDDEN, POSITIONS = (
    DEFAULTS[name] for name in ("num_hidden_layers", "num_attention_heads", "hidden_size", "max_position_embeddings")
)


def stored(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "model.safetensors")


def rename(folder: Path, new_name: Callable[[str], str]) -> None:
    """Rename the tensors of the checkpoint."""
    tensors = stored(folder)
    save_file({new_name(name): tensor for name, tensor in tensors.items()}, folder / "model.safetensors")


def assert_engine_is_right(folder: Path, engine: str, **outputs: bool) -> None:
    session = open_bert(folder, engine)
    batch = one_batch(session, TEXTS)
    assert_same(engine_outputs(session, batch, **outputs), transformers_outputs(folder, batch, **outputs), batch)


def assert_engine_equals(folder: Path, engine: str, original: Path, **outputs: bool) -> None:
    """Check that the engine's outputs for `folder` equal transformers' outputs for `original`."""
    session = open_bert(folder, engine)
    batch = one_batch(session, TEXTS)
    assert_same(engine_outputs(session, batch, **outputs), transformers_outputs(original, batch, **outputs), batch)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("eps", [1e-12, 0.5])
def test_layer_norm_eps_is_the_one_in_the_config(tmp_path: Path, engine: str, eps: float) -> None:
    # Activations this small make 1e-12 and torch's 1e-5 differ in the first digits.
    save_bert(tmp_path, std=0.002 if eps < 1e-5 else 0.2, layer_norm_eps=eps)
    assert_engine_is_right(tmp_path, engine)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("act", "other"), [("gelu", "gelu_new"), ("gelu_new", "gelu")])
def test_hidden_act_selects_gelu_or_gelu_new(tmp_path: Path, engine: str, act: str, other: str) -> None:
    model = random_model(std=0.4, hidden_act=act)
    folder, other_folder = save_bert(tmp_path / act, model), save_bert(tmp_path / other, model)
    edit_config(other_folder, hidden_act=other)
    assert_engine_is_right(folder, engine)
    with pytest.raises(AssertionError, match="Mismatched elements"):
        assert_engine_equals(folder, engine, other_folder)


@pytest.mark.parametrize("engine", ENGINES)
def test_old_layer_norm_names_gamma_and_beta_are_read(own_tiny_bert: Path, tiny_bert: Path, engine: str) -> None:
    rename(
        own_tiny_bert,
        lambda name: name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"),
    )
    assert "bert.embeddings.LayerNorm.gamma" in stored(own_tiny_bert)
    assert_engine_equals(own_tiny_bert, engine, tiny_bert)


@pytest.mark.parametrize("engine", OWN_ENGINES)
def test_the_prefix_bert_may_be_missing(own_tiny_bert: Path, tiny_bert: Path, engine: str) -> None:
    rename(own_tiny_bert, lambda name: name.removeprefix("bert."))
    assert not [name for name in stored(own_tiny_bert) if name.startswith("bert.")]
    assert_engine_equals(own_tiny_bert, engine, tiny_bert)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_checkpoint_of_bert_model_alone_has_no_prefix_and_gives_its_body(tmp_path: Path, engine: str) -> None:
    save_bert(tmp_path, random_model(transformers.BertModel))
    assert "embeddings.word_embeddings.weight" in stored(tmp_path)
    assert_engine_is_right(tmp_path, engine, logits=False)


@pytest.mark.parametrize("engine", ENGINES)
def test_stray_position_ids_change_nothing(own_tiny_bert: Path, tiny_bert: Path, engine: str) -> None:
    stray = {"bert.embeddings.position_ids": torch.arange(POSITIONS)[None].flip(-1).contiguous()}
    save_file(stored(own_tiny_bert) | stray, own_tiny_bert / "model.safetensors")
    assert_engine_equals(own_tiny_bert, engine, tiny_bert)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_tied_decoder_is_not_stored_and_uses_the_word_embeddings(tiny_bert: Path, engine: str) -> None:
    assert "cls.predictions.decoder.weight" not in stored(tiny_bert)
    assert_engine_is_right(tiny_bert, engine)


@pytest.mark.parametrize("engine", ENGINES)
def test_an_untied_decoder_uses_its_stored_weights(tmp_path: Path, engine: str) -> None:
    save_bert(tmp_path, tie_word_embeddings=False)
    tensors = stored(tmp_path)
    decoder, words = tensors["cls.predictions.decoder.weight"], tensors["bert.embeddings.word_embeddings.weight"]
    assert not torch.equal(decoder, words)
    assert_engine_is_right(tmp_path, engine)


@pytest.mark.parametrize("engine", ENGINES)
def test_logits_pass_through_the_whole_mlm_head(tiny_bert: Path, engine: str) -> None:
    session = open_bert(tiny_bert, engine)
    found = engine_outputs(session, one_batch(session, TEXTS[:1]))
    w = {name: tensor.double() for name, tensor in stored(tiny_bert).items()}
    hidden = torch.from_numpy(found.last_hidden_state).double()
    head = "cls.predictions.transform"
    x = torch.nn.functional.linear(hidden, w[f"{head}.dense.weight"], w[f"{head}.dense.bias"])
    x = torch.nn.functional.gelu(x)
    x = torch.nn.functional.layer_norm(
        x, (HIDDEN,), w[f"{head}.LayerNorm.weight"], w[f"{head}.LayerNorm.bias"], eps=1e-12
    )
    logits = x @ w["bert.embeddings.word_embeddings.weight"].T + w["cls.predictions.bias"]
    assert_close(found.logits, logits.float().numpy())


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("model_class", [transformers.BertModel, transformers.BertForSequenceClassification])
def test_a_checkpoint_without_an_mlm_head_has_none(tmp_path: Path, engine: str, model_class: type) -> None:
    session = open_bert(save_bert(tmp_path, random_model(model_class)), engine)
    with pytest.raises(MissingMlmHead, match=r"cls\.predictions"):
        require_mlm(session)


@pytest.mark.parametrize("part", ["bias", "transform.dense.weight", "transform.LayerNorm.bias"])
def test_an_incomplete_mlm_head_is_missing(own_tiny_bert: Path, part: str) -> None:
    tensors = stored(own_tiny_bert)
    del tensors[f"cls.predictions.{part}"]
    save_file(tensors, own_tiny_bert / "model.safetensors")
    with pytest.raises(MissingMlmHead) as raised:
        require_mlm(open_bert(own_tiny_bert))
    assert raised.value.hint == "use a checkpoint saved from BertForMaskedLM, or -m bundled"


def test_an_mlm_head_without_its_untied_decoder_is_missing(own_tiny_bert: Path) -> None:
    require_mlm(open_bert(own_tiny_bert))
    edit_config(own_tiny_bert, tie_word_embeddings=False)
    with pytest.raises(MissingMlmHead):
        require_mlm(open_bert(own_tiny_bert))


@pytest.mark.parametrize("engine", ENGINES)
def test_no_engine_uses_random_weights_for_an_mlm_head(tmp_path: Path, engine: str) -> None:
    session = open_bert(save_bert(tmp_path, random_model(transformers.BertModel)), engine)
    with pytest.raises((BadCheckpoint, KeyError), match=r"cls\.predictions"):
        session.run(one_batch(session, TEXTS), OutputRequest(logits_at=...))


@pytest.mark.parametrize("engine", ENGINES)
def test_no_engine_uses_random_weights_for_a_pooler(tmp_path: Path, engine: str) -> None:
    session = open_bert(save_bert(tmp_path, random_model(transformers.BertForMaskedLM)), engine)
    assert not session.has_pooler
    with pytest.raises(MissingPooler, match=r"pooler\.dense"):
        require_pooler(session)
    assert pooler_output_or_none(session) is None


def pooler_output_or_none(session: Session) -> Any:
    """Request the pooler output without checking for a pooler. Return it, or None if that raises KeyError."""
    try:
        return session.run(one_batch(session, TEXTS), OutputRequest(pooler_output=True)).pooler_output
    except KeyError:
        return None


@pytest.mark.parametrize("engine", ENGINES)
def test_pooler_output_is_tanh_of_the_dense_layer_over_cls(tiny_bert: Path, engine: str) -> None:
    session = open_bert(tiny_bert, engine)
    found = engine_outputs(session, one_batch(session, TEXTS))
    w = stored(tiny_bert)
    cls = found.last_hidden_state[:, 0]
    expected = np.tanh(cls @ w["bert.pooler.dense.weight"].numpy().T + w["bert.pooler.dense.bias"].numpy())
    assert_close(found.pooler_output, expected)
    assert np.abs(found.pooler_output - cls).max() > 0.5


@pytest.mark.parametrize("engine", ENGINES)
def test_the_first_hidden_state_follows_the_layer_norm_of_the_embeddings(tiny_bert: Path, engine: str) -> None:
    session = open_bert(tiny_bert, engine)
    batch = one_batch(session, TEXTS)
    first = engine_outputs(session, batch).hidden_states[0]
    w = {name.removeprefix("bert.embeddings."): tensor.double().numpy() for name, tensor in stored(tiny_bert).items()}
    x = (
        w["word_embeddings.weight"][batch.input_ids]
        + w["token_type_embeddings.weight"][batch.token_type_ids]
        + w["position_embeddings.weight"][: batch.shape[1]]
    )
    x = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-12)
    expected = x * w["LayerNorm.weight"] + w["LayerNorm.bias"]
    real = batch.attention_mask
    assert_close(first[real], expected.astype(np.float32)[real])


@pytest.mark.parametrize("engine", ENGINES)
def test_there_is_one_more_hidden_state_than_layers_and_the_last_is_last_hidden_state(
    tiny_bert: Path, engine: str
) -> None:
    session = open_bert(tiny_bert, engine)
    batch = one_batch(session, TEXTS)
    output = session.run(batch, OutputRequest(hidden_states=range(LAYERS + 1)))
    states = [session.to_numpy(state) for state in output.hidden_states]
    assert [state.shape for state in states] == [(*batch.shape, HIDDEN)] * (LAYERS + 1)
    assert np.array_equal(states[-1], session.to_numpy(output.last_hidden_state))
    for earlier, later in pairwise(states):
        assert not np.allclose(earlier, later)


@pytest.mark.parametrize("engine", ENGINES)
def test_each_layer_has_the_attention_of_each_head_from_query_to_key(tiny_bert: Path, engine: str) -> None:
    session = open_bert(tiny_bert, engine)
    batch = one_batch(session, TEXTS)
    seen: list[tuple[int, np.ndarray]] = []
    session.run(batch, OutputRequest(on_attention=lambda a: seen.append((a.layer, session.to_numpy(a.weights).copy()))))
    assert [layer for layer, _ in seen] == list(range(LAYERS))
    for _, attention in seen:
        assert attention.shape == (len(TEXTS), HEADS, batch.shape[1], batch.shape[1])
        np.testing.assert_allclose(attention.sum(-1), 1, 0, 1e-5)


def test_the_transformers_engine_uses_eager_attention_only_if_attention_is_requested(
    tiny_bert: Path,
) -> None:
    session = open_bert(tiny_bert, "transformers")
    batch = one_batch(session, TEXTS)
    model = session.engine._model("BertModel")
    used: list[str] = []
    model.register_forward_hook(lambda module, *_: used.append(module.config._attn_implementation))
    seen: list[int] = []
    attention = OutputRequest(on_attention=lambda a: seen.append(a.layer))
    for request in (OutputRequest(), attention, OutputRequest()):
        session.run(batch, request)
    assert used == ["sdpa", "eager", "sdpa"]
    assert seen == list(range(LAYERS))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
@pytest.mark.parametrize("engine", ENGINES)
def test_a_half_precision_checkpoint_is_computed_in_float32(tmp_path: Path, engine: str, dtype: torch.dtype) -> None:
    folder = save_bert(tmp_path, random_model(seed=8).to(dtype))
    session = open_bert(folder, engine)
    batch = one_batch(session, TEXTS)
    output = session.run(batch, OutputRequest(pooler_output=True, logits_at=...))
    for array in (output.last_hidden_state, output.pooler_output, output.logits):
        assert str(array.dtype).removeprefix("torch.") == "float32"
    assert load("BertModel", folder).dtype == torch.float32
    assert_same(engine_outputs(session, batch), transformers_outputs(folder, batch), batch)


@pytest.mark.parametrize("engine", ENGINES)
def test_pad_keys_get_no_weight_and_padding_changes_no_token(tiny_bert: Path, engine: str) -> None:
    session = open_bert(tiny_bert, engine)
    short, long = "a b", "the cat sat on the mat, the cat sat on the mat"
    alone = engine_outputs(session, one_batch(session, [short]))
    padded = engine_outputs(session, one_batch(session, [short, long]))
    size = alone.last_hidden_state.shape[1]
    for layer in range(LAYERS):
        assert not padded.attentions[layer][0, :, :size, size:].any()
        np.testing.assert_allclose(padded.attentions[layer][0, :, :size, :size], alone.attentions[layer][0], 0, 1e-5)
    assert_close(padded.last_hidden_state[0, :size], alone.last_hidden_state[0])
    assert_close(padded.pooler_output[0], alone.pooler_output[0])


@pytest.mark.parametrize("engine", ENGINES)
def test_segment_b_has_token_type_1_and_its_own_embedding(tiny_bert: Path, engine: str) -> None:
    session = open_bert(tiny_bert, engine)
    batch = one_batch(session, [("how are you", "the cat")])
    assert batch.token_type_ids.tolist() == [[0] * 5 + [1] * 3]
    in_pairs = engine_outputs(session, batch)
    assert_same(in_pairs, transformers_outputs(tiny_bert, batch), batch)
    batch.token_type_ids[:] = 0
    in_one = engine_outputs(session, batch)
    assert np.abs(in_one.hidden_states[0][0, 5:] - in_pairs.hidden_states[0][0, 5:]).max() > 0.01
    np.testing.assert_array_equal(in_one.hidden_states[0][0, :5], in_pairs.hidden_states[0][0, :5])


@pytest.mark.parametrize("engine", ENGINES)
def test_infinity_and_nan_are_an_error(tmp_path: Path, engine: str) -> None:
    model = random_model()
    with torch.no_grad():
        model.bert.encoder.layer[1].output.dense.bias[3] = torch.inf
    session = open_bert(save_bert(tmp_path, model), engine)
    batch = one_batch(session, TEXTS)
    for request in (OutputRequest(), OutputRequest(on_attention=lambda attention: None)):
        with pytest.raises(NotFinite, match="are infinite or NaN in float32"):
            session.run(batch, request)
    with torch.no_grad():
        model.bert.encoder.layer[1].output.dense.bias[3] = 0
        model.cls.predictions.bias[5] = torch.nan
    session = open_bert(save_bert(tmp_path, model), engine)
    session.run(batch, OutputRequest())
    with pytest.raises(NotFinite):
        session.run(batch, OutputRequest(logits_at=...))


@pytest.mark.parametrize("engine", ENGINES)
def test_nan_in_the_pooler_or_the_next_sentence_head_is_an_error(tmp_path: Path, engine: str) -> None:
    model = random_model()
    with torch.no_grad():
        model.bert.pooler.dense.weight[3, 1] = torch.nan
    session = open_bert(save_bert(tmp_path, model), engine)
    batch = one_batch(session, TEXTS)
    session.run(batch, OutputRequest())
    with pytest.raises(NotFinite):
        session.run(batch, OutputRequest(pooler_output=True))
    with torch.no_grad():
        model.bert.pooler.dense.weight[3, 1] = 0
        model.cls.seq_relationship.weight[0, 1] = torch.nan
    session = open_bert(save_bert(tmp_path, model), engine)
    session.run(batch, OutputRequest(pooler_output=True))
    with pytest.raises(NotFinite):
        session.run(batch, OutputRequest(next_sentence=True))


@pytest.mark.parametrize("engine", ["numpy", "torch"])
def test_no_layer_is_run_beyond_the_last_requested_one(tiny_bert: Path, engine: str) -> None:
    session = open_bert(tiny_bert, engine)
    batch = one_batch(session, TEXTS)
    seen: list[int] = []
    output = session.run(
        batch, OutputRequest(on_attention=lambda attention: seen.append(attention.layer), last_layer=0)
    )
    assert seen == [0]
    embeddings = session.run(batch, OutputRequest(hidden_states=[0])).hidden_states[0]
    found, expected = session.to_numpy(output.last_hidden_state), session.to_numpy(embeddings)
    assert_close(found[batch.attention_mask], expected[batch.attention_mask])


@pytest.mark.parametrize("engine", ["numpy", "torch"])
@pytest.mark.parametrize(("part", "number"), [("query", torch.nan), ("value", torch.nan), ("value", torch.inf)])
def test_infinity_or_nan_in_the_last_layer_that_is_run_is_an_error(
    tmp_path: Path, engine: str, part: str, number: float
) -> None:
    model = random_model()
    with torch.no_grad():
        getattr(model.bert.encoder.layer[1].attention.self, part).bias[3] = number
    session = open_bert(save_bert(tmp_path, model), engine)
    batch = one_batch(session, TEXTS)
    session.run(batch, OutputRequest(on_attention=lambda attention: None, last_layer=0))
    with pytest.raises(NotFinite):
        session.run(batch, OutputRequest(on_attention=lambda attention: None, last_layer=1))
