"""Predicted shapes, bytes and counts, compared with those of transformers' classes."""

from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file

from bertcli.checkpoints.config import BertConfig, read_config
from bertcli.checkpoints.find import BUNDLED_FOLDER
from bertcli.checkpoints.layout import count_parameters, next_sentence_layout, pooler_layout
from bertcli.checkpoints.shapes import model_classes, stored_tensors
from bertcli.checkpoints.weight_files import find_weight_files
from bertcli.results.models import ModelClass, Output
from tests.reference import as_transformers
from tests.tiny import random_model, save_bert

DTYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}


@st.composite
def configs(draw: st.DrawFn) -> BertConfig:
    heads = draw(st.integers(1, 4))
    return BertConfig(
        vocab_size=draw(st.integers(1, 50)),
        hidden_size=heads * draw(st.integers(1, 6)),
        num_hidden_layers=draw(st.integers(1, 4)),
        num_attention_heads=heads,
        intermediate_size=draw(st.integers(1, 20)),
        max_position_embeddings=16,
        tie_word_embeddings=draw(st.booleans()),
    )


def outputs_of(
    model: transformers.PreTrainedModel, batch_size: int, sequence_length: int, **asked: bool
) -> dict[str, list[torch.Tensor]]:
    """Return the tensors of each output of transformers, without cross_attentions, which an encoder lacks."""
    with torch.no_grad():
        came = model(torch.zeros((batch_size, sequence_length), dtype=torch.long), **asked)
    tensors = {name: [value] if isinstance(value, torch.Tensor) else list(value) for name, value in came.items()}
    return {name: each for name, each in tensors.items() if each}


@pytest.mark.parametrize("dtype", DTYPES)
@given(config=configs(), batch_size=st.integers(1, 3), sequence_length=st.integers(1, 16))
@settings(max_examples=10)
def test_outputs_and_parameters_are_those_of_transformers(
    dtype: str, config: BertConfig, batch_size: int, sequence_length: int
) -> None:
    predicted = model_classes(config, batch_size, sequence_length, dtype, None)
    assert [model_class.name for model_class in predicted] == ["BertModel", "BertForMaskedLM"]
    for model_class in predicted:
        their_config = as_transformers(config, attn_implementation="eager")
        model = getattr(transformers, model_class.name)(their_config).to(DTYPES[dtype])
        assert model_class.parameters == model.num_parameters()
        whole = outputs_of(model, batch_size, sequence_length, output_hidden_states=True, output_attentions=True)
        assert {output.name for output in model_class.outputs} == whole.keys()
        by_default = outputs_of(model, batch_size, sequence_length).keys()
        assert {output.name for output in model_class.outputs if output.default} == by_default
        for output in model_class.outputs:
            tensors = whole[output.name]
            assert output.count == len(tensors), output.name
            assert {tuple(output.shape)} == {tuple(tensor.shape) for tensor in tensors}
            assert output.nbytes == sum(tensor.numel() * tensor.element_size() for tensor in tensors)
            assert {f"torch.{output.dtype}"} == {str(tensor.dtype) for tensor in tensors}


@pytest.mark.parametrize("model_type", ["roberta", "xlm-roberta", "camembert", "distilbert", "modernbert"])
@pytest.mark.parametrize("tied", [True, False], ids=["tied", "untied"])
def test_parameters_of_the_families_are_those_of_transformers(model_type: str, tied: bool, tmp_path: Path) -> None:
    with torch.device("meta"):
        their_config = transformers.AutoConfig.for_model(model_type, tie_word_embeddings=tied)
        models = [
            each.from_config(their_config) for each in (transformers.AutoModel, transformers.AutoModelForMaskedLM)
        ]
    their_config.save_pretrained(tmp_path)
    classes = model_classes(read_config(tmp_path), 1, 8, "float32", None)
    assert [each.name for each in classes] == [type(model).__name__ for model in models]
    assert [each.parameters for each in classes] == [model.num_parameters() for model in models]


def named(model_class: ModelClass) -> dict[str, Output]:
    return {output.name: output for output in model_class.outputs}


def test_symbolic_sizes_name_fields_of_the_config() -> None:
    config = BertConfig(vocab_size=11, hidden_size=12, num_attention_heads=3, num_hidden_layers=2)
    sizes = {"batch_size": 2, "sequence_length": 5, "hidden_size": 12, "num_attention_heads": 3, "vocab_size": 11}
    body, masked_lm = model_classes(config, 2, 5, "float32", None)
    for output in (*body.outputs, *masked_lm.outputs):
        assert [sizes[symbol] for symbol in output.symbolic] == list(output.shape)
    assert named(body)["last_hidden_state"].symbolic == ("batch_size", "sequence_length", "hidden_size")
    assert named(masked_lm)["logits"].symbolic == ("batch_size", "sequence_length", "vocab_size")


def test_bert_base_has_the_published_number_of_parameters() -> None:
    classes = model_classes(BertConfig(), 1, 8, "float32", None)
    assert {each.name: each.parameters for each in classes} == {
        "BertModel": 109_482_240,
        "BertForMaskedLM": 109_514_298,
    }


def held(folder: Path) -> Sequence[bool | None]:
    """Return True for a pooler and True for an MLM head in the checkpoint."""
    config = read_config(folder)
    body, masked_lm = model_classes(config, 1, 4, "float32", find_weight_files(folder).optional_parts(config))
    assert named(body)["last_hidden_state"].in_checkpoint is True
    assert named(masked_lm)["attentions"].in_checkpoint is True
    return named(body)["pooler_output"].in_checkpoint, named(masked_lm)["logits"].in_checkpoint


@pytest.mark.parametrize(
    ("model_class", "expected"),
    [
        (transformers.BertForPreTraining, (True, True)),
        (transformers.BertModel, (True, False)),
        (transformers.BertForMaskedLM, (False, True)),
        (transformers.BertForTokenClassification, (False, False)),
    ],
)
def test_missing_parts_are_reported(tmp_path: Path, model_class: type, expected: tuple[bool, bool]) -> None:
    assert held(save_bert(tmp_path, random_model(model_class))) == expected


def test_parts_are_unknown_without_weights() -> None:
    body, masked_lm = model_classes(BertConfig(), 1, 4, "float32", None)
    assert named(body)["pooler_output"].in_checkpoint is None
    assert named(masked_lm)["logits"].in_checkpoint is None


def test_stored_tensors_are_those_of_the_file_and_their_bytes_add_up_to_it(tiny_bert: Path) -> None:
    expected = load_file(tiny_bert / "model.safetensors")
    found = {tensor.name: tensor for tensor in stored_tensors(find_weight_files(tiny_bert).infos)}
    assert found.keys() == expected.keys()
    for name, tensor in expected.items():
        assert (tuple(found[name].shape), found[name].dtype) == (tuple(tensor.shape), "F32")
        assert (found[name].parameters, found[name].nbytes) == (tensor.numel(), tensor.numel() * 4)


def test_the_bundled_models_tensors_fill_its_file() -> None:
    file = BUNDLED_FOLDER / "model.safetensors"
    tensors = stored_tensors(find_weight_files(BUNDLED_FOLDER).infos)
    header = 8 + int.from_bytes(file.read_bytes()[:8], "little")
    assert header + sum(tensor.nbytes for tensor in tensors) == file.stat().st_size
    config = read_config(BUNDLED_FOLDER)
    _, masked_lm = model_classes(config, 1, 8, "float32", None)
    others = count_parameters(pooler_layout(config)) + count_parameters(next_sentence_layout(config))
    assert sum(tensor.parameters for tensor in tensors) == masked_lm.parameters + others
