"""Files of texts in every supported format and compression."""

import csv
import gzip
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow
import pyarrow.parquet

from bertcli.input.records import TextId, TextSource

Entries = Sequence[tuple[TextId, str]]


def write_jsonl(path: Path, entries: Entries) -> None:
    """Write one object a line."""
    path.write_bytes(b"".join(json.dumps({"id": id_, "text": text}).encode() + b"\n" for id_, text in entries))


def write_csv(path: Path, entries: Entries) -> None:
    """Write CSV, quoted by the csv module."""
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("id", "text"), *entries])


def write_tsv(path: Path, entries: Entries) -> None:
    """Write cells separated by tabs, without quotes."""
    lines = ["id\ttext", *(f"{id_}\t{text}" for id_, text in entries)]
    path.write_bytes("".join(f"{line}\n" for line in lines).encode())


def write_parquet(path: Path, entries: Entries) -> None:
    """Write a table of two columns, in row groups of three."""
    table = pyarrow.table({"id": [id_ for id_, _ in entries], "text": [text for _, text in entries]})
    pyarrow.parquet.write_table(table, path, row_group_size=3)


def write_two_windows(folder: Path) -> TextSource:
    """Write two files of four texts, of 40 and 60 bytes. Return their source, which is read in two windows."""
    paths = [folder / "40.txt", folder / "60.txt"]
    for path, line in zip(paths, ("how are u\n", "how are you so\n"), strict=True):
        path.write_text(4 * line)
    return TextSource(file=paths)


def gzipped(content: bytes) -> bytes:
    """Compress with gzip."""
    return gzip.compress(content)


def zstandard(content: bytes) -> bytes:
    """Compress with zstd."""
    return bytes(pyarrow.compress(content, codec="zstd", asbytes=True))


WRITERS: dict[str, Callable[[Path, Entries], None]] = {
    ".jsonl": write_jsonl,
    ".csv": write_csv,
    ".tsv": write_tsv,
    ".parquet": write_parquet,
}
COMPRESSIONS: dict[str, Callable[[bytes], bytes]] = {"": bytes, ".gz": gzipped, ".zst": zstandard}
