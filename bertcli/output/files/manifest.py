"""What a folder of shards says of itself: who made it, how, and which shards are whole."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self

from bertcli import __version__
from bertcli.errors import OutputError
from bertcli.output.files.atomic import replacing
from bertcli.storage import AnyPath

MANIFEST = "manifest.json"
_SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Shard:
    """A file that is whole. skipped: how many of its rows have no answer. input_sha256: of the texts it is made of."""

    file: str
    rows: int
    skipped: int
    bytes: int
    sha256: str
    input_sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """about: what the rows depend on, beside the texts: model, engine, threads, options. id_type: of the ids, if known.

    shard_rows: of each shard but the last. is_complete: whether the input has come to its end.
    """

    about: Mapping[str, Any]
    shard_rows: int
    shards: tuple[Shard, ...] = field(default=())
    id_type: str | None = None
    is_complete: bool = False

    @property
    def rows(self) -> int:
        """How many rows the shards have."""
        return sum(shard.rows for shard in self.shards)

    @property
    def skipped(self) -> int:
        """How many of them have no answer."""
        return sum(shard.skipped for shard in self.shards)

    def with_shard(self, shard: Shard, id_type: str | None) -> Self:
        """The same with one more."""
        return replace(self, shards=(*self.shards, shard), id_type=id_type)

    def save(self, folder: AnyPath) -> None:
        """Write it; it takes the place of the one before, and has reached the disk when this returns."""
        content = {
            "schema": _SCHEMA,
            "bertcli": __version__,
            **self.about,
            "shard_rows": self.shard_rows,
            "id_type": self.id_type,
            "complete": self.is_complete,
            "rows": self.rows,
            "skipped": self.skipped,
            "shards": [asdict(shard) for shard in self.shards],
        }
        with replacing(folder / MANIFEST) as file:
            file.write(json.dumps(content, ensure_ascii=False, indent=1).encode() + b"\n")


def load_manifest(folder: AnyPath) -> Manifest | None:
    """The folder's, None where it has none. Raises OutputError where it cannot be understood."""
    path = folder / MANIFEST
    try:
        content = json.loads(path.read_bytes())
        shards = tuple(Shard(**shard) for shard in content.pop("shards"))
        written = {name: content.pop(name) for name in ("schema", "bertcli", "rows", "skipped")}
        if written["schema"] != _SCHEMA or written["rows"] != sum(shard.rows for shard in shards):
            raise ValueError
        shard_rows, id_type, is_complete = (content.pop(name) for name in ("shard_rows", "id_type", "complete"))
        return Manifest(content, shard_rows, shards, id_type, is_complete)
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise OutputError(f"{path} is not a manifest of bertcli's", hint="name another folder") from None
