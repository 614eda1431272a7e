"""Texts that come again: their vectors are kept, on disk, and found by a hash."""

import hashlib
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from bertcli.analysis.embeddings.encode import EncodeOptions
from bertcli.errors import require
from bertcli.input.records import FailedText, TextRecord
from bertcli.model.session import text_info
from bertcli.model.tokenizer import TokenizedText
from bertcli.output.files.manifest import Manifest
from bertcli.results.embeddings import EncodeRecord
from bertcli.results.texts import FloatArray
from bertcli.storage import AnyPath, arrow_source

# How many texts are known again: their hashes take about 200 MB of memory, their vectors are on disk. Those that come
# later are computed each time.
MOST_KNOWN = 1 << 20


class RepeatedTexts:
    """The vectors of texts by what the texts say. folder: where their file is, which has no name.

    Two texts are equal where every character is, and sentence B too; 128 bits of BLAKE2b stand for them.
    """

    def __init__(self, folder: Path, hidden: int, options: EncodeOptions, most_known: int = MOST_KNOWN) -> None:
        layers = len(options.layers) if options.layer_embeddings else 0
        self._parts = 1 + options.pooler + layers
        self._has_pooler, self._hidden, self._most_known = options.pooler, hidden, most_known
        self._row_bytes = 4 * (self._parts * hidden + 1)
        self._known: dict[bytes, int] = {}
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - see close

    def close(self) -> None:
        """Forget them all."""
        self._file.close()

    def first_ones(self, texts: Sequence[TokenizedText]) -> Sequence[TokenizedText]:
        """Of a group, the texts that are neither known nor equal to one before them."""
        first: dict[bytes, TokenizedText] = {}
        for text in texts:
            first.setdefault(digest_of(text.record), text)
        return [text for digest, text in first.items() if digest not in self._known]

    def with_repeats(
        self, texts: Sequence[TokenizedText], computed: dict[int, EncodeRecord]
    ) -> dict[int, EncodeRecord]:
        """The answers of a group, by index, those that were computed among them; these are known from now on."""
        here: dict[bytes, EncodeRecord] = {}
        answers: dict[int, EncodeRecord] = {}
        for text in texts:
            digest = digest_of(text.record)
            if (record := computed.get(text.record.index)) is not None:
                here[digest] = record
                pooled = [] if record.pooler_output is None else [record.pooler_output]
                self.remember(digest, [record.embedding, *pooled, *record.layer_embeddings], record.next_sentence)
            elif digest not in here:
                here[digest] = self._recall(digest, text)
            answers[text.record.index] = replace(here[digest], text=text_info(text))
        return answers

    def remember(self, digest: bytes, vectors: Sequence[FloatArray], next_sentence: float | None) -> None:
        """Know a text by its embedding, pooler_output and layers, as far as they are wanted, if there is room."""
        if digest in self._known or len(self._known) >= self._most_known:
            return
        row = np.concatenate([*vectors, [np.nan if next_sentence is None else next_sentence]]).astype(np.float32)
        self._file.seek(len(self._known) * self._row_bytes)
        self._file.write(row.tobytes())
        self._known[digest] = len(self._known)

    def _recall(self, digest: bytes, text: TokenizedText) -> EncodeRecord:
        self._file.seek(self._known[digest] * self._row_bytes)
        row = np.frombuffer(self._file.read(self._row_bytes), np.float32)
        embedding, *others = row[:-1].reshape(self._parts, self._hidden)
        pooled = others.pop(0) if self._has_pooler else None
        follows = None if np.isnan(row[-1]) else float(row[-1])
        return EncodeRecord(
            text_info(text), embedding, pooler_output=pooled, next_sentence=follows, layer_embeddings=others
        )


def digest_of(text: TextRecord) -> bytes:
    """What stands for a text and its sentence B."""
    parts = text.text if text.pair is None else f"{text.text}\0{text.pair}\0"
    return hashlib.blake2b(parts.encode(), digest_size=16).digest()


def known_from_shards(
    repeats: RepeatedTexts | None, folder: AnyPath, manifest: Manifest, vectors: Sequence[str]
) -> Callable[[TextRecord | FailedText], None]:
    """What is to be told of each text that a shard has, in order, so that its vectors are known as if just computed.

    vectors: the names of their columns.
    """
    if repeats is None:
        return lambda text: None
    rows = _rows(folder, manifest, vectors)

    def replayed(text: TextRecord | FailedText) -> None:
        row = next(rows)
        if isinstance(text, TextRecord) and row[vectors[0]] is not None:
            repeats.remember(digest_of(text), [row[name] for name in vectors], row.get("next_sentence"))

    return replayed


def _rows(folder: AnyPath, manifest: Manifest, vectors: Sequence[str]) -> Iterator[dict[str, Any]]:
    parquet = require("pyarrow.parquet", "parquet", "reading the shards")
    for shard in manifest.shards:
        with parquet.ParquetFile(arrow_source(folder / shard.file)) as file:
            names = [*vectors, *({"next_sentence"} & set(file.schema_arrow.names))]
            for batch in file.iter_batches(1024, columns=names):
                yield from batch.to_pylist()
