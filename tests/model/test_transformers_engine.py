"""Every family gives the same outputs as its own transformers classes, on each engine that supports it."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers

from bertcli.checkpoints.families import ARCHITECTURES
from bertcli.errors import BadCheckpoint, MissingMlmHead, MissingPackage, MissingPooler, UnsupportedModel, WrongUsage
from bertcli.model.batching import pad, position_ids
from bertcli.model.engine import OutputRequest
from bertcli.model.requirements import require_mlm, require_pooler
from bertcli.model.tokenizer import TokenizedText
from tests.families import CONFIGS, MASKS, OTHER_CONFIGS, OWN_ENGINES, WITH_POOLER, save_family
from tests.reference import assert_close, assert_same, engine_outputs, transformers_outputs
from tests.tiny import edit_config, one_batch, open_bert, record, tokenize, write_vocabulary

TEXTS = ["how are [MASK]", "you", "the cat sat on the [MASK], a mat."]
CASES = [
    (model_type, engine)
    for model_type in CONFIGS
    for engine in (("numpy", "torch", "transformers") if model_type in OWN_ENGINES else ("transformers",))
]


@pytest.fixture(scope="session")
def families(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return a checkpoint of each family. Tests must not change them."""
    return {model_type: save_family(tmp_path_factory.mktemp(model_type), model_type) for model_type in CONFIGS}


def test_every_family_is_tested() -> None:
    assert {"bert", *CONFIGS, *OTHER_CONFIGS, "roc_bert"} == set(ARCHITECTURES)
    of_bert = {name for name in CONFIGS if ARCHITECTURES[name].has_bert_layers}
    assert {"modernbert", *of_bert} == set(OWN_ENGINES)
    assert {name for name in CONFIGS if ARCHITECTURES[name].pooler} == set(WITH_POOLER)


@pytest.mark.parametrize(("model_type", "engine"), CASES)
def test_every_output_equals_that_of_transformers(families: dict[str, Path], model_type: str, engine: str) -> None:
    folder, pooler = families[model_type], model_type in WITH_POOLER
    session = open_bert(folder, engine)
    batch = one_batch(session, TEXTS)
    assert_same(
        engine_outputs(session, batch, pooler=pooler), transformers_outputs(folder, batch, pooler=pooler), batch
    )


@pytest.mark.parametrize("engine", ["numpy", "torch", "transformers"])
def test_modernbert_hidden_states_of_any_layer_are_normed_before_the_head(
    families: dict[str, Path], engine: str
) -> None:
    session = open_bert(families["modernbert"], engine)
    batch = one_batch(session, TEXTS[:1])
    output = session.run(batch, OutputRequest(hidden_states=[1]))
    found = session.to_numpy(session.engine.mlm_logits(output.hidden_states[0][0], is_last=False))
    shorter = transformers.ModernBertForMaskedLM.from_pretrained(families["modernbert"], dtype=torch.float32)
    del shorter.model.layers[1:]  # so the last states are those of the first layer
    with torch.inference_mode():
        assert_close(found, shorter(input_ids=torch.from_numpy(batch.input_ids)).logits[0].numpy())


@pytest.mark.parametrize(("model_type", "engine"), CASES)
def test_the_mlm_head_applies_to_any_hidden_states(families: dict[str, Path], model_type: str, engine: str) -> None:
    session = open_bert(families[model_type], engine)
    output = session.run(one_batch(session, TEXTS), OutputRequest(logits_at=..., hidden_states=[0]))
    first, last = (session.engine.mlm_logits(state[0]) for state in (output.hidden_states[0], output.last_hidden_state))
    assert_close(session.to_numpy(last), session.to_numpy(output.logits[0]))
    assert first.shape == last.shape
    assert np.abs(session.to_numpy(first - last)).max() > 1e-3


@pytest.mark.parametrize("model_type", CONFIGS)
@pytest.mark.parametrize("text", ["how are [MASK]", "Caf\u00e9, 中", ("how are you", "the cat sat")], ids=str)
def test_tokens_equal_those_of_transformers(
    families: dict[str, Path], model_type: str, text: str | tuple[str, str]
) -> None:
    session = open_bert(families[model_type], "auto")
    reference = transformers.AutoTokenizer.from_pretrained(families[model_type])
    assert session.tokenizer.special_tokens.mask == MASKS.get(model_type, "[MASK]") == reference.mask_token
    parts = (text,) if isinstance(text, str) else text
    expected = reference(*(part.replace("[MASK]", reference.mask_token) for part in parts), return_token_type_ids=True)
    [found] = tokenize(session, [text])
    assert list(found.input_ids) == expected["input_ids"]
    if session.config.type_vocab_size:
        assert list(found.token_type_ids) == expected["token_type_ids"]
    else:
        assert found.token_type_ids == ()


