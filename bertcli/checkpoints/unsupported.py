"""Models that bertcli cannot open: the reason, from config.json alone, and what to use instead."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bertcli.checkpoints.families import ARCHITECTURES
from bertcli.errors import UnsupportedModel

_USE_A_BERT = "use an encoder, such as google-bert/bert-base-uncased, or -m bundled; docs/models.md lists the families"
# Encoders in transformers that do not fit bertcli, and why.
_UNSUITED: Mapping[str, str] = {
    "canine": "reads characters, and its hidden states have different lengths",
    "dpr": "returns one vector for a text and no hidden state of its tokens",
    "funnel": "shortens the text from layer to layer, so its hidden states do not belong to tokens",
    "mra": "is computed by a CUDA program that transformers downloads, and without it transformers returns zeros",
    "perceiver": "has hidden states that do not belong to tokens",
    "reformer": "draws random numbers for its attention, so that its outputs differ from run to run",
    "tapas": "reads tables, whose cells a text does not have",
    **dict.fromkeys(("bros", "layoutlm", "layoutlmv2", "layoutlmv3", "lilt"), "needs the place of each word on a page"),
}
_UNSUITED_KINDS: Mapping[str, tuple[str, ...]] = {
    "a vision model": ("vision_config", "image_size", "patch_size", "num_channels", "backbone_config"),
    "an audio model": ("audio_config", "num_mel_bins", "feat_extract_norm", "sampling_rate"),
}
_DECODER_CLASSES = ("ForCausalLM", "LMHeadModel")
_ENCODER_DECODER_CLASSES = ("ForConditionalGeneration", "ForSeq2SeqLM")
_MLM_CLASS = r"([A-Za-z][A-Za-z0-9]*)ForMaskedLM"


def untested_class(model_type: Any, raw: Mapping[str, Any], path: Path) -> str:
    """Return the beginning of the class names of a family that is not in ARCHITECTURES, such as Bert.

    transformers may know the family if the config names a class with an MLM head and holds no code of its own.

    Raises:
        UnsupportedModel: The model is of another kind, or needs the code in its checkpoint.
    """
    found = [match for name in _class_names(raw) if (match := re.fullmatch(_MLM_CLASS, name))]
    if reason := _why_unsuited(model_type, raw):
        raise UnsupportedModel(f"{path}: model_type {model_type!r} {reason}", hint=_USE_A_BERT)
    if has_own_code(raw):
        raise UnsupportedModel(
            f"{path}: model_type {model_type!r} is computed by code in the checkpoint (auto_map), "
            "which bertcli never runs, and transformers has no class of its own for it",
            hint="use a conversion of the model to a class of transformers, if its authors publish one",
        )
    if not found or not isinstance(model_type, str):
        raise UnsupportedModel(
            f"{path}: model_type {model_type!r} is not supported",
            hint=f"use a model of one of these types: {', '.join(ARCHITECTURES)}; or -m bundled",
        )
    return found[0][1]


def has_own_code(raw: Mapping[str, Any]) -> bool:
    """Return True if the checkpoint declares Python code of its own for the model. bertcli never runs it."""
    return bool(raw.get("auto_map"))


def _class_names(raw: Mapping[str, Any]) -> list[str]:
    names = raw.get("architectures")
    return [name for name in names if isinstance(name, str)] if isinstance(names, list) else []


def _why_unsuited(model_type: Any, raw: Mapping[str, Any]) -> str:
    """Return what is wrong with a model as the end of a sentence, or an empty string."""
    if isinstance(model_type, str) and model_type in _UNSUITED:
        return _UNSUITED[model_type]
    for kind, settings in _UNSUITED_KINDS.items():
        if any(setting in raw for setting in settings):
            return f"is {kind}, and bertcli reads texts"
    names = _class_names(raw)
    if raw.get("is_encoder_decoder") is True or any(name.endswith(_ENCODER_DECODER_CLASSES) for name in names):
        return "is an encoder-decoder, and bertcli shows encoders"
    if any(name.endswith(_DECODER_CLASSES) for name in names):
        return "is a decoder, whose tokens attend only to earlier tokens, and bertcli shows encoders"
    return ""
