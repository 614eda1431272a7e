"""Tests of remote paths: they behave like local ones, through pyarrow and through fsspec."""

import io
import uuid
from collections.abc import Iterator
from pathlib import Path

import pyarrow
import pytest

from bertcli.errors import MissingPackage, OutputError, Unreachable, WrongUsage
from bertcli.input.files import find_inputs
from bertcli.input.reader import TextReader
from bertcli.input.records import TextSource
from bertcli.output.files.folder import open_folder
from bertcli.output.files.lock import LOCK
from bertcli.output.files.manifest import save_manifest
from bertcli.output.files.shards import has_content, remove_leftovers
from bertcli.results.corpus import Manifest, ShardLimits
from bertcli.storage import RemotePath, parse_path
from tests.object_store import BUCKET, s3_server


@pytest.fixture(scope="module")
def s3() -> Iterator[None]:
    with s3_server() as server, pytest.MonkeyPatch.context() as patch:
        for name, value in server.env.items():
            patch.setenv(name, value)
        yield


@pytest.fixture(params=[f"s3://{BUCKET}", "memory://bucket"])
def folder(request: pytest.FixtureRequest, s3: None) -> RemotePath:
    """Return an empty folder of a pyarrow filesystem, then of an fsspec filesystem."""
    found = parse_path(f"{request.param}/a folder/{uuid.uuid4().hex}/")
    assert isinstance(found, RemotePath)
    return found


def put(path: RemotePath, text: str = "how are you\n") -> RemotePath:
    path.put(io.BytesIO(text.encode()))
    return path


def test_a_url_is_remote_and_a_path_is_local() -> None:
    assert parse_path("in.txt") == Path("in.txt")
    assert parse_path("a:/b") == Path("a:/b")
    assert parse_path("file:///data/x") == Path("/data/x")
    assert parse_path("s3://bucket/a/") == RemotePath("s3://bucket/a")


def test_a_file_exists_from_put_to_unlink(folder: RemotePath) -> None:
    assert not folder.is_dir() and list(folder.iterdir()) == []
    path = put(folder / "a.txt")
    assert (path.exists(), path.is_file(), path.is_dir(), path.size()) == (True, True, False, 12)
    assert (path.name, path.suffix, folder.is_dir()) == ("a.txt", ".txt", True)
    put(path, "you\n")
    assert path.read_bytes() == b"you\n"
    with path.open() as file:
        assert (file.read(2), file.tell(), file.read(), file.read()) == (b"yo", 2, b"u\n", b"")
    path.unlink()
    path.unlink(missing_ok=True)
    assert not path.exists()
    for read in (path.read_bytes, path.size):
        with pytest.raises(FileNotFoundError, match=r"a\.txt"):
            read()


@pytest.mark.parametrize("url", ["MEMORY://bucket/upper", f"S3://{BUCKET}/upper"])
def test_a_scheme_may_be_in_capitals(s3: None, url: str) -> None:
    scheme, _, rest = url.partition("://")
    put(RemotePath(url) / "a.txt")
    assert (RemotePath(f"{scheme.lower()}://{rest}") / "a.txt").read_bytes() == b"how are you\n"
    assert (RemotePath(url) / "*.txt").matching() == [RemotePath(url) / "a.txt"]


class Interrupted(io.BytesIO):
    """Content whose reading is interrupted after its first 5 bytes."""

    def read(self, size: int | None = -1) -> bytes:
        if self.tell():
            raise KeyboardInterrupt
        return super().read(5)


@pytest.mark.parametrize("is_present", [True, False])
def test_an_interrupted_put_keeps_the_old_file(folder: RemotePath, is_present: bool) -> None:
    path = folder / "manifest.json"
    if is_present:
        put(path, "whole\n")
    with pytest.raises(KeyboardInterrupt):
        path.put(Interrupted(b"half of it"))
    # iterdir leaves out the nameless object with which pyarrow marks a folder after removing something from it.
    assert [each.name for each in folder.iterdir()] == (["manifest.json"] if is_present else [])
    assert not is_present or path.read_bytes() == b"whole\n"