@pytest.mark.parametrize("model_type", CONFIGS)
def test_the_longest_text_runs_and_a_longer_one_fails(families: dict[str, Path], model_type: str) -> None:
    session = open_bert(families[model_type], "auto")
    limit = 38 if ARCHITECTURES[model_type].positions_follow_padding else 40
    assert session.config.max_tokens == limit
    texts = session.tokenizer.tokenize([record("how" + " how" * count) for count in range(limit)])
    *_, longest = (text for text in texts if isinstance(text, TokenizedText))
    assert len(longest) == limit
    batch = pad([longest], session.tokenizer.pad_token_id)
    assert_same(
        engine_outputs(session, batch, pooler=False, logits=False),
        transformers_outputs(families[model_type], batch, pooler=False, logits=False),
        batch,
    )
    assert f"the limit is {limit}" in texts[-1].error.message


@pytest.mark.parametrize("model_type", sorted(set(CONFIGS) - set(OWN_ENGINES)))
def test_only_the_transformers_engine_runs_other_layers(families: dict[str, Path], model_type: str) -> None:
    assert open_bert(families[model_type], "auto", "auto").engine.name == "transformers"
    for engine in ("numpy", "torch"):
        with pytest.raises(WrongUsage, match=f"not those of {model_type}"):
            open_bert(families[model_type], engine).engine  # noqa: B018


@pytest.mark.parametrize("model_type", CONFIGS)
def test_a_body_alone_has_neither_pooler_nor_mlm_head(tmp_path: Path, model_type: str) -> None:
    save_family(tmp_path, model_type)
    model = transformers.AutoModelForMaskedLM.from_pretrained(tmp_path)
    getattr(model, model.base_model_prefix).save_pretrained(tmp_path)
    session = open_bert(tmp_path, "auto")
    with pytest.raises(MissingMlmHead, match=ARCHITECTURES[model_type].mlm_head_name):
        require_mlm(session)
    with pytest.raises(MissingPooler):
        require_pooler(session)
    batch = one_batch(session, TEXTS)
    assert_same(
        engine_outputs(session, batch, pooler=False, logits=False),
        transformers_outputs(tmp_path, batch, pooler=False, logits=False),
        batch,
    )


@pytest.mark.parametrize("model_type", ["electra", "deberta-v2"])
def test_a_layer_that_is_missing_is_an_error_and_never_random(tmp_path: Path, model_type: str) -> None:
    save_family(tmp_path, model_type)
    edit_config(tmp_path, num_hidden_layers=3)
    session = open_bert(tmp_path, "transformers")
    with pytest.raises(BadCheckpoint, match=r"encoder\.layer\.2\..* is missing"):
        engine_outputs(session, one_batch(session, TEXTS), pooler=False)


@pytest.mark.parametrize("model_type", ["electra", "mpnet", "deberta-v2", "roberta", "distilbert"])
def test_more_layers_than_in_the_config_are_an_error(tmp_path: Path, model_type: str) -> None:
    save_family(tmp_path, model_type)
    edit_config(tmp_path, **{"n_layers" if model_type == "distilbert" else "num_hidden_layers": 1})
    with pytest.raises(BadCheckpoint, match=r"layers?\b.*the config counts|more layers?\b"):
        session = open_bert(tmp_path, "auto")
        engine_outputs(session, one_batch(session, TEXTS), pooler=False)


@pytest.mark.parametrize("setting", [{"position_embedding_type": "relative_key"}, {"is_decoder": True}], ids=str)
@pytest.mark.parametrize("model_type", ["electra", "albert", "roberta"])
def test_unsupported_settings_are_an_error_in_every_family(
    tmp_path: Path, model_type: str, setting: dict[str, object]
) -> None:
    save_family(tmp_path, model_type)
    edit_config(tmp_path, **setting)
    with pytest.raises(UnsupportedModel, match=next(iter(setting))):
        open_bert(tmp_path, "auto")


