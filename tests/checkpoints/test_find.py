"""From what the user calls a model to its folder."""

from pathlib import Path

import pytest

from bertcli.checkpoints.find import BUNDLED_FOLDER, Checkpoint, find_checkpoint
from bertcli.errors import CheckpointNotFound


def test_the_bundled_model_is_the_default_and_has_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    bundled = Checkpoint("bundled", BUNDLED_FOLDER)
    assert find_checkpoint(None) == find_checkpoint("bundled") == bundled
    assert {file.name for file in BUNDLED_FOLDER.iterdir()} >= {"config.json", "model.safetensors", "vocab.txt"}


def test_an_existing_folder_wins_over_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bundled").mkdir()
    assert find_checkpoint("bundled") == Checkpoint("bundled", Path("bundled"))


def test_a_file_of_that_name_does_not_hide_the_bundled_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bundled").touch()
    assert find_checkpoint("bundled").folder == BUNDLED_FOLDER


def test_a_folder_is_called_what_the_user_calls_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "mine").mkdir()
    assert find_checkpoint(str(tmp_path / "mine")) == Checkpoint(str(tmp_path / "mine"), tmp_path / "mine")
    assert find_checkpoint("~/mine") == Checkpoint("~/mine", tmp_path / "mine")


def test_a_symbolic_link_to_a_folder_is_a_folder(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(BUNDLED_FOLDER)
    assert find_checkpoint(str(tmp_path / "link")).folder == tmp_path / "link"


@pytest.mark.parametrize("name", ["no-such-model", "/nowhere/at/all", "google/no-such-bert"])
def test_a_model_that_is_not_there_is_named(name: str) -> None:
    with pytest.raises(CheckpointNotFound) as raised:
        find_checkpoint(name)
    assert repr(name) in raised.value.message
    assert "bundled" in raised.value.hint


def test_a_file_is_no_checkpoint_and_its_folder_is_hinted_at(tmp_path: Path) -> None:
    file = tmp_path / "model.safetensors"
    file.touch()
    with pytest.raises(CheckpointNotFound, match="is a file") as raised:
        find_checkpoint(str(file))
    assert str(tmp_path) in raised.value.hint
