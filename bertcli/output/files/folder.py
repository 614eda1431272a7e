"""The folder that a run writes its shards to: a new one, or one that the run goes on with."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from bertcli.errors import BertcliError, OutputError
from bertcli.output.files.atomic import check_parent
from bertcli.output.files.manifest import MANIFEST, Manifest, load_manifest
from bertcli.output.files.shards import check_shards, is_in_use, remove_parts, remove_shards
from bertcli.storage import AnyPath


def find_begun(folder: AnyPath, *, resume: bool, force: bool) -> Manifest | None:
    """The manifest of the run that is to be gone on with, None where there is nothing yet.

    Raises OutputError where the folder cannot be written to, or holds what is neither to be gone on with nor replaced.
    """
    check_parent(folder)
    if folder.is_file():
        # Of an object store it may be a folder too, which would look as if nothing were in it.
        raise OutputError(f"{folder} is a file", hint="remove it, or name another folder")
    if not folder.is_dir():
        return None
    manifest = load_manifest(folder) if resume or not force else None
    if resume and manifest is not None:
        return manifest
    if manifest is not None:
        raise OutputError(
            f"{folder}/ holds the shards of a run {'that is done' if manifest.is_complete else 'that broke off'}",
            hint="go on with it with --resume, replace it with --force, or name another folder",
        )
    if is_in_use(folder) and not force:
        raise OutputError(
            f"{folder}/ is there already, and no run of bertcli's is in it",
            hint=f"name another folder; --force writes shards and {MANIFEST} beside what is there",
        )
    return None


def prepare(folder: AnyPath, begun: Manifest | None) -> None:
    """Make the folder, and remove from it what is not to stay. Raises OSError, OutputError."""
    if begun is None:
        folder.mkdir(exist_ok=True)
        remove_shards(folder)
    else:
        check_shards(folder, begun)
        remove_parts(folder, begun)


def remove_empty(folder: AnyPath) -> None:
    """Remove a folder that a run has made and left nothing in, if that can be done."""
    with suppress(BertcliError, OSError):  # what there is to say has been said
        if not any(folder.iterdir()):
            folder.rmdir()


def check_same_run(folder: AnyPath, begun: Manifest, now: Mapping[str, Any], shard_rows: int) -> None:
    """Raise OutputError for a run that would not write what the one before it has."""
    earlier = flat({**begun.about, "shard_rows": begun.shard_rows})
    later = flat({**now, "shard_rows": shard_rows})
    for name in dict.fromkeys([*earlier, *later]):
        if earlier.get(name) != later.get(name):
            raise OutputError(
                f"{folder}/ was begun with another {name.replace('_', ' ')}: "
                f"{_shown(earlier.get(name))}, where this run has {_shown(later.get(name))}",
                hint="give the same model and options, or begin anew with --force",
            )


def flat(about: Mapping[str, Any]) -> dict[str, Any]:
    """What a manifest tells, its options beside the rest."""
    return {**{name: value for name, value in about.items() if name != "options"}, **about.get("options", {})}


def _shown(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "none", True: "yes", False: "no"}[value]
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)
