"""The search for a model's folder by its name."""

from pathlib import Path

import pytest

from bertcli.checkpoints.find import BUNDLED_FOLDER, Checkpoint, find_checkpoint, model_names
from bertcli.checkpoints.required_files import Files
from bertcli.errors import CheckpointNotFound, WrongUsage
from tests.hub import COMMIT, OTHER_COMMIT, fill_cache


def test_the_bundled_model_is_the_default_and_has_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    bundled = Checkpoint("bundled", BUNDLED_FOLDER)
    assert find_checkpoint(None) == find_checkpoint("bundled") == bundled
    assert {file.name for file in BUNDLED_FOLDER.iterdir()} >= {"config.json", "model.safetensors", "vocab.txt"}


def test_an_existing_folder_comes_before_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bundled").mkdir()
    assert find_checkpoint("bundled") == Checkpoint("bundled", Path("bundled"))


def test_a_file_of_that_name_does_not_hide_the_bundled_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bundled").touch()
    assert find_checkpoint("bundled").folder == BUNDLED_FOLDER


def test_a_folder_keeps_the_name_that_the_user_gives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "mine").mkdir()
    assert find_checkpoint(str(tmp_path / "mine")) == Checkpoint(str(tmp_path / "mine"), tmp_path / "mine")
    assert find_checkpoint("~/mine") == Checkpoint("~/mine", tmp_path / "mine")


