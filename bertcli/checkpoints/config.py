"""The numbers that fix a model's shape, read from config.json."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bertcli.checkpoints.architectures import ARCHITECTURES, Architecture
from bertcli.checkpoints.json_files import read_json_object
from bertcli.errors import BadCheckpoint, UnsupportedModel

CONFIG_FILE = "config.json"


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """What is asked of every model: config.json's values, with transformers' defaults for what it leaves out.

    type_vocab_size: 0 where the architecture has no token types. pad_token_id: what positions are counted by, in the
    architectures whose positions follow the padding.
    """

    model_type: str = "bert"
    vocab_size: int = 30522
    hidden_size: int = 768
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    max_position_embeddings: int = 512
    type_vocab_size: int = 2
    pad_token_id: int = 0

    @property
    def architecture(self) -> Architecture:
        """The family's names for all this."""
        return ARCHITECTURES[self.model_type]

    @property
    def first_position(self) -> int:
        """The position of a text's first token: 0, or the one after padding's."""
        return self.pad_token_id + 1 if self.architecture.positions_follow_padding else 0

    @property
    def max_tokens(self) -> int:
        """The most tokens that a text may have, special ones included."""
        return self.max_position_embeddings - self.first_position


@dataclass(frozen=True, slots=True)
class BertConfig(ModelConfig):
    """The numbers that fix the shape of a BERT, or of a family whose layers are BERT's."""

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


def read_config(folder: Path) -> ModelConfig:
    """The config of the checkpoint in `folder`: a BertConfig where bertcli's own forward pass computes the model.

    Raises BadCheckpoint for a config that is missing or contradicts itself, UnsupportedModel for an architecture that
    is not known.
    """
    path = folder / CONFIG_FILE
    if not path.is_file():
        raise BadCheckpoint(
            f"{folder} has no {CONFIG_FILE}", hint="give the folder that a model was saved to with save_pretrained"
        )
    raw = read_json_object(path)
    # model_type is younger than BERT: the first published configs do without.
    model_type = "bert" if raw.get("model_type") is None else raw["model_type"]
    if not isinstance(model_type, str) or model_type not in ARCHITECTURES:
        raise UnsupportedModel(
            f"{path} is of model_type {model_type!r}, which is not computed",
            hint=f"use a model of one of these: {', '.join(ARCHITECTURES)}; or -m bundled",
        )
    architecture = ARCHITECTURES[model_type]
    _refuse_what_is_not_computed(raw, path)
    config = _config_of(model_type, raw, path)
    if config.hidden_size % config.num_attention_heads:
        raise BadCheckpoint(
            f"{path}: hidden_size {config.hidden_size} is not a multiple of "
            f"num_attention_heads {config.num_attention_heads}",
            hint=f"the config does not belong to a {architecture.class_prefix}; copy the checkpoint again",
        )
    return config


def _config_of(model_type: str, raw: Mapping[str, Any], path: Path) -> ModelConfig:
    architecture = ARCHITECTURES[model_type]
    config_class = BertConfig if architecture.is_berts else ModelConfig
    defaults = {"model_type": model_type, **architecture.config_defaults}
    values = dict(defaults)
    for name in config_class.__dataclass_fields__:
        # transformers takes a family's own name for a setting before BERT's.
        names = (architecture.config_names.get(name, name), name)
        stored = next((each for each in names if each in raw), None)
        if stored is not None and name not in _without_meaning(architecture):
            may_be_zero = name == "pad_token_id" or defaults.get(name) == 0
            values[name] = _checked(raw[stored], name, stored, path, may_be_zero=may_be_zero)
    return config_class(**values)


def _without_meaning(architecture: Architecture) -> Iterator[str]:
    """What may stand in a config without being part of the model's shape."""
    yield "model_type"
    yield from architecture.fixed_settings
    if not architecture.positions_follow_padding:
        yield "pad_token_id"


def _refuse_what_is_not_computed(raw: Mapping[str, Any], path: Path) -> None:
    if raw.get("position_embedding_type", "absolute") != "absolute":
        raise UnsupportedModel(
            f"{path} asks for position_embedding_type {raw['position_embedding_type']!r}; only absolute is computed",
            hint="use a BERT with absolute positions",
        )
    if raw.get("is_decoder", False):
        raise UnsupportedModel(
            f"{path} is of a decoder (is_decoder is true), whose attention sees only what stands before",
            hint="use a BERT encoder",
        )


def _checked(value: Any, name: str, stored: str, path: Path, *, may_be_zero: bool) -> Any:
    """The value of one field, of the type and in the range that the field needs."""
    wanted = type(getattr(_DEFAULTS, name))
    if wanted is float and type(value) is int:
        value = float(value)
    fits = type(value) is wanted and (wanted not in (int, float) or value > 0 or (may_be_zero and value == 0))
    if not fits:
        raise BadCheckpoint(
            f"{path}: {stored} is {value!r}, which is no {_WANTED_WORDS[wanted]}",
            hint="the config may be damaged; copy the checkpoint again",
        )
    return value


_DEFAULTS = BertConfig()
_WANTED_WORDS = {int: "positive whole number", float: "positive number", str: "text", bool: "true or false"}
