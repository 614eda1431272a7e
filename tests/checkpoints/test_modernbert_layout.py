"""Names, shapes and counts of a ModernBERT's tensors, from its config alone, are transformers' own."""

import itertools
from pathlib import Path

import pytest
import torch
import transformers

from bertcli.checkpoints import layout
from bertcli.checkpoints.config import ModernBertConfig, read_config
from bertcli.checkpoints.shapes import model_classes
from bertcli.checkpoints.weight_files import find_weight_files
from bertcli.errors import BadCheckpoint
from tests.families import save_family
from tests.tiny import edit_config

BIASES = ("norm_bias", "attention_bias", "mlp_bias", "classifier_bias", "decoder_bias")


@pytest.mark.parametrize("tied", [True, False], ids=["tied", "untied"])
@pytest.mark.parametrize(("first", "others"), [*itertools.product([True, False], repeat=2)])
def test_every_parameter_is_in_the_layout_with_its_shape(tmp_path: Path, tied: bool, first: bool, others: bool) -> None:
    with_bias = dict(zip(BIASES, [first, others, first, others, first], strict=True))
    theirs = transformers.ModernBertConfig(
        vocab_size=60, hidden_size=12, num_attention_heads=3, intermediate_size=7, num_hidden_layers=3, pad_token_id=0,
        tie_word_embeddings=tied, **with_bias,
    )  # fmt: skip
    theirs.save_pretrained(tmp_path)
    config = read_config(tmp_path)
    assert isinstance(config, ModernBertConfig)
    with torch.device("meta"):
        models = [transformers.ModernBertModel(theirs), transformers.ModernBertForMaskedLM(theirs)]
    whole = layout.body_layout(config) | layout.mlm_head_layout(config)
    for model, expected in zip(models, (layout.body_layout(config), whole), strict=True):
        found = {
            layout.canonical_name(name, config.architecture): tuple(parameter.shape)
            for name, parameter in model.named_parameters()  # a tied one is named once
        }
        assert found == expected
    classes = model_classes(config, 1, 8, "float32", None)
    assert [each.name for each in classes] == ["ModernBertModel", "ModernBertForMaskedLM"]
    assert [each.parameters for each in classes] == [model.num_parameters() for model in models]
    layers = sum(parameter.numel() for parameter in models[0].layers.parameters())
    assert layout.layer_parameters(config) == layers


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ({"num_hidden_layers": 3}, r"the tensors have 1 more layer than num_hidden_layers"),
        ({"num_hidden_layers": 5}, r"layers\.4\.attn_norm\.weight is missing"),
        ({"attention_bias": True}, r"layers\.0\.attn\.Wqkv\.bias is missing"),
        ({"intermediate_size": 41}, r"layers\.0\.mlp\.Wi\.weight has shape \(80, 24\)"),
    ],
    ids=str,
)
def test_weights_that_do_not_fit_the_config_are_an_error(
    tmp_path: Path, setting: dict[str, object], words: str
) -> None:
    save_family(tmp_path, "modernbert")
    edit_config(tmp_path, layer_types=..., **setting)
    config = read_config(tmp_path)
    with pytest.raises(BadCheckpoint, match=words):
        find_weight_files(tmp_path, config.architecture).check_fits(config)


def test_weights_of_another_family_are_an_error(tmp_path: Path, tiny_bert: Path) -> None:
    save_family(tmp_path, "modernbert")
    config = read_config(tmp_path)
    with pytest.raises(BadCheckpoint, match="does not hold a MODERNBERT"):
        find_weight_files(tiny_bert, config.architecture).check_fits(config)
