"""Files of texts in every format that is read, and in every compression."""

import csv
import gzip
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow
import pyarrow.parquet

from bertcli.input.records import TextId

Entries = Sequence[tuple[TextId, str]]


def write_jsonl(path: Path, entries: Entries) -> None:
    """An object a line."""
    path.write_bytes(b"".join(json.dumps({"id": id_, "text": text}).encode() + b"\n" for id_, text in entries))


def write_csv(path: Path, entries: Entries) -> None:
    """As the csv module quotes it."""
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("id", "text"), *entries])


def write_tsv(path: Path, entries: Entries) -> None:
    """Cells parted by tabs, nothing quoted."""
    lines = ["id\ttext", *(f"{id_}\t{text}" for id_, text in entries)]
    path.write_bytes("".join(f"{line}\n" for line in lines).encode())


def write_parquet(path: Path, entries: Entries) -> None:
    """A table of two columns, in groups of three rows."""
    table = pyarrow.table({"id": [id_ for id_, _ in entries], "text": [text for _, text in entries]})
    pyarrow.parquet.write_table(table, path, row_group_size=3)


def gzipped(content: bytes) -> bytes:
    """As gzip writes it."""
    return gzip.compress(content)


def zstandard(content: bytes) -> bytes:
    """As zstd writes it."""
    return bytes(pyarrow.compress(content, codec="zstd", asbytes=True))


WRITERS: dict[str, Callable[[Path, Entries], None]] = {
    ".jsonl": write_jsonl,
    ".csv": write_csv,
    ".tsv": write_tsv,
    ".parquet": write_parquet,
}
COMPRESSIONS: dict[str, Callable[[bytes], bytes]] = {"": bytes, ".gz": gzipped, ".zst": zstandard}
