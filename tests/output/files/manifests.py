"""A manifest for the tests: what it records about a run."""

from typing import Any

from bertcli.output.files.arrow_file import INT64
from bertcli.results.corpus import Manifest, Shard, ShardLimits

ABOUT: dict[str, Any] = {
    "command": "encode",
    "model": "bundled",
    "revision": None,
    "engine": "numpy",
    "device": "cpu",
    "dtype": "float32",
    "recipe": {"source": "default", "pooling": ["mean"], "normalize": False},
    "model_sha256": "0123456789abcdef" * 4,
    "threads": 1,
    "options": {"pool": "mean", "layers": None, "normalize": False, "batch_tokens": 2048},
}


def shard(number: int, rows: int, skipped: int = 0) -> Shard:
    """Return the entry of a shard."""
    return Shard(f"shard-{number:05}.parquet", rows, skipped, 1000 + number, f"{number:064x}", f"{number + 7:064x}")


def manifest_of(rows: list[int], limits: ShardLimits | None = None, **more: Any) -> Manifest:
    """Return a manifest whose shards have these numbers of rows."""
    shards = tuple(shard(number, count) for number, count in enumerate(rows))
    ids = {"id_type": INT64 if rows else None}
    return Manifest(ABOUT, limits or ShardLimits(max(rows, default=1)), shards, **(ids | more))
