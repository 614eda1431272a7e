"""The folder of shards that a run writes: a new one, or one that a resumed run continues."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from bertcli.errors import BertcliError, OutputError
from bertcli.output.files.atomic import check_parent
from bertcli.output.files.lock import FolderLock, lock_folder
from bertcli.output.files.manifest import MANIFEST, load_manifest, save_manifest
from bertcli.output.files.shards import check_shards, has_content, remove_leftovers, remove_shards
from bertcli.results.corpus import Manifest, ShardLimits
from bertcli.storage import AnyPath

# Options whose names in a manifest differ from those on the command line.
_OPTION_NAMES = {"pool": "pooling", "keep_text": "keep-text"}
# What a manifest records beside options, as a message names a difference.
_NOT_OPTIONS = {
    "model_sha256": "other files of the model",
    "recipe": "another recipe",
    "compare_sha256": "other files of the model of --compare",
    "targets_sha256": "other words in the file of --targets",
    "lens_sha256": "another file of --lens-file",
}


@contextmanager
def open_folder(folder: AnyPath, on_note: Callable[[str], None]) -> Iterator[FolderLock]:
    """Create and lock the folder while the context is open. At the end, remove what a run without any shard left.

    Args:
        folder: The folder.
        on_note: Called when the lock of a run that is gone is taken over.

    Raises:
        OutputError: Another run writes into the folder, or there can be no such folder.
        OSError, Unreachable: The folder cannot be created or written.
    """
    check_parent(folder)
    if folder.is_file():
        # In an object store it may be a folder too, which would look empty.
        raise OutputError(f"{folder} is a file", hint="remove it, or name another folder")
    is_new = not folder.exists()
    try:
        with lock_folder(folder, on_note) as lock:
            try:
                yield lock
            finally:
                with suppress(BertcliError, OSError):
                    if _has_no_shard(load_manifest(folder)):
                        remove_shards(folder)  # the first one may be there, but not in the manifest yet
    finally:
        if is_new:
            with suppress(BertcliError, OSError):  # it is not empty, or an earlier error is being reported already
                folder.rmdir()


def find_started_run(folder: AnyPath, *, resume: bool, force: bool) -> Manifest | None:
    """Return the manifest of the run to resume, None for a new run.

    Raises:
        OutputError: The folder holds something that is neither to be resumed nor replaced.
    """
    manifest = load_manifest(folder) if resume or not force else None
    if resume and manifest is not None:
        return manifest
    if _has_no_shard(manifest):
        return None
    if manifest is not None:
        if manifest.is_complete:
            raise OutputError(
                f"{folder}/ holds the shards of a complete run", hint="start over with --force, or name another folder"
            )
        raise OutputError(
            f"{folder}/ holds the shards of an interrupted run",
            hint="continue with --resume, start over with --force, or name another folder",
        )
    if has_content(folder) and not force:
        raise OutputError(
            f"{folder}/ already exists and is not empty",
            hint=f"name another folder; --force writes shards and {MANIFEST} beside what it holds",
        )
    return None


def prepare_folder(folder: AnyPath, manifest: Manifest) -> None:
    """Remove what an earlier run left in a folder that this run has locked, and save the manifest of this run.

    The manifest is there before the first shard, so that --resume recognizes what a killed run left.

    Args:
        folder: The folder.
        manifest: The manifest of the run to resume, whose shards stay, or that of a new run, without shards.

    Raises:
        OutputError: A shard is missing or damaged.
    """
    if manifest.shards:
        check_shards(folder, manifest)
        remove_leftovers(folder, manifest)
    else:
        remove_shards(folder)
        save_manifest(manifest, folder)


def check_same_run(folder: AnyPath, started: Manifest, about: Mapping[str, Any], limits: ShardLimits) -> None:
    """Check that a resumed run would write what the run it continues has written.

    Args:
        folder: The folder, for the message.
        started: The manifest of the run to resume.
        about: What the rows of this run depend on, as in Manifest.
        limits: Size of the shards of this run.

    Raises:
        OutputError: They differ.
    """
    earlier = _flatten({**started.about, "shard_rows": started.limits.requested_rows})
    later = _flatten({**about, "shard_rows": limits.requested_rows})
    if earlier["command"] != later["command"]:
        raise OutputError(
            f"{folder}/ was started by {earlier['command']}, not {later['command']}",
            hint="name another folder, or start over with --force",
        )
    if set(earlier) != set(later):
        names = ", ".join(sorted(set(earlier) ^ set(later)))
        raise OutputError(
            f"{folder / MANIFEST} has other entries than this run: {names}",
            hint="resume with the version of bertcli that it names, or start over with --force",
        )
    for name in earlier:
        # As JSON: 1, 1.0 and True are equal in Python.
        if json.dumps(earlier[name]) != json.dumps(later[name]):
            raise OutputError(
                f"{folder}/ was started {_difference(name, earlier[name], later[name])}",
                hint="give the same model and options, or start over with --force",
            )


def _has_no_shard(manifest: Manifest | None) -> bool:
    return manifest is not None and not manifest.shards and not manifest.is_complete


def _flatten(about: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a manifest records, with the options beside the rest. The recipe, which depends on them, is last."""
    others = {name: value for name, value in about.items() if name not in ("options", "recipe")}
    return {**others, **about.get("options", {}), **{name: about[name] for name in ("recipe",) if name in about}}


def _difference(name: str, earlier: Any, later: Any) -> str:
    """Describe how the first run differs from this one in an option or a property."""
    if name in _NOT_OPTIONS:
        return f"with {_NOT_OPTIONS[name]}"
    option = f"--{_OPTION_NAMES.get(name, name.replace('_', '-'))}"
    if isinstance(earlier, bool) or isinstance(later, bool):
        return f"with {option}" if earlier else f"without {option}"
    if earlier is None:
        return f"without {option}"
    return f"with {option} {earlier}" if later is None else f"with {option} {earlier}, not {later}"
