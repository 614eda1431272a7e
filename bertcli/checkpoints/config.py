"""A model's config: the sizes and settings in config.json."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from bertcli.checkpoints.architectures import Architecture, untested_architecture
from bertcli.checkpoints.families import ARCHITECTURES
from bertcli.checkpoints.unsupported import has_own_code, untested_class
from bertcli.errors import BadCheckpoint, UnsupportedModel
from bertcli.lazy_dataclass import dataclass
from bertcli.quoting import shell_quoted, shortened

CONFIG_FILE = "config.json"
# Where checkpoints are in the folder of a training run, and in that of a model in the hub's cache.
_INNER_CONFIGS = (f"*/{CONFIG_FILE}", f"*/*/{CONFIG_FILE}")
# Largest values of settings, far beyond those of any published model. A damaged value could otherwise use up all memory
# before it is compared with the weights.
_LARGEST: Mapping[str, float] = {
    "vocab_size": 10_000_000,
    "hidden_size": 1_000_000,
    "num_hidden_layers": 1_000,
    "num_attention_heads": 10_000,
    "intermediate_size": 10_000_000,
    "max_position_embeddings": 10_000_000,
    "type_vocab_size": 10_000_000,
    "pad_token_id": 10_000_000,
    "layer_norm_eps": 1.0,
    "norm_eps": 1.0,
    "local_attention": 10_000_000,
}
# The same for settings that only transformers reads, where it builds something for each number up to the value.
_LARGEST_OTHERS: Mapping[str, int] = {"num_hidden_groups": 1_000, "inner_group_num": 1_000, "num_labels": 1_000_000}


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """Settings that every model has: the values in config.json, with transformers' defaults for missing ones.

    type_vocab_size: 0 if the architecture has no token types. pad_token_id: matters only in the architectures whose
    positions follow the padding id. class_prefix: the beginning of the class names of a family that bertcli does not
    know; empty for the others. has_own_code: the checkpoint declares code for the model, which bertcli never runs.
    unsupported_setting: a setting with which bertcli's own forward pass for the family does not compute the model.
    """

    model_type: str = "bert"
    vocab_size: int = 30522
    hidden_size: int = 768
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    max_position_embeddings: int = 512
    type_vocab_size: int = 2
    pad_token_id: int = 0
    class_prefix: str = ""
    has_own_code: bool = False
    unsupported_setting: str = ""

    @property
    def architecture(self) -> Architecture:
        """The family of the model."""
        known = ARCHITECTURES.get(self.model_type)
        return untested_architecture(self.class_prefix) if known is None else known

    @property
    def first_position(self) -> int:
        """The position of a text's first token: 0, or the padding id + 1."""
        return self.pad_token_id + 1 if self.architecture.positions_follow_padding else 0

    @property
    def max_tokens(self) -> int:
        """The maximum length of a text in tokens, special tokens included."""
        return self.max_position_embeddings - self.first_position


@dataclass(frozen=True, slots=True)
class BertConfig(ModelConfig):
    """Settings of a BERT, or of a family whose layers are BERT's."""

    intermediate_size: int = 3072
    hidden_act: str = "gelu"
    layer_norm_eps: float = 1e-12
    tie_word_embeddings: bool = True

    @property
    def head_size(self) -> int:
        """The width of one attention head."""
        return self.hidden_size // self.num_attention_heads

    @property
    def mlm_head_act(self) -> str:
        """The activation inside the MLM head."""
        return self.architecture.mlm_head_act or self.hidden_act


@dataclass(frozen=True, slots=True)
class ModernBertConfig(ModelConfig):
    """Settings of a ModernBERT (Warner et al. 2024), under transformers' names.

    global_layers: for each layer, True if its tokens attend to all others, and False if only to those in a window of
    local_attention tokens around them. global_rope_theta, local_rope_theta: the bases of the rotary angles of both
    kinds of layers.
    """

    intermediate_size: int = 1152
    hidden_activation: str = "gelu"
    norm_eps: float = 1e-5
    norm_bias: bool = False
    attention_bias: bool = False
    mlp_bias: bool = False
    classifier_bias: bool = False
    classifier_activation: str = "gelu"
    decoder_bias: bool = True
    tie_word_embeddings: bool = True
    local_attention: int = 128
    global_layers: tuple[bool, ...] = ()
    global_rope_theta: float = 160_000.0
    local_rope_theta: float = 10_000.0

    @property
    def head_size(self) -> int:
        """The width of one attention head."""
        return self.hidden_size // self.num_attention_heads


