"""Dedupe: a cache on disk of the vectors of earlier texts, found by a hash of the text."""

import hashlib
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from bertcli.analysis.embeddings.encode import EncodeOptions
from bertcli.errors import require
from bertcli.input.records import FailedText, TextRecord
from bertcli.model.text_info import text_info
from bertcli.model.tokenizer import TokenizedText
from bertcli.results.corpus import Manifest
from bertcli.results.embeddings import EncodeRecord
from bertcli.results.texts import FloatArray
from bertcli.storage import AnyPath, arrow_source

# Texts to remember: their hashes take about 200 MB of memory. Texts after that are computed each time.
_MAX_TEXTS = 1 << 20
_SHARD_ROWS_READ = 1024


class DedupeCache:
    """Cache of vectors by text.

    Two texts are equal if both sentences have the same characters. They are compared by 128 bits of BLAKE2b.

    Args:
        folder: Where to put the unnamed file of vectors.
        dimension: Length of an embedding.
        hidden_size: Length of pooler_output.
        options: What is computed for each text.
        max_texts: Number of texts to remember.
    """

    def __init__(
        self, folder: Path, dimension: int, hidden_size: int, options: EncodeOptions, max_texts: int = _MAX_TEXTS
    ) -> None:
        layers = len(options.layers) if options.layer_embeddings else 0
        sizes = [dimension, *([hidden_size] if options.pooler else []), *([dimension] * layers)]
        self._ends = np.cumsum(sizes)
        self._has_pooler, self._max_texts = options.pooler, max_texts
        self._row_bytes = 4 * (sum(sizes) + 1)
        self._rows: dict[bytes, int] = {}
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed in close

    def close(self) -> None:
        """Remove the file."""
        self._file.close()

    def select_new(self, texts: Sequence[TokenizedText]) -> Sequence[TokenizedText]:
        """Return the texts of a group that are neither in the cache nor equal to an earlier text of the group."""
        first: dict[bytes, TokenizedText] = {}
        for text in texts:
            first.setdefault(hash_text(text.record), text)
        return [text for digest, text in first.items() if digest not in self._rows]

    def add_repeated(
        self, texts: Sequence[TokenizedText], computed: dict[int, EncodeRecord]
    ) -> dict[int, EncodeRecord]:
        """Return the records of a group, by index, and put the computed ones into the cache.

        Args:
            texts: The group.
            computed: The records of the texts that select_new returned, by index.
        """
        in_group: dict[bytes, EncodeRecord] = {}
        records: dict[int, EncodeRecord] = {}
        for text in texts:
            digest = hash_text(text.record)
            if (record := computed.get(text.record.index)) is not None:
                in_group[digest] = record
                pooled = [] if record.pooler_output is None else [record.pooler_output]
                self.remember(digest, [record.embedding, *pooled, *record.layer_embeddings], record.next_sentence)
            elif digest not in in_group:
                in_group[digest] = self._recall(digest, text)
            records[text.record.index] = replace(in_group[digest], text=text_info(text))
        return records

    def remember(self, digest: bytes, vectors: Sequence[FloatArray], next_sentence: float | None) -> None:
        """Put a text into the cache, unless it is full.

        Args:
            digest: The hash of the text.
            vectors: Its embedding, then its pooler_output and the embeddings of layers, as far as they are computed.
            next_sentence: Probability that sentence B follows, None without it.
        """
        if digest in self._rows or len(self._rows) >= self._max_texts:
            return
        row = np.concatenate([*vectors, [np.nan if next_sentence is None else next_sentence]]).astype(np.float32)
        self._file.seek(len(self._rows) * self._row_bytes)
        self._file.write(row.tobytes())
        self._rows[digest] = len(self._rows)

    def _recall(self, digest: bytes, text: TokenizedText) -> EncodeRecord:
        self._file.seek(self._rows[digest] * self._row_bytes)
        row = np.frombuffer(self._file.read(self._row_bytes), np.float32)
        embedding, *others = np.split(row[:-1], self._ends[:-1])
        pooled = others.pop(0) if self._has_pooler else None
        follows = None if np.isnan(row[-1]) else float(row[-1])
        return EncodeRecord(
            text_info(text), embedding, pooler_output=pooled, next_sentence=follows, layer_embeddings=others
        )


def hash_text(text: TextRecord) -> bytes:
    """Return a hash of a text and its sentence B."""
    parts = text.text if text.pair is None else f"{text.text}\0{text.pair}\0"
    return hashlib.blake2b(parts.encode(), digest_size=16).digest()


class ShardSeeder:
    """Callback that seeds a cache from finished shards: call it with each text of the shards, in their order.

    Args:
        cache: The cache to fill.
        folder: Where the shards are.
        manifest: The shards.
        vectors: Names of the vector columns, in the order of DedupeCache.remember.
    """

    def __init__(self, cache: DedupeCache, folder: AnyPath, manifest: Manifest, vectors: Sequence[str]) -> None:
        self._cache, self._vectors = cache, vectors
        self._rows = _read_rows(folder, manifest, vectors)

    def __call__(self, text: TextRecord | FailedText) -> None:
        row = next(self._rows)
        if isinstance(text, TextRecord) and row[self._vectors[0]] is not None:
            vectors = [row[name] for name in self._vectors]
            self._cache.remember(hash_text(text), vectors, row.get("next_sentence"))


def _read_rows(folder: AnyPath, manifest: Manifest, vectors: Sequence[str]) -> Iterator[dict[str, Any]]:
    parquet = require("pyarrow.parquet", "reading the shards")
    for shard in manifest.shards:
        with parquet.ParquetFile(arrow_source(folder / shard.file)) as file:
            names = [*vectors, *({"next_sentence"} & set(file.schema_arrow.names))]
            for batch in file.iter_batches(_SHARD_ROWS_READ, columns=names):
                yield from batch.to_pylist()