def test_a_symbolic_link_to_a_folder_is_a_folder(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(BUNDLED_FOLDER)
    assert find_checkpoint(str(tmp_path / "link")).folder == tmp_path / "link"


@pytest.mark.parametrize("name", ["no-such-model", "/nowhere/at/all", "google/no-such-bert"])
def test_a_missing_model_is_an_error_that_names_it(name: str) -> None:
    with pytest.raises(CheckpointNotFound) as raised:
        find_checkpoint(name)
    assert repr(name) in raised.value.message
    assert "bundled" in raised.value.hint


def test_for_a_file_the_hint_names_its_folder(tmp_path: Path) -> None:
    file = tmp_path / "my model" / "model.safetensors"
    file.parent.mkdir()
    file.touch()
    with pytest.raises(CheckpointNotFound, match="is a file") as raised:
        find_checkpoint(str(file))
    assert raised.value.hint.endswith(f" -m '{file.parent}'")


FILES = {"config.json": b"{}", "vocab.txt": b"[UNK]\n", "model.safetensors": b"weights"}


def test_a_folder_comes_before_the_cache(own_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    snapshot = fill_cache(own_cache, "my/bert", FILES)
    monkeypatch.chdir(tmp_path)
    assert find_checkpoint("my/bert") == Checkpoint("my/bert", snapshot, COMMIT)
    (tmp_path / "my" / "bert").mkdir(parents=True)
    assert find_checkpoint("my/bert") == Checkpoint("my/bert", Path("my/bert"))


def test_the_given_name_comes_before_the_other_name_of_a_model(own_cache: Path) -> None:
    full = fill_cache(own_cache, "google-bert/bert-base-uncased", FILES)
    assert (
        find_checkpoint("bert-base-uncased").folder == find_checkpoint("google-bert/bert-base-uncased").folder == full
    )
    first = fill_cache(own_cache, "bert-base-uncased", FILES, OTHER_COMMIT)
    assert find_checkpoint("bert-base-uncased") == Checkpoint("bert-base-uncased", first, OTHER_COMMIT)
    assert find_checkpoint("google-bert/bert-base-uncased").folder == full
    assert find_checkpoint("bert-base-uncased", revision=COMMIT).folder == full


def test_a_short_name_finds_the_full_name(own_cache: Path) -> None:
    snapshot = fill_cache(own_cache, "google/bert_uncased_L-2_H-128_A-2", FILES)
    assert find_checkpoint("bert-tiny") == Checkpoint("bert-tiny", snapshot, COMMIT)


@pytest.mark.parametrize(
    ("lacking", "words"),
    [
        ("config.json", "without its config.json"),
        ("vocab.txt", "without its tokenizer"),
        ("model.safetensors", "its weights"),
    ],
)
def test_a_snapshot_without_a_needed_part_is_not_found(own_cache: Path, lacking: str, words: str) -> None:
    snapshot = fill_cache(own_cache, "my/bert", FILES)
    blob = (snapshot / lacking).resolve()
    blob.unlink()  # leaves a broken link
    with pytest.raises(CheckpointNotFound, match=words):
        find_checkpoint("my/bert")
    others = Files.ALL & ~{"config.json": Files.CONFIG, "vocab.txt": Files.TOKENIZER}.get(lacking, Files.WEIGHTS)
    assert find_checkpoint("my/bert", needs=others).folder == snapshot


def test_shards_count_as_weights_when_all_of_them_are_there(own_cache: Path) -> None:
    index = b'{"weight_map": {"a": "one.safetensors", "b": "two.safetensors"}}'
    files = {**FILES, "one.safetensors": b"1", "two.safetensors": b"2", "model.safetensors.index.json": index}
    del files["model.safetensors"]
    snapshot = fill_cache(own_cache, "my/bert", files)
    assert find_checkpoint("my/bert").folder == snapshot
    (snapshot / "two.safetensors").unlink()
    with pytest.raises(CheckpointNotFound, match="without its weights"):
        find_checkpoint("my/bert")


def test_the_error_for_a_missing_revision_lists_the_cached_ones(own_cache: Path) -> None:
    fill_cache(own_cache, "my/bert", FILES, ref=None)
    with pytest.raises(CheckpointNotFound, match=f"revision 'v2' of 'my/bert' is not in .*{COMMIT[:8]}"):
        find_checkpoint("my/bert", revision="v2")


def test_a_url_is_not_a_model_name() -> None:
    with pytest.raises(CheckpointNotFound, match="is an address"):
        find_checkpoint("https://huggingface.co/google-bert/bert-base-uncased")


def test_a_folder_and_the_bundled_model_have_no_revisions(tmp_path: Path) -> None:
    for model in (str(tmp_path), "bundled", None):
        with pytest.raises(WrongUsage, match="--revision v1"):
            find_checkpoint(model, revision="v1")


@pytest.mark.parametrize(
    ("variables", "offline", "words"),
    [
        ({"HF_HUB_OFFLINE": "0"}, True, "--offline or BERTCLI_OFFLINE"),
        ({"HF_HUB_OFFLINE": "yes"}, False, "HF_HUB_OFFLINE is set"),
        ({"HF_HUB_OFFLINE": "", "TRANSFORMERS_OFFLINE": "on"}, False, "TRANSFORMERS_OFFLINE is set"),
    ],
)
def test_offline_errors_name_the_cache_and_the_reason(
    own_cache: Path, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], offline: bool, words: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(CheckpointNotFound) as raised:
        find_checkpoint("my/bert", offline=offline)
    assert [each for each in ("'my/bert'", str(own_cache / "hub"), words) if each not in raised.value.message] == []
    assert "-m bundled" in raised.value.hint and "folder" in raised.value.hint


@pytest.mark.parametrize(
    ("name", "suggested"),
    [
        ("bert-base-uncasd", "bert-base-uncased"),
        ("BERT-BASE-UNCASED", "bert-base-uncased"),
        ("bert-large", "bert-large-uncased or bert-large-cased or bert-large-uncased-whole-word-masking"),
        ("bert", "bert-base-uncased or bert-base-cased or bert-large-uncased"),
    ],
)
def test_similar_names_are_suggested(name: str, suggested: str) -> None:
    with pytest.raises(CheckpointNotFound) as raised:
        find_checkpoint(name)
    assert raised.value.hint.startswith(f"did you mean {suggested}? otherwise ")


@pytest.mark.parametrize("name", ["distilbert-base-uncased", "distilbert/distilbert-base-uncased", "my/own"])
def test_no_name_is_suggested_for_a_correct_or_an_unknown_one(name: str) -> None:
    with pytest.raises(CheckpointNotFound) as raised:
        find_checkpoint(name)
    assert "did you mean" not in raised.value.hint


def test_model_names_are_the_bundled_the_cached_and_the_published(own_cache: Path) -> None:
    fill_cache(own_cache, "my/bert", FILES)
    fill_cache(own_cache, "google-bert/bert-base-cased", FILES)
    fill_cache(own_cache, "google/bert_uncased_L-2_H-128_A-2", FILES)
    found = model_names()
    assert found[:4] == ["bundled", "bert-tiny", "bert-base-cased", "my/bert"]
    assert {"bert-large-uncased", "google/bert_uncased_L-12_H-768_A-12"} <= set(found)
    assert len(found) == len(set(found))
