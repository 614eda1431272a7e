"""Published configs, compared with transformers' classes, and their vocabularies."""

from dataclasses import asdict

import pytest
import torch
import transformers

from bertcli.checkpoints.config import read_config
from bertcli.checkpoints.find import BUNDLED_FOLDER
from bertcli.checkpoints.names import has_bundled_vocabulary, published_config, published_names
from bertcli.checkpoints.shapes import model_classes

# In millions, from the papers and model pages.
IN_MILLIONS = {"bert-tiny": 4.4, "bert-mini": 11.2, "bert-small": 28.8, "bert-medium": 41.4, "bert-base-uncased": 109.5}
EXACT = {
    "bert-base-uncased": (109_482_240, 109_514_298),
    "bert-base-cased": (108_310_272, 108_340_804),
    "bert-large-uncased": (335_141_888, 335_174_458),
    "bert-base-multilingual-cased": (177_853_440, 177_974_523),
}


def counts(name: str) -> dict[str, int]:
    """Return the number of parameters of each class."""
    config = published_config(name)
    assert config is not None
    return {each.name: each.parameters for each in model_classes(config, 1, 8, "float32", None)}


@pytest.mark.parametrize("name", published_names())
def test_each_class_has_the_parameters_that_transformers_counts(name: str) -> None:
    config = published_config(name)
    assert config is not None
    with torch.device("meta"):
        for class_name, parameters in counts(name).items():
            model = getattr(transformers, class_name)(transformers.BertConfig(**asdict(config)))
            assert parameters == model.num_parameters()


@pytest.mark.parametrize("name", EXACT)
def test_the_counts_are_the_published_ones(name: str) -> None:
    assert tuple(counts(name).values()) == EXACT[name]


@pytest.mark.parametrize("name", IN_MILLIONS)
def test_small_models_have_the_sizes_of_their_paper(name: str) -> None:
    assert counts(name)["BertModel"] / 1e6 == pytest.approx(IN_MILLIONS[name], abs=0.06)


def test_sizes_are_those_in_the_names() -> None:
    named = [name for name in published_names() if name.startswith("google/")]
    assert len(named) == 20  # of 24, four of which have short names
    for name in named:
        layers, hidden, heads = (int(part[2:]) for part in name.split("_")[2:])
        config = published_config(name)
        assert config is not None
        assert (config.num_hidden_layers, config.hidden_size, config.num_attention_heads) == (layers, hidden, heads)


def test_a_model_is_known_by_either_name_and_others_are_not() -> None:
    assert published_config("bert-large-cased") == published_config("google-bert/bert-large-cased") is not None
    assert published_config("bert-tiny") == published_config("google/bert_uncased_L-2_H-128_A-2") is not None
    assert published_config("my/bert") is None


def test_only_the_uncased_english_ones_have_the_bundled_vocabulary() -> None:
    with_it = {name for name in published_names() if has_bundled_vocabulary(name)}
    assert with_it == {name for name in published_names() if "uncased" in name and "multilingual" not in name} | {
        "bert-tiny", "bert-mini", "bert-small", "bert-medium",
    }  # fmt: skip
    assert not has_bundled_vocabulary("my/bert")
    assert read_config(BUNDLED_FOLDER).vocab_size == 30522
