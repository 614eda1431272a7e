"""Models that are no encoders of texts are refused, and the error says what they are."""

from pathlib import Path
from typing import Any

import pytest
from transformers.models.auto import modeling_auto

from bertcli.checkpoints.config import read_config
from bertcli.checkpoints.families import ARCHITECTURES
from bertcli.checkpoints.unsupported import _UNSUITED
from bertcli.errors import UnsupportedModel
from tests.tiny import write_json

REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "decoder": ({"model_type": "gpt2", "architectures": ["GPT2LMHeadModel"]}, "is a decoder"),
    "newer decoder": ({"model_type": "qwen3", "architectures": ["Qwen3ForCausalLM"]}, "is a decoder"),
    "encoder-decoder": ({"model_type": "bart", "is_encoder_decoder": True}, "is an encoder-decoder"),
    "its class": ({"model_type": "t5", "architectures": ["T5ForConditionalGeneration"]}, "is an encoder-decoder"),
    "images": ({"model_type": "vit", "architectures": ["ViTModel"], "image_size": 224}, "is a vision model"),
    "images and texts": ({"model_type": "modernvbert", "vision_config": {}}, "is a vision model"),
    "sound": ({"model_type": "wav2vec2", "feat_extract_norm": "group"}, "is an audio model"),
    "boxes": ({"model_type": "layoutlm", "architectures": ["LayoutLMForMaskedLM"]}, "place of each word"),
    "random numbers": ({"model_type": "reformer"}, "differ from run to run"),
    "own code": (
        {"model_type": "new", "architectures": ["NewForMaskedLM"], "auto_map": {"AutoModel": "modeling.NewModel"}},
        "code in the checkpoint",
    ),
    "no language": ({"model_type": "xmod"}, "default_language is not set"),
    "a failing setting": ({"model_type": "flaubert", "pre_norm": True}, "FlaubertModel fails with it"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_model_of_another_kind_is_refused_with_the_reason(tmp_path: Path, case: str) -> None:
    config, reason = REFUSED[case]
    write_json(tmp_path / "config.json", config)
    with pytest.raises(UnsupportedModel, match=reason) as raised:
        read_config(tmp_path)
    assert raised.value.hint


def test_every_family_of_transformers_with_an_mlm_head_is_known_or_refused() -> None:
    names = set(modeling_auto.MODEL_FOR_MASKED_LM_MAPPING_NAMES)
    # The configs of these say what they are: two encoder-decoders, and models of images and texts.
    others = {"bart", "mbart", "mvp", "modernvbert", "neomme", "ultravbert"}
    assert names - set(ARCHITECTURES) == others | (set(_UNSUITED) & names)


def test_the_classes_of_a_family_are_those_of_transformers() -> None:
    for model_type, architecture in ARCHITECTURES.items():
        assert modeling_auto.MODEL_MAPPING_NAMES[model_type] == architecture.body_class
        if architecture.has_mlm_class:
            assert modeling_auto.MODEL_FOR_MASKED_LM_MAPPING_NAMES[model_type] == architecture.mlm_class
