"""A folder of shards: each whole or not there, and a manifest that says which."""

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bertcli.errors import OutputError
from bertcli.input.records import FailedText
from bertcli.output.files import atomic as target
from bertcli.output.files.shards import (
    ShardsWriter,
    ShardWriter,
    check_shards,
    load_manifest,
    remove_parts,
    remove_shards,
)
from bertcli.results.corpus import Manifest
from bertcli.results.embeddings import EncodeRecord
from tests.output.files.test_parquet import LAYOUT, answer, missing

ABOUT = {"model": "bundled", "options": {"pool": "mean"}}


def write(folder: Path, answers: Sequence[EncodeRecord | FailedText], manifest: Manifest) -> Manifest:
    """The manifest after all of them."""
    with ShardsWriter(folder, manifest, LAYOUT, str) as writer:
        for each in answers:
            if isinstance(each, FailedText):
                writer.skip(each)
            else:
                writer.write(each)
        writer.finish()
    return writer.manifest


def contents(folder: Path) -> dict[str, bytes]:
    """Every file."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@given(st.integers(0, 12), st.integers(1, 5))
@settings(max_examples=20)
def test_shards_have_all_rows_and_the_manifest_tells_of_them(
    tmp_path_factory: pytest.TempPathFactory, count: int, shard_rows: int
) -> None:
    folder = tmp_path_factory.mktemp("shards")
    answers = [missing(index) if index == 2 else answer(index) for index in range(count)]
    manifest = write(folder, answers, Manifest(ABOUT, shard_rows))
    assert load_manifest(folder) == manifest
    assert (manifest.rows, manifest.skipped, manifest.is_complete) == (count, int(count > 2), True)
    ids = []
    for number, shard in enumerate(manifest.shards):
        content = (folder / shard.file).read_bytes()
        assert (shard.bytes, shard.sha256) == (len(content), hashlib.sha256(content).hexdigest())
        assert shard.input_sha256 == str(number)
        table = pyarrow.parquet.read_table(folder / shard.file)
        assert len(table) == shard.rows == (shard_rows if number < count // shard_rows else count % shard_rows)
        ids += table["id"].to_pylist()
    assert ids == list(range(count))
    assert set(contents(folder)) == {"manifest.json", *(shard.file for shard in manifest.shards)}


def test_the_manifest_is_json_for_anyone(tmp_path: Path) -> None:
    write(tmp_path, [answer(0)], Manifest(ABOUT, 5))
    found = json.loads((tmp_path / "manifest.json").read_text())
    assert {name: found[name] for name in ("schema", "model", "options", "shard_rows", "complete", "rows")} == {
        "schema": 1, "model": "bundled", "options": {"pool": "mean"}, "shard_rows": 5, "complete": True, "rows": 1,
    }  # fmt: skip


@pytest.mark.parametrize("rows_before", range(8))
def test_a_run_that_broke_off_is_gone_on_with_to_the_same_bytes(tmp_path: Path, rows_before: int) -> None:
    whole, parted = tmp_path / "whole", tmp_path / "parted"
    whole.mkdir()
    parted.mkdir()
    answers = [answer(index) for index in range(8)]
    write(whole, answers, Manifest(ABOUT, 3))
    with pytest.raises(KeyboardInterrupt), ShardsWriter(parted, Manifest(ABOUT, 3), LAYOUT, str) as writer:
        for each in answers[:rows_before]:
            writer.write(each)
        raise KeyboardInterrupt
    begun = load_manifest(parted) or Manifest(ABOUT, 3)
    assert begun.rows == rows_before // 3 * 3
    assert len(contents(parted)) == (rows_before // 3 + 1 if rows_before >= 3 else 0)
    write(parted, answers[begun.rows :], begun)
    assert contents(parted) == contents(whole)


def test_a_shard_reaches_the_disk_before_the_manifest_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    fsync, replace = target.os.fsync, Path.replace

    def seen_fsync(descriptor: int) -> None:
        done.append("fsync")
        fsync(descriptor)

    def seen_replace(path: Path, other: Path) -> Path:
        done.append(other.name)
        return replace(path, other)

    monkeypatch.setattr(target.os, "fsync", seen_fsync)
    monkeypatch.setattr(Path, "replace", seen_replace)
    write(tmp_path, [answer(0)], Manifest(ABOUT, 1))
    # The content, its name, the folder that has the name; then the manifest, once for the shard and once for the end.
    assert done == ["fsync", "shard-00000.parquet", "fsync", *["fsync", "manifest.json", "fsync"] * 2]


@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(b"x" * path.stat().st_size)])
def test_a_shard_that_is_not_as_it_was_written_is_found(tmp_path: Path, damage: Callable[[Path], object]) -> None:
    manifest = write(tmp_path, [answer(index) for index in range(4)], Manifest(ABOUT, 2))
    check_shards(tmp_path, manifest)
    damage(tmp_path / "shard-00001.parquet")
    with pytest.raises(OutputError, match=r"shard-00001\.parquet is missing, or differs from its entry in"):
        check_shards(tmp_path, manifest)


@pytest.mark.parametrize(
    "content", ["", "{}", "[]", '{"schema": 2, "shards": []}', '{"shards": [{"file": 1}]}', "\xff"]
)
def test_a_file_that_is_no_manifest_is_an_error(tmp_path: Path, content: str) -> None:
    (tmp_path / "manifest.json").write_text(content, encoding="latin-1")
    with pytest.raises(OutputError, match="is not a manifest"):
        load_manifest(tmp_path)


def test_what_is_removed_is_bertclis_alone(tmp_path: Path) -> None:
    manifest = write(tmp_path, [answer(index) for index in range(2)], Manifest(ABOUT, 1))
    for name in ("notes.txt", "other.parquet", ".shard-00007.parquet.abc.part", "shard-00007.parquet"):
        (tmp_path / name).write_text("x")
    remove_parts(tmp_path, manifest)
    left = {"notes.txt", "other.parquet"}
    assert set(contents(tmp_path)) == left | {"manifest.json", "shard-00000.parquet", "shard-00001.parquet"}
    remove_shards(tmp_path)
    assert set(contents(tmp_path)) == left


def test_one_shard_is_written_of_any_records(tmp_path: Path) -> None:
    with ShardWriter(tmp_path, 3, LAYOUT, None) as writer:
        writer.write(answer(0))
        writer.skip(missing(1))
        shard = writer.finish("digest")
    assert (shard.file, shard.rows, shard.skipped, writer.id_type) == ("shard-00003.parquet", 2, 1, "int64")
    assert set(contents(tmp_path)) == {"shard-00003.parquet"}