def test_partial_files_of_a_killed_process_are_removed(folder: RemotePath) -> None:
    put((folder / "manifest.json")._temporary_path())
    put((folder / "shard-00000.parquet")._temporary_path())
    put((folder / LOCK)._temporary_path())
    assert not has_content(folder)
    remove_leftovers(folder, Manifest({}, ShardLimits(10)))
    assert list(folder.iterdir()) == []


def test_a_pattern_matches_files_as_in_a_shell(folder: RemotePath) -> None:
    names = ["a.txt", "b.txt", "b.csv", "deep/c.txt", "deep/er/d.txt"]
    for name in names:
        put(folder / name)

    def matching(pattern: str) -> list[str]:
        return [path.url.removeprefix(f"{folder}/") for path in (folder / pattern).matching()]

    assert matching("*.txt") == ["a.txt", "b.txt"]
    assert matching("[ab].*") == ["a.txt", "b.csv", "b.txt"]
    assert matching("*/?.txt") == ["deep/c.txt"]
    assert matching("**/*.txt") == ["a.txt", "b.txt", "deep/c.txt", "deep/er/d.txt"]
    assert matching("none*") == []
    assert sorted(path.name for path in folder.glob("*.txt")) == ["a.txt", "b.txt"]


def test_a_file_with_wildcards_in_its_name_is_read(s3: None) -> None:
    folder = RemotePath(f"s3://{BUCKET}/{uuid.uuid4().hex}")
    put(folder / "a[1].txt")
    put(folder / "a1.txt", "you\n")
    assert [each.path for each in find_inputs(TextSource(file=[folder / "a[1].txt"]))] == [folder / "a[1].txt"]
    assert [each.path for each in find_inputs(TextSource(file=[folder / "a[12].txt"]))] == [folder / "a1.txt"]


def test_file_sizes_are_requested_once(folder: RemotePath, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = TextReader(TextSource(file=[put(folder / "a.txt"), put(folder / "b.txt")]))
    assert reader.total_bytes == 24
    monkeypatch.delattr(RemotePath, "size")
    assert reader.total_bytes == 24


def test_a_network_failure_is_not_reported_as_a_damaged_file(
    folder: RemotePath, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Failing(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise OSError("connection lost")

    path = put(folder / "a.parquet")
    monkeypatch.setattr(RemotePath, "open_arrow", lambda self: pyarrow.PythonFile(Failing(b"PAR1" * 9), "r"))
    with pytest.raises(Unreachable, match=r"a\.parquet: connection lost"):
        list(TextReader(TextSource(file=[path])).windows())


def test_a_name_that_is_both_a_file_and_a_folder_is_refused(s3: None) -> None:
    folder = RemotePath(f"s3://{BUCKET}/{uuid.uuid4().hex}")
    save_manifest(Manifest({}, ShardLimits(10)), folder)
    put(folder)
    with pytest.raises(OutputError, match="is a file"), open_folder(folder, print):
        pass
    assert (folder / "manifest.json").exists()


@pytest.mark.parametrize(
    ("url", "error", "words", "hint"),
    [
        ("s3://no-such-bucket/x", Unreachable, "The specified bucket does not exist", "AWS_ENDPOINT_URL"),
        ("foo://bucket/x", WrongUsage, "neither pyarrow nor fsspec supports foo://", "s3://"),
        ("github://a", Unreachable, "github://a: ", "the name"),
        ("dir://x", Unreachable, "dir://x: ", "the name"),
        ("simplecache://x", Unreachable, "simplecache://x: ", "the name"),
        ("sftp://host/x", MissingPackage, "paramiko", "pip install 'fsspec[sftp]'"),
    ],
)
def test_an_unreachable_file_is_reported(s3: None, url: str, error: type[Exception], words: str, hint: str) -> None:
    with pytest.raises(error, match=words) as raised:
        put(RemotePath(url))
    assert hint in getattr(raised.value, "hint", "")
