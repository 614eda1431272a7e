"""Vectors that an earlier run has computed, for the texts that come again."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from bertcli.core.repeats import RepeatedTexts, digest_of
from bertcli.extras import require
from bertcli.remote import AnyPath, arrow_source
from bertcli.texts.records import TextRecord, Unanswered
from bertcli.writers.manifest import Manifest


def known_from_shards(
    repeats: RepeatedTexts | None, folder: AnyPath, manifest: Manifest, vectors: Sequence[str]
) -> Callable[[TextRecord | Unanswered], None]:
    """What is to be told of each text that a shard has, in order, so that its vectors are known as if just computed.

    vectors: the names of their columns.
    """
    if repeats is None:
        return lambda text: None
    rows = _rows(folder, manifest, vectors)

    def replayed(text: TextRecord | Unanswered) -> None:
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
