"""The hub's cache on disk, read without huggingface_hub, whose import takes longer than reading the cache.

Its layout is documented:

    models--OWNER--NAME/refs/REVISION         a file with the commit hash of the branch or tag at the last download
    models--OWNER--NAME/snapshots/COMMIT/...  the files of that commit, links to blobs
"""

import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from bertcli.checkpoints.names import is_commit, is_repository_name
from bertcli.lazy_dataclass import dataclass

DEFAULT_REVISION = "main"
_MODELS = "models--"
_FIRST_DIGITS = r"[0-9a-f]{7,39}"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The downloaded files of one commit of a model. repository: the model's full or original name on the hub."""

    repository: str
    commit: str
    folder: Path


@dataclass(frozen=True, slots=True)
class Download:
    """Files that are about to be downloaded. nbytes: their total size. folder: the hub's cache."""

    repository: str
    files: Sequence[str]
    nbytes: int
    folder: Path


# Called before a download begins. Returns True to show progress bars.
OnDownload = Callable[[Download], bool]


def ignore_download(download: Download) -> bool:
    """Show neither a note nor progress bars."""
    return False


def cache_folder() -> Path:
    """Return the folder of the hub's cache, from the same variables as huggingface_hub, in its order."""
    home = os.environ.get("XDG_CACHE_HOME", "~/.cache")
    home = os.environ.get("HF_HOME", f"{home}/huggingface")
    folder = os.environ.get("HF_HUB_CACHE", os.environ.get("HUGGINGFACE_HUB_CACHE", f"{home}/hub"))
    # Path.expanduser raises if there is no home folder.
    return Path(os.path.expandvars(os.path.expanduser(folder)))  # noqa: PTH111


def find_snapshot(repository: str, revision: str | None) -> Snapshot | None:
    """Find the snapshot of a revision in the cache.

    Args:
        repository: The model's name on the hub.
        revision: A branch or tag, resolved as at its last download; or a commit hash, which may be shortened if it is
            unique. None is the main branch.

    Returns:
        The snapshot; None if it is not in the cache.
    """
    commit = _read_ref(_folder(repository), revision or DEFAULT_REVISION) or revision or ""
    if is_commit(commit):
        found = [snapshot_of(repository, commit)]
    elif re.fullmatch(_FIRST_DIGITS, commit):
        found = [snapshot for snapshot in snapshots(repository) if snapshot.commit.startswith(commit)]
    else:
        found = []
    return found[0] if len(found) == 1 and found[0].folder.is_dir() else None


def snapshot_of(repository: str, commit: str) -> Snapshot:
    """Return the snapshot of a commit, which need not exist."""
    return Snapshot(repository, commit, _folder(repository) / "snapshots" / commit)


def snapshots(repository: str) -> list[Snapshot]:
    """Return all snapshots of a model in the cache."""
    names = sorted(_names(_folder(repository) / "snapshots"))
    return [snapshot_of(repository, name) for name in names if is_commit(name)]


def refs(repository: str) -> dict[str, str]:
    """Return the branches and tags of a model in the cache, with their commits."""
    folder = _folder(repository)
    names = (str(path.relative_to(folder / "refs")) for path in sorted((folder / "refs").rglob("*")))
    return {name: commit for name in names if (commit := _read_ref(folder, name)) is not None}


def cached_repositories() -> Iterator[str]:
    """Yield the names of the models in the cache, sorted."""
    for name in sorted(_names(cache_folder())):
        repository = name.removeprefix(_MODELS).replace("--", "/")
        if name.startswith(_MODELS) and is_repository_name(repository):
            yield repository


def _folder(repository: str) -> Path:
    return cache_folder() / f"{_MODELS}{repository.replace('/', '--')}"


def _read_ref(folder: Path, revision: str) -> str | None:
    """Return the commit in a ref's file. None if there is none, or if the name points outside the folder."""
    if ".." in Path(revision).parts or Path(revision).is_absolute():
        return None
    with suppress(OSError, ValueError):
        commit = (folder / "refs" / revision).read_text(encoding="ascii").strip()
        return commit if is_commit(commit) else None
    return None


def _names(folder: Path) -> list[str]:
    try:
        return [path.name for path in folder.iterdir()]
    except OSError:  # missing or not readable
        return []
