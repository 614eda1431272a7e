"""config.json: the defaults of transformers, and errors for configs that are not a BERT's."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import transformers

from bertcli.checkpoints.config import BertConfig, read_config
from bertcli.errors import BadCheckpoint, UnsupportedModel
from tests.tiny import DEFAULTS, edit_config, open_bert, write_json


def config_of(folder: Path, **fields: Any) -> BertConfig:
    write_json(folder / "config.json", fields)
    return read_config(folder)


def test_missing_settings_have_the_defaults_of_transformers(tmp_path: Path) -> None:
    expected = transformers.BertConfig()
    found = asdict(config_of(tmp_path))
    assert [found.pop(name) for name in ("class_prefix", "has_own_code", "unsupported_setting")] == ["", False, ""]
    assert found == {name: getattr(expected, name) for name in found}


def test_settings_of_a_config_are_read(tiny_bert: Path) -> None:
    found = asdict(read_config(tiny_bert))
    assert DEFAULTS.items() <= found.items()
    assert found["layer_norm_eps"] == 1e-12


def test_a_config_without_model_type_is_a_bert(own_tiny_bert: Path) -> None:
    edit_config(own_tiny_bert, model_type=..., architectures=..., transformers_version=...)
    assert open_bert(own_tiny_bert).config.hidden_size == DEFAULTS["hidden_size"]


@pytest.mark.parametrize("model_type", ["llama", "gpt2", "", 3, ["bert"]])
def test_an_unknown_model_type_is_an_error_that_names_it(tmp_path: Path, model_type: object) -> None:
    with pytest.raises(UnsupportedModel) as raised:
        config_of(tmp_path, model_type=model_type)
    assert f"model_type {model_type!r}" in raised.value.message
    assert raised.value.hint


@pytest.mark.parametrize(
    ("field", "value"), [("position_embedding_type", "relative_key"), ("is_decoder", True)], ids=str
)
def test_unsupported_settings_are_an_error(tmp_path: Path, field: str, value: object) -> None:
    with pytest.raises(UnsupportedModel, match=field):
        config_of(tmp_path, **{field: value})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("hidden_size", "24"), ("hidden_size", 24.0), ("hidden_size", 0), ("hidden_size", -24), ("hidden_size", True),
        ("hidden_size", None), ("num_hidden_layers", [2]), ("vocab_size", {}), ("layer_norm_eps", "1e-12"),
        ("layer_norm_eps", 0.0), ("layer_norm_eps", -1e-5), ("layer_norm_eps", float("nan")), ("hidden_act", None),
        ("hidden_act", 3), ("tie_word_embeddings", 1),
    ],
)  # fmt: skip
def test_a_setting_of_the_wrong_type_is_named_with_its_value(tmp_path: Path, field: str, value: object) -> None:
    with pytest.raises(BadCheckpoint) as raised:
        config_of(tmp_path, **{field: value})
    assert f"config.json: {field} is {value!r}, not " in raised.value.message


@pytest.mark.parametrize(
    ("field", "value", "largest"),
    [
        ("num_hidden_layers", 10**9, "1,000"), ("hidden_size", 10**12, "1,000,000"),
        ("vocab_size", 2**64, "10,000,000"),
        ("num_attention_heads", 10**6, "10,000"), ("max_position_embeddings", 10**18, "10,000,000"),
        ("type_vocab_size", 10**9, "10,000,000"), ("intermediate_size", 10**4000, "10,000,000"),
        ("layer_norm_eps", 10**400, "1.0"), ("layer_norm_eps", float("inf"), "1.0"), ("layer_norm_eps", 2.5, "1.0"),
    ],
)  # fmt: skip
def test_a_setting_beyond_every_model_is_an_error(tmp_path: Path, field: str, value: float, largest: str) -> None:
    with pytest.raises(BadCheckpoint, match=f"config.json: {field} is .*, not at most {largest}$") as raised:
        config_of(tmp_path, **{field: value})
    assert len(raised.value.message) < len(str(tmp_path)) + 150


def test_a_setting_that_only_transformers_reads_is_bounded_too(tmp_path: Path) -> None:
    with pytest.raises(BadCheckpoint, match="num_hidden_groups is 1000000000, not at most 1,000"):
        config_of(tmp_path, model_type="albert", num_hidden_groups=10**9)


def test_a_model_without_a_position_for_a_token_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BadCheckpoint, match="max_position_embeddings is 2, not more than 2"):
        config_of(tmp_path, model_type="roberta", max_position_embeddings=2)


def test_a_whole_number_is_a_valid_eps(tmp_path: Path) -> None:
    assert config_of(tmp_path, layer_norm_eps=1).layer_norm_eps == 1.0


def test_hidden_size_must_be_a_multiple_of_the_heads(tmp_path: Path) -> None:
    with pytest.raises(BadCheckpoint, match="hidden_size 24 is not a multiple of num_attention_heads 5"):
        config_of(tmp_path, hidden_size=24, num_attention_heads=5)
    assert config_of(tmp_path, hidden_size=24, num_attention_heads=4).head_size == 6


@pytest.mark.parametrize("content", [b"", b"{", b"{'a': 1}", b'{"a": \xff}', b"[" * 100_000])
def test_a_config_that_is_not_json_is_a_bad_checkpoint(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "config.json").write_bytes(content)
    with pytest.raises(BadCheckpoint, match=r"config\.json is not valid JSON"):
        read_config(tmp_path)


@pytest.mark.parametrize("value", [[], "bert", 3, None])
def test_a_config_that_is_not_an_object_is_a_bad_checkpoint(tmp_path: Path, value: object) -> None:
    write_json(tmp_path / "config.json", value)
    with pytest.raises(BadCheckpoint, match="does not hold a JSON object"):
        read_config(tmp_path)


def test_a_folder_without_a_config_is_a_bad_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(BadCheckpoint, match=r"has no config\.json"):
        read_config(tmp_path)


@pytest.mark.parametrize("inner", ["checkpoint-500", "snapshots/0a1b"])
def test_the_error_for_a_folder_of_checkpoints_names_the_one_inside(tmp_path: Path, inner: str) -> None:
    (tmp_path / inner).mkdir(parents=True)
    (tmp_path / inner / "config.json").touch()
    with pytest.raises(BadCheckpoint) as raised:
        read_config(tmp_path)
    assert raised.value.hint == f"use -m {tmp_path / inner}"


def test_an_unknown_activation_is_an_error_that_names_it(own_tiny_bert: Path) -> None:
    from bertcli.model.engine import OutputRequest
    from tests.tiny import one_batch

    edit_config(own_tiny_bert, hidden_act="mish")
    for engine in ("numpy", "torch"):
        session = open_bert(own_tiny_bert, engine)
        with pytest.raises(UnsupportedModel, match="'mish'"):
            session.run(one_batch(session, ["how"]), OutputRequest())
