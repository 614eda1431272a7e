"""Folders of shards: each shard appears whole or not at all, and the manifest lists the complete ones."""

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bertcli.errors import OutputError
from bertcli.input.records import FailedText, TextRecord
from bertcli.output.files import atomic as target
from bertcli.output.files.manifest import load_manifest
from bertcli.output.files.shards import (
    ShardFolderWriter,
    ShardWriter,
    check_shards,
    remove_leftovers,
    remove_shards,
)
from bertcli.pipeline.shards import ShardBoundaries
from bertcli.results.corpus import Manifest, ShardLimits
from bertcli.results.embeddings import EncodeRecord
from tests.output.files.manifests import ABOUT
from tests.output.files.test_parquet import LAYOUT, encode_record, failed_text
from tests.output.files.writing import write_all


def new_run(shard_rows: int) -> Manifest:
    """Return the manifest of a run that has written nothing yet."""
    return Manifest(ABOUT, ShardLimits(shard_rows))


def boundaries_of(manifest: Manifest, count: int) -> ShardBoundaries:
    """Return the ends of the shards of a run over that number of texts, which have all passed."""
    boundaries = ShardBoundaries(manifest.limits)
    list(boundaries.watch([[TextRecord(index, "how") for index in range(count)]]))
    return boundaries


def write(folder: Path, records: Sequence[EncodeRecord | FailedText], manifest: Manifest) -> Manifest:
    """Write the records and failed texts, and return the manifest."""
    count = manifest.rows + len(records)
    with ShardFolderWriter(folder, manifest, LAYOUT, boundaries_of(manifest, count)) as writer:
        write_all(writer, records)
    return writer.manifest


def contents(folder: Path) -> dict[str, bytes]:
    """Return the content of every file by name."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@given(st.integers(0, 12), st.integers(1, 5))
@settings(max_examples=20)
def test_shards_hold_all_rows_and_the_manifest_lists_the_shards(
    tmp_path_factory: pytest.TempPathFactory, count: int, shard_rows: int
) -> None:
    folder = tmp_path_factory.mktemp("shards")
    records = [failed_text(index) if index == 2 else encode_record(index) for index in range(count)]
    manifest = write(folder, records, new_run(shard_rows))
    assert load_manifest(folder) == manifest
    assert (manifest.rows, manifest.skipped, manifest.is_complete) == (count, int(count > 2), True)
    ids = []
    boundaries = boundaries_of(manifest, count)
    for number, shard in enumerate(manifest.shards):
        content = (folder / shard.file).read_bytes()
        assert (shard.bytes, shard.sha256) == (len(content), hashlib.sha256(content).hexdigest())
        assert shard.input_sha256 == boundaries.take(number).sha256
        table = pyarrow.parquet.read_table(folder / shard.file)
        assert len(table) == shard.rows == (shard_rows if number < count // shard_rows else count % shard_rows)
        ids += table["id"].to_pylist()
    assert ids == list(range(count))
    assert set(contents(folder)) == {"manifest.json", *(shard.file for shard in manifest.shards)}


def test_the_manifest_is_json(tmp_path: Path) -> None:
    write(tmp_path, [encode_record(0)], new_run(5))
    found = json.loads((tmp_path / "manifest.json").read_text())
    assert {name: found[name] for name in ("schema", "model", "options", "shard_rows", "complete", "rows")} == {
        "schema": 2, "model": "bundled", "options": ABOUT["options"], "shard_rows": 5, "complete": True, "rows": 1,
    }  # fmt: skip


@pytest.mark.parametrize("rows_before", range(8))
def test_a_resumed_run_writes_the_same_bytes_as_an_uninterrupted_one(tmp_path: Path, rows_before: int) -> None:
    whole, interrupted = tmp_path / "whole", tmp_path / "interrupted"
    whole.mkdir()
    interrupted.mkdir()
    records = [encode_record(index) for index in range(8)]
    write(whole, records, new_run(3))
    writer = ShardFolderWriter(interrupted, new_run(3), LAYOUT, boundaries_of(new_run(3), 8))
    with pytest.raises(KeyboardInterrupt), writer:
        for each in records[:rows_before]:
            writer.write(each)
        raise KeyboardInterrupt
    started = load_manifest(interrupted) or new_run(3)
    assert started.rows == rows_before // 3 * 3
    assert len(contents(interrupted)) == (rows_before // 3 + 1 if rows_before >= 3 else 0)
    write(interrupted, records[started.rows :], started)
    assert contents(interrupted) == contents(whole)


def test_a_shard_is_synced_before_the_manifest_lists_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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
    write(tmp_path, [encode_record(0)], new_run(1))
    # Sync the content, rename, sync the folder. Then the same for the manifest: after the shard and at the end.
    assert done == ["fsync", "shard-00000.parquet", "fsync", *["fsync", "manifest.json", "fsync"] * 2]


def flip_a_byte(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("number", range(3))
@pytest.mark.parametrize("damage", [Path.unlink, flip_a_byte])
def test_any_missing_or_damaged_shard_is_found(tmp_path: Path, damage: Callable[[Path], object], number: int) -> None:
    manifest = write(tmp_path, [encode_record(index) for index in range(6)], new_run(2))
    check_shards(tmp_path, manifest)
    damage(tmp_path / f"shard-0000{number}.parquet")
    with pytest.raises(OutputError, match=rf"shard-0000{number}\.parquet (is missing|differs from)"):
        check_shards(tmp_path, manifest)


def test_a_shard_ends_where_its_texts_say(tmp_path: Path) -> None:
    started = Manifest(ABOUT, ShardLimits(100, text_bytes=50, max_text_bytes=1000))
    boundaries = ShardBoundaries(started.limits)
    list(boundaries.watch([[TextRecord(index, "a" * (40 * (index % 2))) for index in range(6)]]))
    with ShardFolderWriter(tmp_path, started, LAYOUT, boundaries) as writer:
        for index in range(6):
            writer.write(encode_record(index))
        writer.finish()
    assert [shard.rows for shard in writer.manifest.shards] == [2, 2, 2]
    assert load_manifest(tmp_path) == writer.manifest


def test_only_files_of_bertcli_are_removed(tmp_path: Path) -> None:
    manifest = write(tmp_path, [encode_record(index) for index in range(2)], new_run(1))
    for name in ("notes.txt", "other.parquet", ".shard-00007.parquet.abc.part", "shard-00007.parquet"):
        (tmp_path / name).write_text("x")
    remove_leftovers(tmp_path, manifest)
    left = {"notes.txt", "other.parquet"}
    assert set(contents(tmp_path)) == left | {"manifest.json", "shard-00000.parquet", "shard-00001.parquet"}
    remove_shards(tmp_path)
    assert set(contents(tmp_path)) == left


def test_a_single_shard_can_be_written(tmp_path: Path) -> None:
    with ShardWriter(tmp_path, 3, LAYOUT, None) as writer:
        writer.write(encode_record(0))
        writer.skip(failed_text(1))
        shard = writer.finish("digest")
    assert (shard.file, shard.rows, shard.skipped, writer.id_type) == ("shard-00003.parquet", 2, 1, "int64")
    assert set(contents(tmp_path)) == {"shard-00003.parquet"}
