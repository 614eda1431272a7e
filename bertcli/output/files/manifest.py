"""The manifest of a folder of shards: a JSON file, which is checked as a whole when it is read."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from bertcli.choices import EngineName
from bertcli.errors import OutputError
from bertcli.output.files.arrow_file import INT64, STRING
from bertcli.output.files.atomic import atomic_file
from bertcli.results.corpus import Manifest, Shard, ShardLimits
from bertcli.results.precision import Precision
from bertcli.storage import AnyPath

MANIFEST = "manifest.json"
# The version of the format. Increase it if the entries change, or if a run with the same options would write other
# bytes: a version of bertcli resumes a run of another one if the two write the same format.
FORMAT = 2
_LARGEST_NUMBER = (1 << 63) - 1
_MOST_THREADS = 1024
_DIGEST = re.compile("[0-9a-f]{64}")
_DEVICE = re.compile(r"cpu|cuda(:\d{1,3})?|mps")


def shard_name(number: int) -> str:
    """Return the file name of a shard. Shards are numbered from 0."""
    return f"shard-{number:05}.parquet"


def save_manifest(manifest: Manifest, folder: AnyPath) -> None:
    """Write the manifest of a folder. It replaces the earlier one, and is synced to the disk.

    Raises:
        OSError, Unreachable: The file cannot be written.
    """
    limits = manifest.limits
    content = {
        "schema": FORMAT,
        "bertcli": manifest.version,
        **manifest.about,
        "shard_rows": limits.rows,
        "shard_bytes": limits.text_bytes,
        "max_text_bytes": limits.max_text_bytes,
        "id_type": manifest.id_type,
        "complete": manifest.is_complete,
        "rows": manifest.rows,
        "skipped": manifest.skipped,
        **({} if manifest.precision is None else {"precision": asdict(manifest.precision)}),
        "shards": [asdict(shard) for shard in manifest.shards],
    }
    with atomic_file(folder / MANIFEST) as file:
        file.write(json.dumps(content, indent=1).encode() + b"\n")


def load_manifest(folder: AnyPath) -> Manifest | None:
    """Read and check the manifest of a folder. Return None if it has none.

    Raises:
        OutputError: The file is damaged, is not a manifest of bertcli, or has another format.
    """
    path = folder / MANIFEST
    if isinstance(path, Path) and path.exists() and not path.is_file():
        raise OutputError(f"{path} is not a regular file", hint="remove it, or name another folder")
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    try:
        return parse_manifest(content)
    except _BadManifest as error:
        raise OutputError(f"{path} {error}", hint=error.hint) from None


def parse_manifest(content: bytes) -> Manifest:
    """Return the manifest that a file holds.

    Raises:
        _BadManifest: It is damaged, or has another format.
    """
    entries = _parse_json(content)
    if not isinstance(entries, dict) or not _is_count(entries.get("schema")) or not _is_text(entries.get("bertcli")):
        raise _BadManifest("is not a manifest of bertcli", hint="name another folder")
    if entries["schema"] != FORMAT:
        raise _BadManifest(
            f"was written in format {entries['schema']} by bertcli {entries['bertcli']}; this bertcli writes {FORMAT}",
            hint="start over with --force, or name another folder",
        )
    # Only encode has a recipe, and only runs in reduced precision measure it.
    others: Mapping[str, Any] = {"precision": None, **({} if entries.get("command") == "encode" else {"recipe": {}})}
    _check_entries({**others, **entries}, _ENTRIES)
    for number, shard in enumerate(entries["shards"]):
        _check_entries(shard, _SHARD_ENTRIES, f"shards[{number}]")
    shards = tuple(Shard(**shard) for shard in entries["shards"])
    limits = ShardLimits(entries["shard_rows"], entries["shard_bytes"], entries["max_text_bytes"])
    about = {name: entries[name] for name in entries if name in _ABOUT_ENTRIES}
    measured = entries.get("precision")
    precision = None if measured is None else Precision(**measured)
    manifest = Manifest(about, limits, shards, entries["id_type"], entries["complete"], entries["bertcli"], precision)
    _check_consistency(manifest, entries["rows"], entries["skipped"])
    return manifest


class _BadManifest(Exception):
    """A manifest that cannot be used. The message continues the name of the file."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint or "start over with --force, or name another folder"


def _parse_json(content: bytes) -> Any:
    """Return the value of a JSON file. Raise _BadManifest if it is not JSON, or has a key twice."""
    try:
        return json.loads(content.decode(), object_pairs_hook=_unique_pairs)
    except (ValueError, RecursionError):
        raise _BadManifest("is damaged: it is not valid JSON") from None