# The configs of the models that bertcli's own forward passes compute.
OwnConfig = BertConfig | ModernBertConfig


def read_config(folder: Path) -> ModelConfig:
    """Read the config of the checkpoint in a folder.

    Returns:
        An OwnConfig if one of bertcli's own forward passes can compute the model, else a ModelConfig.

    Raises:
        BadCheckpoint: The config is missing, damaged or contradicts itself.
        UnsupportedModel: The architecture or one of its settings is not supported.
    """
    path = folder / CONFIG_FILE
    if not path.is_file():
        inner = next((each.parent for pattern in _INNER_CONFIGS for each in sorted(folder.glob(pattern))), None)
        hint = "give the folder that a model was saved to with save_pretrained"
        raise BadCheckpoint(
            f"{folder} has no {CONFIG_FILE}", hint=hint if inner is None else f"use -m {shell_quoted(inner)}"
        )
    raw = read_json_object(path)
    # BERT's first published configs are older than model_type and lack it.
    model_type = "bert" if raw.get("model_type") is None else raw["model_type"]
    architecture = ARCHITECTURES.get(model_type) if isinstance(model_type, str) else None
    if architecture is None:
        architecture = untested_architecture(untested_class(model_type, raw, path))
    _check_supported(raw, architecture, path)
    for name, largest in _LARGEST_OTHERS.items():
        if isinstance(raw.get(name), int) and raw[name] > largest:
            raise _wrong_value(path, name, raw[name], f"at most {largest:,}")
    config = _config_of(model_type, architecture, raw, path)
    if config.max_tokens < 1:
        raise _wrong_value(
            path, "max_position_embeddings", config.max_position_embeddings, f"more than {config.first_position}"
        )
    has_equal_heads = architecture.has_attentions and "head_dim" not in raw
    if has_equal_heads and config.hidden_size % config.num_attention_heads:
        raise BadCheckpoint(
            f"{path}: hidden_size {config.hidden_size} is not a multiple of "
            f"num_attention_heads {config.num_attention_heads}",
            hint=f"the config does not belong to a {architecture.class_prefix}; copy the checkpoint again",
        )
    if isinstance(config, ModernBertConfig) and config.head_size % 2:
        raise _wrong_value(path, "hidden_size", config.hidden_size, "an even number for each attention head")
    return config


