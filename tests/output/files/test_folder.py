"""Tests of the folder of a run: which runs can be resumed, what is refused, and how a difference is reported."""

from pathlib import Path
from typing import Any

import pytest

from bertcli.errors import OutputError
from bertcli.output.files.folder import check_same_run, find_started_run, prepare_folder
from bertcli.output.files.shards import save_manifest
from bertcli.results.corpus import Manifest

ABOUT: dict[str, Any] = {"model": "bundled", "engine": "numpy", "options": {"pool": "mean", "layers": None}}


def begun(folder: Path, *, is_complete: bool = False) -> Manifest:
    """Create a folder that holds a manifest."""
    folder.mkdir()
    manifest = Manifest(ABOUT, 10, is_complete=is_complete)
    save_manifest(manifest, folder)
    return manifest


@pytest.mark.parametrize("resume", [True, False])
def test_a_missing_or_empty_folder_starts_a_new_run(tmp_path: Path, resume: bool) -> None:
    assert find_started_run(tmp_path / "new", resume=resume, force=False) is None
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / ".shard-00000.parquet.x.part").write_text("half")
    assert find_started_run(tmp_path / "empty", resume=resume, force=False) is None
    prepare_folder(tmp_path / "empty", None)
    assert list((tmp_path / "empty").iterdir()) == []


@pytest.mark.parametrize("force", [True, False])
def test_a_file_is_refused(tmp_path: Path, force: bool) -> None:
    (tmp_path / "out").write_text("x")
    with pytest.raises(OutputError, match="out is a file"):
        find_started_run(tmp_path / "out", resume=not force, force=force)


def test_resume_returns_the_manifest_of_the_run(tmp_path: Path) -> None:
    manifest = begun(tmp_path / "out")
    assert find_started_run(tmp_path / "out", resume=True, force=False) == manifest
    assert find_started_run(tmp_path / "out", resume=False, force=True) is None
    with pytest.raises(OutputError, match="an interrupted run") as raised:
        find_started_run(tmp_path / "out", resume=False, force=False)
    assert "--resume" in raised.value.hint


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"model": "other"}, "started with --model bundled, not other"),
        ({"options": {"pool": "max", "layers": None}}, "started with --pooling mean, not max"),
        ({"options": {"pool": "mean", "layers": "0"}}, "started without --layers"),
    ],
)
def test_a_difference_is_reported(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    manifest = Manifest(ABOUT, 10)
    check_same_run(tmp_path, manifest, ABOUT, 10)
    with pytest.raises(OutputError, match=words):
        check_same_run(tmp_path, manifest, {**ABOUT, **changes}, 10)
    with pytest.raises(OutputError, match="started with --shard-rows 10, not 7"):
        check_same_run(tmp_path, manifest, ABOUT, 7)