def _unique_pairs(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError
    return found


def _check_entries(entries: Any, checks: Mapping[str, Callable[[Any], bool]], where: str = "") -> None:
    """Check the keys of an object, and the type and range of each value.

    Args:
        entries: The object.
        checks: The check of each value, by key.
        where: The object's own place in the manifest, for the message.

    Raises:
        _BadManifest: A key is missing or unknown, or a value is wrong.
    """
    prefix = f"{where}." if where else ""
    if not isinstance(entries, dict):
        raise _BadManifest(f"is damaged: {where} is not an object")
    for name in [*checks, *entries]:
        if name not in entries:
            raise _BadManifest(f"is damaged: {prefix}{name} is missing")
        if name not in checks:
            raise _BadManifest(f"is damaged: {prefix}{name} is unknown")
        if not checks[name](entries[name]):
            raise _BadManifest(f"is damaged: {prefix}{name} has a wrong value")


def _check_consistency(manifest: Manifest, rows: int, skipped: int) -> None:
    """Check that the entries of a manifest agree with each other. Raises _BadManifest."""
    about, limits, shards = manifest.about, manifest.limits, manifest.shards
    if (limits.text_bytes is None) != (limits.max_text_bytes is None):
        raise _BadManifest("is damaged: shard_bytes and max_text_bytes do not go together")
    if about["engine"] == EngineName.NUMPY and about["device"] != "cpu":
        raise _BadManifest("is damaged: engine and device do not go together")
    has_wrong_ids = shards and about["options"].get("id_field") is None and manifest.id_type != INT64
    if has_wrong_ids or (manifest.id_type is not None and not shards):
        raise _BadManifest("is damaged: id_type does not fit")
    if (manifest.rows, manifest.skipped) != (rows, skipped):
        raise _BadManifest("is damaged: the rows of the shards do not add up")
    for number, shard in enumerate(shards):
        name, is_last = shard_name(number), number == len(shards) - 1
        if shard.file != name:
            raise _BadManifest(f"is damaged: {name} is missing, or is not in its place")
        # Only the last shard may have fewer rows than --shard-rows. A run without texts has one shard without rows.
        least = 0 if len(shards) == 1 else limits.rows if limits.text_bytes is None and not is_last else 1
        if not least <= shard.rows <= limits.rows or shard.skipped > shard.rows:
            raise _BadManifest(f"is damaged: {name} cannot have {shard.rows} rows, {shard.skipped} of them skipped")
    if manifest.is_complete and not shards:
        raise _BadManifest("is damaged: it is complete, and has no shards")


def _is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value <= _LARGEST_NUMBER


def _is_positive(value: Any) -> bool:
    return _is_count(value) and value > 0


def _is_positive_or_none(value: Any) -> bool:
    return value is None or _is_positive(value)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_text_or_none(value: Any) -> bool:
    return value is None or _is_text(value)


def _is_digest(value: Any) -> bool:
    return isinstance(value, str) and _DIGEST.fullmatch(value) is not None


def _is_engine(value: Any) -> bool:
    return isinstance(value, str) and value in set(EngineName) - {EngineName.AUTO}


def _is_device(value: Any) -> bool:
    return isinstance(value, str) and _DEVICE.fullmatch(value) is not None


def _is_thread_count(value: Any) -> bool:
    return _is_positive(value) and value <= _MOST_THREADS


def _is_id_type(value: Any) -> bool:
    return value in (None, INT64, STRING)


def _is_bool(value: Any) -> bool:
    return isinstance(value, bool)


def _is_object(value: Any) -> bool:
    return isinstance(value, dict)


def _is_list(value: Any) -> bool:
    return isinstance(value, list)


def _are_options(value: Any) -> bool:
    """Return True for an object without further objects in it. The options themselves are compared with the run's."""
    return isinstance(value, dict) and all(each is None or type(each) in (bool, int, str) for each in value.values())


def _is_precision_or_none(value: Any) -> bool:
    names = {each.name for each in fields(Precision)}
    return value is None or (
        isinstance(value, dict) and set(value) == names and all(map(_is_number_or_none, value.values()))
    )


def _is_number_or_none(value: Any) -> bool:
    return value is None or type(value) in (int, float)


# What the rows depend on beside the texts: Manifest.about.
_ABOUT_ENTRIES: Mapping[str, Callable[[Any], bool]] = {
    "command": _is_text,
    "model": _is_text,
    "revision": _is_text_or_none,
    "engine": _is_engine,
    "device": _is_device,
    "dtype": _is_text,
    "recipe": _is_object,
    "model_sha256": _is_digest,
    "threads": _is_thread_count,
    "options": _are_options,
}
_ENTRIES: Mapping[str, Callable[[Any], bool]] = {
    "schema": _is_count,
    "bertcli": _is_text,
    **_ABOUT_ENTRIES,
    "shard_rows": _is_positive,
    "shard_bytes": _is_positive_or_none,
    "max_text_bytes": _is_positive_or_none,
    "id_type": _is_id_type,
    "complete": _is_bool,
    "rows": _is_count,
    "skipped": _is_count,
    "precision": _is_precision_or_none,
    "shards": _is_list,
}
_SHARD_ENTRIES: Mapping[str, Callable[[Any], bool]] = {
    "file": _is_text,
    "rows": _is_count,
    "skipped": _is_count,
    "bytes": _is_count,
    "sha256": _is_digest,
    "input_sha256": _is_digest,
}
