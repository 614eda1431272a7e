"""Files that hold no text, and commands that convert files."""

import bz2
import gzip
import lzma
import os
import shutil
import subprocess
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from bertcli.choices import InputFormat
from bertcli.errors import BadInput
from bertcli.input.reader import TextReader
from bertcli.input.records import FailedText, TextSource, Window
from bertcli.storage import RemotePath

TEXT = b"how are you\n"


def write_zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("inside.txt", TEXT)


def write_tar(path: Path) -> None:
    path.with_name("inside.txt").write_bytes(TEXT)
    with tarfile.open(path, "w:gz" if path.name.endswith("gz") else "w") as file:
        file.add(path.with_name("inside.txt"), "inside.txt")
    path.with_name("inside.txt").unlink()


def write_parquet(path: Path) -> None:
    pyarrow.parquet.write_table(pyarrow.table({"text": ["how are you"]}), path)


# How to make each type of file, its description, and the end of the hint for a file called NAME.
TYPES: dict[str, tuple[Callable[[Path], object], str, str]] = {
    "zip": (write_zip, "is a zip archive", "unzip NAME"),
    "tar": (write_tar, "is a tar archive", "tar -xf NAME"),
    "tar.gz": (write_tar, "is a tar archive", "tar -xf NAME"),
    "7z": (lambda path: path.write_bytes(b"7z\xbc\xaf\x27\x1c\0\4"), "is a 7z archive", "7z x NAME"),
    "xz": (lambda path: path.write_bytes(lzma.compress(TEXT)), "is compressed with xz", "xz -dc < NAME > PLAIN"),
    "bz2": (lambda path: path.write_bytes(bz2.compress(TEXT)), "is compressed with bzip2", "bzip2 -dc < NAME > PLAIN"),
    "gzip": (lambda path: path.write_bytes(gzip.compress(TEXT)), "is compressed with gzip", "gzip -dc < NAME > PLAIN"),
    "utf-16": (
        lambda path: path.write_bytes(TEXT.decode().encode("utf-16")),
        "is UTF-16, not UTF-8",
        "iconv -f utf-16 -t utf-8 < NAME > PLAIN",
    ),
    "pq": (write_parquet, "is a Parquet file", "add --input-format parquet; a stream must be saved to a file first"),
}
READ_BY_SUFFIX = ("pq", "gzip", "utf-16")


def read(path: Path, format_: InputFormat = InputFormat.AUTO) -> Window:
    reader = TextReader(TextSource(file=path, format=format_))
    return [text for window in reader.windows() for text in window]


def refusal(path: Path) -> tuple[str, str]:
    with pytest.raises(BadInput) as raised:
        read(path)
    return raised.value.message, raised.value.hint


@pytest.mark.parametrize("kind", TYPES)
def test_a_file_without_text_is_recognized_by_its_first_bytes(tmp_path: Path, kind: str) -> None:
    write, description, hint = TYPES[kind]
    path = tmp_path / ("texts.txt.gz" if kind == "tar.gz" else "texts.txt")
    write(path)
    message, advice = refusal(path)
    assert message == f"{path} {description}"
    assert advice.endswith(hint.replace("NAME", str(path)).replace("PLAIN", f"{tmp_path}/texts.plain.txt"))


@pytest.mark.parametrize("kind", [kind for kind in TYPES if kind not in READ_BY_SUFFIX])
def test_a_file_without_text_is_recognized_by_its_suffix(tmp_path: Path, kind: str) -> None:
    _, description, hint = TYPES[kind]
    path = tmp_path / f"texts.csv.{kind}"
    path.write_bytes(TEXT)
    message, advice = refusal(path)
    assert message == f"{path} {description}"
    assert advice.endswith(hint.replace("NAME", str(path)).replace("PLAIN", f"{tmp_path}/texts.plain.csv"))
    if kind != "tar.gz":  # .gz is decompressed in any case
        [record] = read(path, InputFormat.TEXT)
        assert not isinstance(record, FailedText)


def test_a_text_file_may_have_an_archive_in_its_name(tmp_path: Path) -> None:
    (tmp_path / "notes.tar.txt").write_bytes(TEXT)
    assert len(read(tmp_path / "notes.tar.txt")) == 1


@pytest.mark.parametrize("name", ["my texts.txt", "it's.txt", "-n.txt", os.fsdecode(b"caf\xe9\n.txt")])
@pytest.mark.parametrize("kind", ["xz", "bz2", "gzip", "utf-16"])
def test_the_command_in_the_hint_can_be_pasted(tmp_path: Path, kind: str, name: str) -> None:
    TYPES[kind][0](tmp_path / name)
    _, hint = refusal(tmp_path / name)
    command = hint.partition(": ")[2]
    assert command.isprintable()
    if shutil.which(command.split()[0]) is None:
        pytest.skip(f"{command.split()[0]} is not installed")
    subprocess.run(["bash", "-c", command], check=True, cwd=tmp_path)
    [record] = read(tmp_path / f"{name.removesuffix('.txt')}.plain.txt")
    assert not isinstance(record, FailedText)
    assert record.text == "how are you"


@pytest.mark.parametrize("suffix", [".txt", ".txt.gz", ".jsonl", ".csv"])
def test_the_command_for_latin_1_can_be_pasted(tmp_path: Path, suffix: str) -> None:
    row = {".jsonl": b'{"text": "caf\xe9"}\n', ".csv": b"text\ncaf\xe9\n"}.get(suffix, b"caf\xe9\n")
    path = tmp_path / f"my texts{suffix}"
    path.write_bytes(gzip.compress(row) if suffix.endswith(".gz") else row)
    [failed] = read(path)
    assert isinstance(failed, FailedText)
    assert failed.error.message.startswith("the text is not UTF-8")
    subprocess.run(["bash", "-c", failed.error.hint.partition(": ")[2]], check=True)
    [record] = read(tmp_path / f"my texts.utf-8{suffix.removesuffix('.gz')}")
    assert not isinstance(record, FailedText)
    assert record.text == "café"


def test_a_remote_file_must_be_copied_before_the_command() -> None:
    from bertcli.input.file_types import encoding_hint, refuse_suffix

    with pytest.raises(BadInput) as raised:
        refuse_suffix(RemotePath("s3://bucket/texts.zip"))
    assert raised.value.hint.endswith("copy it to this machine, then unzip texts.zip")
    assert encoding_hint(RemotePath("s3://bucket/texts.txt")).endswith(
        "copy it to this machine, then iconv -f latin1 -t utf-8 < texts.txt > texts.utf-8.txt"
    )
    assert encoding_hint(None).endswith("pipe it through iconv -f latin1 -t utf-8")