def test_an_unknown_activation_is_an_error_that_names_it(tmp_path: Path) -> None:
    save_family(tmp_path, "electra")
    edit_config(tmp_path, hidden_act="swoosh")
    session = open_bert(tmp_path, "auto")
    with pytest.raises(BadCheckpoint, match="swoosh"):
        engine_outputs(session, one_batch(session, TEXTS), pooler=False)


@pytest.mark.parametrize("engine", ["numpy", "torch"])
def test_distilbert_has_a_fixed_eps_and_other_config_names(tmp_path: Path, engine: str) -> None:
    save_family(tmp_path, "distilbert")
    edit_config(tmp_path, layer_norm_eps=0.5, n_heads=..., num_attention_heads=3, n_layers=..., num_hidden_layers=2)
    session = open_bert(tmp_path, engine)
    batch = one_batch(session, TEXTS)
    expected = transformers_outputs(tmp_path, batch, pooler=False)
    assert_same(engine_outputs(session, batch, pooler=False), expected, batch)


@pytest.mark.parametrize("pad_token_id", [0, 4])
def test_positions_start_after_the_id_of_padding(tmp_path: Path, pad_token_id: int) -> None:
    save_family(tmp_path, "roberta")
    edit_config(tmp_path, pad_token_id=pad_token_id)
    session = open_bert(tmp_path, "numpy")
    assert session.config.max_tokens == 40 - pad_token_id - 1
    batch = one_batch(session, ["how are you"])
    assert_same(engine_outputs(session, batch), transformers_outputs(tmp_path, batch), batch)


def test_weights_of_another_size_are_an_error(tmp_path: Path) -> None:
    save_family(tmp_path, "albert")
    edit_config(tmp_path, intermediate_size=41)
    session = open_bert(tmp_path, "transformers")
    with pytest.raises(BadCheckpoint, match="transformers cannot load"):
        engine_outputs(session, one_batch(session, TEXTS), pooler=False)


@pytest.mark.parametrize("model_type", ["roberta", "mpnet"])
def test_a_vocabulary_without_tokenizer_json_gives_the_tokens_of_transformers(tmp_path: Path, model_type: str) -> None:
    save_family(tmp_path, model_type)
    saved = json.loads((tmp_path / "tokenizer.json").read_text(encoding="utf-8"))["model"]
    (tmp_path / "tokenizer.json").unlink()
    if model_type == "roberta":
        (tmp_path / "vocab.json").write_text(json.dumps(saved["vocab"]), encoding="utf-8")
        merges = "".join(f"{left} {right}\n" for left, right in saved["merges"])
        (tmp_path / "merges.txt").write_text(f"#version: 0.2\n{merges}", encoding="utf-8")
    else:
        write_vocabulary(tmp_path, sorted(saved["vocab"], key=saved["vocab"].__getitem__))
    expected = transformers.AutoTokenizer.from_pretrained(tmp_path)("how are you")["input_ids"]
    [found] = tokenize(open_bert(tmp_path, "auto"), ["how are you"])
    assert list(found.input_ids) == expected
    assert len(found) < len("how are you")


def test_an_unreadable_vocabulary_is_an_error_that_says_why(tmp_path: Path) -> None:
    save_family(tmp_path, "albert")
    (tmp_path / "tokenizer.json").unlink()
    with pytest.raises(BadCheckpoint, match=r"neither tokenizer\.json nor spiece\.model"):
        open_bert(tmp_path, "auto")
    (tmp_path / "spiece.model").write_bytes(b"?")
    # Without sentencepiece nobody can tell if the file is damaged.
    with pytest.raises((BadCheckpoint, MissingPackage), match=r"cannot load its vocabulary|needs sentencepiece"):
        open_bert(tmp_path, "auto")


def test_position_ids_start_after_the_id_of_padding_and_skip_padding() -> None:
    ids = np.array([[0, 7, 8, 2, 1, 1], [0, 1, 7, 9, 9, 2]])
    assert position_ids(ids, 2).tolist() == [[2, 3, 4, 5, 1, 1], [2, 1, 3, 4, 5, 6]]
    assert position_ids(ids, 0).tolist() == [0, 1, 2, 3, 4, 5]