def read_json_object(path: Path) -> dict[str, Any]:
    """Read a JSON file of a checkpoint.

    Raises:
        BadCheckpoint: The file is not JSON, or does not hold an object.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise BadCheckpoint(
            f"{path} is not valid JSON: {error}", hint="the file may be damaged; copy the checkpoint again"
        ) from None
    if not isinstance(value, dict):
        raise BadCheckpoint(f"{path} does not hold a JSON object", hint="copy the checkpoint again")
    return value


def _config_of(model_type: str, architecture: Architecture, raw: Mapping[str, Any], path: Path) -> ModelConfig:
    config_class: type[ModelConfig] = BertConfig if architecture.has_bert_layers else ModelConfig
    if model_type == "modernbert":
        config_class = ModernBertConfig
    defaults = {"model_type": model_type, **architecture.config_defaults}
    values = {**defaults, "has_own_code": has_own_code(raw)}
    if not architecture.is_tested:
        values["class_prefix"] = architecture.class_prefix
    for name in config_class.__dataclass_fields__:
        # A family's own name for a setting comes before BERT's, as in transformers.
        names = (architecture.config_names.get(name, name), name)
        stored = next((each for each in names if each in raw), None)
        if stored is not None and name not in _ignored_settings(architecture):
            may_be_zero = name == "pad_token_id" or defaults.get(name) == 0
            values[name] = _check_value(raw[stored], name, stored, path, may_be_zero=may_be_zero)
    config = config_class(**values)
    if isinstance(config, ModernBertConfig):
        return _with_layers_and_positions(config, raw)
    if architecture.head_divisor is None:
        return config
    name, default = architecture.head_divisor
    divisor = _check_value(raw.get(name, default), "num_attention_heads", name, path, may_be_zero=False)
    return replace(config, num_attention_heads=max(config.num_attention_heads // divisor, 1))


def _with_layers_and_positions(config: ModernBertConfig, raw: Mapping[str, Any]) -> ModelConfig:
    """Return the config with the settings that ModernBERT's config.json nests or spells in several ways.

    If bertcli's own forward pass does not compute one of them, return a ModelConfig.
    """
    from bertcli.checkpoints import modernbert_settings  # here, since only ModernBERT needs it

    if unsupported := modernbert_settings.unsupported_setting(raw, config.num_hidden_layers):
        shared = {field.name: getattr(config, field.name) for field in fields(ModelConfig)}
        return ModelConfig(**{**shared, "unsupported_setting": unsupported})
    global_theta, local_theta = modernbert_settings.rope_thetas(raw)
    return replace(
        config,
        global_layers=modernbert_settings.global_layers(raw, config.num_hidden_layers),
        global_rope_theta=global_theta,
        local_rope_theta=local_theta,
    )


def _ignored_settings(architecture: Architecture) -> Iterator[str]:
    """Yield the names of fields that do not come from the setting of that name, even if config.json has it."""
    yield from ("model_type", "class_prefix", "has_own_code", "unsupported_setting")
    yield from ("global_layers", "global_rope_theta", "local_rope_theta")
    yield from architecture.fixed_settings
    if not architecture.positions_follow_padding:
        yield "pad_token_id"


def _check_supported(raw: Mapping[str, Any], architecture: Architecture, path: Path) -> None:
    """Raise UnsupportedModel for positions that the family lacks, decoders, and settings without a needed value."""
    supported = architecture.position_types
    if architecture.is_tested and raw.get("position_embedding_type", supported[0]) not in supported:
        raise UnsupportedModel(
            f"{path}: position_embedding_type {raw['position_embedding_type']!r} is not supported, "
            f"only {' and '.join(supported)}",
            hint=f"use a model with {supported[0]} positions",
        )
    for name, value in architecture.refused_settings.items():
        if raw.get(name) == value:
            raise UnsupportedModel(
                f"{path}: {name} is {json.dumps(value)}, and transformers' {architecture.body_class} fails with it",
                hint="use another model, or another version of transformers",
            )
    for name, example in architecture.required_settings.items():
        if raw.get(name) is None:
            raise UnsupportedModel(
                f"{path}: {name} is not set, and the model needs it",
                hint=f'set it there, such as "{name}": "{example}"',
            )
    if raw.get("is_decoder", False):
        raise UnsupportedModel(
            f"{path} describes a decoder (is_decoder is true), whose tokens attend only to earlier tokens",
            hint="use a BERT encoder",
        )


def _check_value(value: Any, name: str, stored: str, path: Path, *, may_be_zero: bool) -> Any:
    """Return the value of one setting. Raise BadCheckpoint if its type or range is wrong."""
    wanted = _TYPES[name]
    is_number = wanted in (int, float)
    if type(value) is not wanted and not (wanted is float and type(value) is int):
        raise _wrong_value(path, stored, value, _KINDS[wanted])
    if is_number and not (value > 0 or (may_be_zero and value == 0)):
        raise _wrong_value(path, stored, value, _KINDS[wanted])
    if is_number and value > _LARGEST[name]:
        raise _wrong_value(path, stored, value, f"at most {_LARGEST[name]:,}")
    return wanted(value)


def _wrong_value(path: Path, name: str, value: Any, wanted: str) -> BadCheckpoint:
    return BadCheckpoint(
        f"{path}: {name} is {shortened(value)}, not {wanted}",
        hint="the config may be damaged; copy the checkpoint again",
    )


_TYPES: Mapping[str, Any] = {
    field.name: type(field.default) for config in (BertConfig, ModernBertConfig) for field in fields(config)
}
_KINDS = {int: "a positive whole number", float: "a positive number", str: "a string", bool: "true or false"}
