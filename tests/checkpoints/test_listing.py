"""Descriptions of installed models, compared with the checkpoints."""

from pathlib import Path

import pytest
import torch
import transformers
from safetensors.torch import load_file

from bertcli.checkpoints.find import Installed, describe_model, find_checkpoint, installed_checkpoints
from bertcli.errors import BertcliError
from bertcli.results.models import KnownModel
from tests.families import WITH_POOLER, save_family
from tests.hub import COMMIT, OTHER_COMMIT, files_in, fill_cache
from tests.tiny import random_model, save_bert


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of an empty cache."""
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def here(name: str, revision: str = COMMIT) -> Installed:
    """Return the installed checkpoint of that name."""
    (found,) = (
        each for each in installed_checkpoints() if (each.checkpoint.name, each.checkpoint.revision) == (name, revision)
    )
    return found


def in_cache(cache: Path, folder: Path, name: str = "my/bert") -> KnownModel:
    """Return the description of a checkpoint in the cache."""
    fill_cache(cache, name, files_in(folder))
    return describe_model(here(name))


@pytest.mark.parametrize("model_type", ["roberta", "distilbert", "albert", "electra", "modernbert"])
def test_the_description_is_that_of_the_files(cache: Path, tmp_path: Path, model_type: str) -> None:
    folder = save_family(tmp_path / model_type, model_type)
    known = in_cache(cache, folder)
    config = transformers.AutoConfig.from_pretrained(folder)
    assert (known.model, known.revision, known.refs) == ("my/bert", COMMIT, ("main",))
    assert (known.family, known.num_hidden_layers) == (model_type, config.num_hidden_layers)
    assert (known.hidden_size, known.num_attention_heads) == (config.hidden_size, config.num_attention_heads)
    assert known.parameters == sum(tensor.numel() for tensor in load_file(folder / "model.safetensors").values())
    assert known.nbytes == sum(path.stat().st_size for path in folder.iterdir())
    assert (known.has_pooler, known.has_mlm_head) == (model_type in WITH_POOLER, True)


@pytest.mark.parametrize(
    ("model_class", "held"),
    [
        (transformers.BertForPreTraining, (True, True)),
        (transformers.BertModel, (True, False)),
        (transformers.BertForMaskedLM, (False, True)),
    ],
)
def test_missing_parts_are_reported(cache: Path, tmp_path: Path, model_class: type, held: tuple[bool, bool]) -> None:
    known = in_cache(cache, save_bert(tmp_path / "bert", random_model(model_class)))
    assert (known.has_pooler, known.has_mlm_head) == held


def test_parts_of_a_pickle_are_unknown(cache: Path, own_tiny_bert: Path) -> None:
    (own_tiny_bert / "model.safetensors").unlink()
    torch.save({}, own_tiny_bert / "pytorch_model.bin")
    known = in_cache(cache, own_tiny_bert)
    assert (known.parameters, known.has_pooler, known.has_mlm_head) == (None, None, None)
    assert known.hidden_size == 24


def test_every_snapshot_has_a_name_that_finds_it(cache: Path, tiny_bert: Path) -> None:
    files = files_in(tiny_bert)
    fill_cache(cache, "google-bert/bert-base-uncased", files)
    fill_cache(cache, "google-bert/bert-base-cased", files)
    fill_cache(cache, "bert-base-cased", {**files, "extra": b""}, COMMIT)
    fill_cache(cache, "google-bert/bert-base-chinese", files, OTHER_COMMIT)
    fill_cache(cache, "bert-base-chinese", files)
    fill_cache(cache, "google/bert_uncased_L-2_H-128_A-2", files)
    fill_cache(cache, "my/bert", files, COMMIT, "main")
    fill_cache(cache, "my/bert", files, OTHER_COMMIT, "refs/pr/1")
    found = [each for each in installed_checkpoints() if each.checkpoint.revision is not None]
    assert sorted((each.checkpoint.name, each.refs) for each in found) == [
        ("bert-base-cased", ("main",)),
        ("bert-base-chinese", ("main",)),
        ("bert-base-uncased", ("main",)),
        ("bert-tiny", ("main",)),
        ("google-bert/bert-base-cased", ("main",)),
        ("google-bert/bert-base-chinese", ("main",)),
        ("my/bert", ("main",)),
        ("my/bert", ("refs/pr/1",)),
    ]
    for each in found:
        revision = each.refs[0] if each.refs[0] != "main" else None
        assert find_checkpoint(each.checkpoint.name, revision=revision) == each.checkpoint


def test_the_bundled_model_is_the_first(cache: Path) -> None:
    (bundled,) = map(describe_model, installed_checkpoints())
    assert (bundled.model, bundled.revision, bundled.refs, bundled.family) == ("bundled", None, (), "bert")
    assert (bundled.has_pooler, bundled.has_mlm_head) == (True, True)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("config.json", b'{"model_type": "gpt2"}', "'gpt2'"),
        ("config.json", b"{", "not valid JSON"),
        ("config.json", None, "config.json"),
        ("model.safetensors", b"damaged", "damaged"),
        ("model.safetensors", None, "without its weights"),
        ("vocab.txt", None, "without its tokenizer"),
    ],
)
def test_a_checkpoint_that_cannot_be_opened_is_an_error(
    cache: Path, tiny_bert: Path, name: str, content: bytes | None, words: str
) -> None:
    files = {**files_in(tiny_bert), name: content}
    fill_cache(cache, "my/bert", {name: content for name, content in files.items() if content is not None})
    with pytest.raises(BertcliError, match=words):
        describe_model(here("my/bert"))
