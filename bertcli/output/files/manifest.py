"""The file manifest.json in a folder of shards."""

import json
from dataclasses import asdict

from bertcli import __version__
from bertcli.errors import OutputError
from bertcli.output.files.atomic import replacing
from bertcli.results.corpus import Manifest, Shard
from bertcli.storage import AnyPath

MANIFEST = "manifest.json"
_SCHEMA = 1


def save_manifest(manifest: Manifest, folder: AnyPath) -> None:
    """Write the manifest of a folder, replacing the one before. It is on the disk when this returns.

    Raises:
        OSError, Unreachable: The file cannot be written.
    """
    content = {
        "schema": _SCHEMA,
        "bertcli": __version__,
        **manifest.about,
        "shard_rows": manifest.shard_rows,
        "id_type": manifest.id_type,
        "complete": manifest.is_complete,
        "rows": manifest.rows,
        "skipped": manifest.skipped,
        "shards": [asdict(shard) for shard in manifest.shards],
    }
    with replacing(folder / MANIFEST) as file:
        file.write(json.dumps(content, ensure_ascii=False, indent=1).encode() + b"\n")


def load_manifest(folder: AnyPath) -> Manifest | None:
    """Read the manifest of a folder. Return None if it has none.

    Raises:
        OutputError: The file is not a manifest of bertcli.
    """
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
        raise OutputError(f"{path} is not a manifest of bertcli", hint="name another folder") from None
