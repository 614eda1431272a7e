"""The output folder of a run: a new one, one to resume, and one that is refused."""

import uuid
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from bertcli import storage
from bertcli.errors import OutputError
from bertcli.output.files import lock
from bertcli.output.files.folder import check_same_run, find_started_run, open_folder, prepare_folder
from bertcli.output.files.lock import LOCK
from bertcli.output.files.manifest import MANIFEST, load_manifest, save_manifest
from bertcli.results.corpus import Manifest, ShardLimits
from bertcli.storage import RemotePath
from tests.output.files.manifests import ABOUT, manifest_of


def start_run(folder: Path, *, is_complete: bool = False) -> Manifest:
    """Create a folder with a manifest, and return the manifest."""
    folder.mkdir()
    manifest = manifest_of([10, 5] if is_complete else [10], ShardLimits(10), is_complete=is_complete)
    save_manifest(manifest, folder)
    return manifest


@pytest.mark.parametrize("resume", [True, False])
def test_an_empty_folder_starts_a_new_run(tmp_path: Path, resume: bool) -> None:
    (tmp_path / ".shard-00000.parquet.x.part").write_text("half")
    (tmp_path / LOCK).write_text("of a killed run")
    assert find_started_run(tmp_path, resume=resume, force=False) is None
    manifest = manifest_of([], ShardLimits(10))
    prepare_folder(tmp_path, manifest)
    assert {path.name for path in tmp_path.iterdir()} == {LOCK, MANIFEST}
    assert load_manifest(tmp_path) == manifest


def test_a_run_killed_before_it_listed_its_first_shard_can_be_resumed_or_repeated(tmp_path: Path) -> None:
    manifest = manifest_of([], ShardLimits(10))
    prepare_folder(tmp_path, manifest)
    shard = tmp_path / "shard-00000.parquet"
    shard.write_text("complete, but not in the manifest")
    assert find_started_run(tmp_path, resume=True, force=False) == manifest
    assert find_started_run(tmp_path, resume=False, force=False) is None
    prepare_folder(tmp_path, manifest)
    assert not shard.exists()


@pytest.mark.parametrize("rows", [[], [10]])
def test_a_run_that_fails_keeps_its_manifest_only_with_a_shard(tmp_path: Path, rows: list[int]) -> None:
    with pytest.raises(ZeroDivisionError), open_folder(tmp_path / "out", print):
        save_manifest(manifest_of(rows, ShardLimits(10)), tmp_path / "out")
        raise ZeroDivisionError
    assert (tmp_path / "out" / MANIFEST).exists() == (tmp_path / "out").exists() == bool(rows)


def test_a_file_instead_of_a_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("x")
    with pytest.raises(OutputError, match="out is a file"), open_folder(tmp_path / "out", print):
        pass


def test_a_started_run_needs_resume_or_force(tmp_path: Path) -> None:
    manifest = start_run(tmp_path / "out")
    assert find_started_run(tmp_path / "out", resume=True, force=False) == manifest
    assert find_started_run(tmp_path / "out", resume=False, force=True) is None
    with pytest.raises(OutputError, match="an interrupted run") as raised:
        find_started_run(tmp_path / "out", resume=False, force=False)
    assert "--resume" in raised.value.hint


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"model": "other"}, "started with --model bundled, not other"),
        ({"options": {**ABOUT["options"], "pool": "max"}}, "started with --pooling mean, not max"),
        ({"options": {**ABOUT["options"], "layers": "0"}}, "started without --layers"),
        ({"options": {**ABOUT["options"], "normalize": True}}, "started without --normalize"),
        ({"command": "attn", "options": {"grid": None}}, "was started by encode, not attn"),
        ({"options": {"pool": "mean"}}, "has other entries than this run: batch_tokens, layers, normalize"),
    ],
)
def test_a_run_with_other_options_is_not_resumed(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    manifest = manifest_of([], ShardLimits(10))
    check_same_run(tmp_path, manifest, ABOUT, ShardLimits(10))
    with pytest.raises(OutputError, match=words):
        check_same_run(tmp_path, manifest, {**ABOUT, **changes}, ShardLimits(10))
    with pytest.raises(OutputError, match="started with --shard-rows 10, not 7"):
        check_same_run(tmp_path, manifest, ABOUT, ShardLimits(7))
    by_text = manifest_of([], ShardLimits(10, text_bytes=100, max_text_bytes=50))
    with pytest.raises(OutputError, match="started without --shard-rows"):
        check_same_run(tmp_path, by_text, ABOUT, ShardLimits(10))


def test_a_folder_that_stays_empty_is_removed_and_others_stay(tmp_path: Path) -> None:
    for name, text in {"new": None, "old": None, "full": "x"}.items():
        folder = tmp_path / name
        if name != "new":
            folder.mkdir()
        with pytest.raises(ZeroDivisionError), open_folder(folder, print):
            if text is not None:
                (folder / "notes.txt").write_text(text)
            raise ZeroDivisionError
        assert not (folder / LOCK).exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["full", "old"]


@pytest.mark.parametrize("has_shard", [True, False])
def test_a_new_remote_folder_is_removed_only_if_it_is_empty(monkeypatch: pytest.MonkeyPatch, has_shard: bool) -> None:
    # As on hdfs and sftp, where folders are real, and removing one removes what it contains.
    monkeypatch.setattr(storage, "_REAL_FOLDERS", frozenset({"memory"}))
    monkeypatch.setattr(lock, "_SETTLE_SECONDS", 0)
    folder = RemotePath(f"memory://bucket/{uuid.uuid4().hex}")
    with open_folder(folder, print):
        if has_shard:
            (folder / "shard-00000.parquet").put(BytesIO(b"x"))
    assert folder.exists() == has_shard
    assert [path.name for path in folder.iterdir()] == ["shard-00000.parquet"] * has_shard


def test_a_first_shard_that_no_manifest_lists_does_not_block_the_next_run(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="full"), open_folder(tmp_path, print):
        prepare_folder(tmp_path, manifest_of([], ShardLimits(10)))
        (tmp_path / "shard-00000.parquet").write_text("complete")
        raise OSError("the disk is full")  # before the manifest is saved
    assert list(tmp_path.iterdir()) == []
