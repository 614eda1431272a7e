"""Names, shapes and counts of a BERT's tensors, from its config alone, are transformers' own."""

import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st

from bertcli.checkpoints import layout
from bertcli.checkpoints.config import BertConfig
from tests.reference import as_transformers

PUBLISHED = {"BertModel": 109_482_240, "BertForMaskedLM": 109_514_298}


@st.composite
def configs(draw: st.DrawFn) -> BertConfig:
    heads = draw(st.integers(1, 4))
    return BertConfig(
        vocab_size=draw(st.integers(1, 100)),
        hidden_size=heads * draw(st.integers(1, 8)),
        num_hidden_layers=draw(st.integers(1, 3)),
        num_attention_heads=heads,
        intermediate_size=draw(st.integers(1, 40)),
        max_position_embeddings=draw(st.integers(1, 64)),
        type_vocab_size=draw(st.integers(1, 4)),
        tie_word_embeddings=draw(st.booleans()),
    )


def on_meta(class_name: str, config: BertConfig) -> transformers.PreTrainedModel:
    """transformers' model without memory for its weights."""
    with torch.device("meta"):
        return getattr(transformers, class_name)(as_transformers(config))


def layout_of(class_name: str, config: BertConfig) -> layout.Layout:
    head = layout.pooler_layout(config) if class_name == "BertModel" else layout.mlm_head_layout(config)
    return layout.body_layout(config) | head


@pytest.mark.parametrize("class_name", PUBLISHED)
def test_bert_base_has_the_published_number_of_parameters(class_name: str) -> None:
    config = BertConfig()
    assert layout.count_parameters(layout_of(class_name, config)) == PUBLISHED[class_name]
    assert on_meta(class_name, config).num_parameters() == PUBLISHED[class_name]


@pytest.mark.parametrize("class_name", PUBLISHED)
@given(configs())
@settings(max_examples=25)
def test_every_parameter_of_a_class_is_in_its_layout_with_its_shape(class_name: str, config: BertConfig) -> None:
    parameters = on_meta(class_name, config).named_parameters()  # a tied one is named once
    found = {layout.canonical_name(name): tuple(parameter.shape) for name, parameter in parameters}
    expected = layout_of(class_name, config)
    assert found == expected
    assert layout.count_parameters(expected) == sum(torch.Size(shape).numel() for shape in found.values())


@pytest.mark.parametrize(
    ("stored", "canonical"),
    [
        ("bert.embeddings.LayerNorm.gamma", "embeddings.LayerNorm.weight"),
        ("bert.encoder.layer.11.output.LayerNorm.beta", "encoder.layer.11.output.LayerNorm.bias"),
        ("cls.predictions.transform.LayerNorm.gamma", "cls.predictions.transform.LayerNorm.weight"),
        ("cls.predictions.decoder.bias", "cls.predictions.bias"),
        ("cls.predictions.decoder.weight", "cls.predictions.decoder.weight"),
        ("pooler.dense.weight", "pooler.dense.weight"),
        ("bert.bert.pooler.dense.weight", "bert.pooler.dense.weight"),
        ("classifier.alphabeta", "classifier.alphabeta"),
    ],
)
def test_old_names_of_tensors_are_translated(stored: str, canonical: str) -> None:
    assert layout.canonical_name(stored) == canonical


def test_layers_beyond_those_of_the_config_are_counted() -> None:
    config = BertConfig(num_hidden_layers=2)
    names = [f"encoder.layer.{index}.output.dense.bias" for index in (0, 1, 2, 11)]
    assert layout.extra_layers(names, config) == 10
    assert layout.extra_layers(names[:1], config) == 0
    assert layout.extra_layers(["pooler.dense.bias"], config) == 0


def test_the_first_mismatch_has_both_shapes() -> None:
    wanted = {"a": (2,), "b": (3, 4)}
    assert layout.first_mismatch(wanted, {"a": (2,), "b": (4, 3), "c": (1,)}) == ("b", (3, 4), (4, 3))
    assert layout.first_mismatch(wanted, {"a": (2,)}) is None
