"""ModernBERT's settings have the meaning and the defaults of transformers, in every spelling."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import transformers

from bertcli.checkpoints.config import ModelConfig, ModernBertConfig, read_config
from bertcli.errors import BadCheckpoint
from tests.tiny import write_json

OWN_FIELDS = {"global_layers", "global_rope_theta", "local_rope_theta", "type_vocab_size", "unsupported_setting"}


def config_of(folder: Path, **settings: Any) -> ModelConfig:
    write_json(folder / "config.json", {"model_type": "modernbert", **settings})
    return read_config(folder)


def same_in_transformers(folder: Path, config: ModelConfig) -> None:
    """Check that the config has the settings that transformers reads from the file."""
    theirs = transformers.AutoConfig.from_pretrained(folder)
    assert isinstance(config, ModernBertConfig)
    ignored = {*OWN_FIELDS, "class_prefix", "has_own_code", "pad_token_id"}
    found = {name: value for name, value in asdict(config).items() if name not in ignored}
    assert found == {name: getattr(theirs, name) for name in found}
    assert config.global_layers == tuple(kind == "full_attention" for kind in theirs.layer_types)
    assert config.global_rope_theta == theirs.rope_parameters["full_attention"]["rope_theta"]
    assert config.local_rope_theta == theirs.rope_parameters["sliding_attention"]["rope_theta"]


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"norm_eps": 1e-6, "layer_norm_eps": 1e-3, "hidden_activation": "relu", "hidden_act": "silu"},
        {"global_attn_every_n_layers": 2, "global_rope_theta": 80000.0, "local_rope_theta": 10000},
        {"global_attn_every_n_layers": 1, "num_hidden_layers": 4},
        {"layer_types": ["sliding_attention", "full_attention"], "num_hidden_layers": 2},
        {"rope_parameters": {"full_attention": {"rope_type": "default", "rope_theta": 5.5}}, "global_rope_theta": 7.0},
        {"rope_parameters": {"sliding_attention": {"rope_type": "default"}}, "local_rope_theta": 7.0},
        {"rope_parameters": None, "rope_scaling": None, "layer_types": None},
        {"decoder_bias": False, "norm_bias": True, "local_attention": 7, "tie_word_embeddings": False},
    ],
    ids=str,
)
def test_settings_are_those_that_transformers_reads(tmp_path: Path, settings: dict[str, Any]) -> None:
    same_in_transformers(tmp_path, config_of(tmp_path, **settings))


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("rope_scaling", {"rope_type": "yarn", "factor": 2.0}),
        ("rope_parameters", {"full_attention": {"rope_type": "yarn", "factor": 2.0, "rope_theta": 1e4}}),
        ("rope_parameters", {"full_attention": {"rope_theta": "large"}}),
        ("rope_parameters", {"full_attention": {"rope_theta": 1e4, "partial_rotary_factor": 0.5}}),
        ("rope_parameters", {"rope_type": "default", "rope_theta": 1e4}),
        ("rope_parameters", [1e4]),
        ("rope_parameters", {"full_attention": None}),
        ("global_rope_theta", None),
        ("local_rope_theta", -1.0),
        ("local_rope_theta", float("inf")),
        ("global_attn_every_n_layers", 0),
        ("global_attn_every_n_layers", "3"),
        ("layer_types", ["full_attention"]),
        ("layer_types", ["full_attention", "chunked_attention"]),
        ("layer_types", [[], {}]),
        ("layer_types", "full_attention"),
        ("head_dim", 12),
        ("tie_last_hidden_states", False),
    ],
    ids=str,
)
def test_other_settings_leave_the_model_to_transformers(tmp_path: Path, setting: str, value: object) -> None:
    config = config_of(tmp_path, num_hidden_layers=2, **{setting: value})
    assert type(config) is ModelConfig
    assert config.unsupported_setting.startswith(f"{setting} ")
    assert len(config.unsupported_setting) < 100


@pytest.mark.parametrize(
    ("setting", "value"),
    [("norm_eps", "1e-5"), ("norm_bias", 1), ("hidden_activation", None), ("local_attention", 0), ("norm_eps", 2.5)],
    ids=str,
)
def test_a_setting_of_the_wrong_type_is_named_with_its_value(tmp_path: Path, setting: str, value: object) -> None:
    with pytest.raises(BadCheckpoint, match=f"config.json: {setting} is {value!r}, not "):
        config_of(tmp_path, **{setting: value})


def test_a_head_needs_an_even_number_of_features(tmp_path: Path) -> None:
    with pytest.raises(BadCheckpoint, match="hidden_size is 9, not an even number for each attention head"):
        config_of(tmp_path, hidden_size=9, num_attention_heads=3)
