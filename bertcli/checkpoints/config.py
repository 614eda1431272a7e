"""The numbers that fix a BERT's shape, read from config.json."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bertcli.checkpoints.json_files import read_json_object
from bertcli.errors import BadCheckpoint, UnsupportedModel

CONFIG_FILE = "config.json"


@dataclass(frozen=True, slots=True)
class BertConfig:
    """What config.json says, with transformers' defaults for what it leaves out."""

    vocab_size: int = 30522
    hidden_size: int = 768
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    intermediate_size: int = 3072
    hidden_act: str = "gelu"
    max_position_embeddings: int = 512
    type_vocab_size: int = 2
    layer_norm_eps: float = 1e-12
    tie_word_embeddings: bool = True

    @property
    def head_size(self) -> int:
        """The width of one attention head."""
        return self.hidden_size // self.num_attention_heads


# model_type is younger than BERT: the first published configs do without.
_ACCEPTED_MODEL_TYPES = ("bert", None)


def read_config(folder: Path) -> BertConfig:
    """The config of the checkpoint in `folder`.

    Raises BadCheckpoint for a config that is missing or contradicts itself, UnsupportedModel for another architecture.
    """
    path = folder / CONFIG_FILE
    if not path.is_file():
        raise BadCheckpoint(
            f"{folder} has no {CONFIG_FILE}", hint="give the folder that a model was saved to with save_pretrained"
        )
    raw = read_json_object(path)
    _refuse_other_architectures(raw, path)
    config = BertConfig(**{name: _checked(raw, name, path) for name in BertConfig.__dataclass_fields__ if name in raw})
    if config.hidden_size % config.num_attention_heads:
        raise BadCheckpoint(
            f"{path}: hidden_size {config.hidden_size} is not a multiple of "
            f"num_attention_heads {config.num_attention_heads}",
            hint="the config does not belong to a BERT; copy the checkpoint again",
        )
    return config


def _refuse_other_architectures(raw: Mapping[str, Any], path: Path) -> None:
    model_type = raw.get("model_type")
    if model_type not in _ACCEPTED_MODEL_TYPES:
        raise UnsupportedModel(
            f"{path} is of model_type {model_type!r}; this version computes model_type 'bert'",
            hint="use a BERT checkpoint, or -m bundled",
        )
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


def _checked(raw: Mapping[str, Any], name: str, path: Path) -> Any:
    """The value of one field, of the type and in the range that the field needs."""
    value = raw[name]
    wanted = type(getattr(_DEFAULTS, name))
    if wanted is float and type(value) is int:
        value = float(value)
    fits = type(value) is wanted and (wanted not in (int, float) or value > 0)
    if not fits:
        raise BadCheckpoint(
            f"{path}: {name} is {value!r}, which is no {_WANTED_WORDS[wanted]}",
            hint="the config may be damaged; copy the checkpoint again",
        )
    return value


_DEFAULTS = BertConfig()
_WANTED_WORDS = {int: "positive whole number", float: "positive number", str: "text", bool: "true or false"}
