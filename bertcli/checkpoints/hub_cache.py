"""The hub's cache as it lies on disk.

Its layout is documented, and to import huggingface_hub for it would take longer than to answer:

    models--OWNER--NAME/refs/REVISION         a file with the hash of the commit that the branch or tag stood for
    models--OWNER--NAME/snapshots/COMMIT/...  the files of that commit, links to blobs
"""

import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bertcli.checkpoints.names import is_commit, is_repository

DEFAULT_REVISION = "main"
_MODELS = "models--"
_FIRST_DIGITS = re.compile(r"[0-9a-f]{7,39}")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One commit of a model, or as many of its files as have been downloaded. repository: the model's name there."""

    repository: str
    commit: str
    folder: Path


@dataclass(frozen=True, slots=True)
class Download:
    """Files that are about to come into the cache. nbytes: of all of them together. folder: the cache."""

    repository: str
    files: Sequence[str]
    nbytes: int
    folder: Path


# Hears of a download before it begins, and says whether its progress is to be drawn.
OnDownload = Callable[[Download], bool]


def silently(about: Download) -> bool:
    """Say nothing of it, and draw nothing."""
    return False


def cache_folder() -> Path:
    """Where the hub's cache is, by the variables that huggingface_hub heeds, in its order."""
    home = os.environ.get("XDG_CACHE_HOME", "~/.cache")
    home = os.environ.get("HF_HOME", f"{home}/huggingface")
    folder = os.environ.get("HF_HUB_CACHE", os.environ.get("HUGGINGFACE_HUB_CACHE", f"{home}/hub"))
    # Path.expanduser would fail where there is no home.
    return Path(os.path.expandvars(os.path.expanduser(folder)))  # noqa: PTH111


def find_snapshot(repository: str, revision: str | None) -> Snapshot | None:
    """The commit that the revision stands for: a branch or tag as it was when it was last asked for, or a hash.

    None where the cache does not know it. A hash may be cut short as long as it is of one commit alone.
    """
    commit = _read_ref(_folder(repository), revision or DEFAULT_REVISION) or revision or ""
    if is_commit(commit):
        found = [snapshot_of(repository, commit)]
    elif _FIRST_DIGITS.fullmatch(commit):
        found = [snapshot for snapshot in snapshots(repository) if snapshot.commit.startswith(commit)]
    else:
        found = []
    return found[0] if len(found) == 1 and found[0].folder.is_dir() else None


def snapshot_of(repository: str, commit: str) -> Snapshot:
    """Where that commit is, or would be."""
    return Snapshot(repository, commit, _folder(repository) / "snapshots" / commit)


def snapshots(repository: str) -> list[Snapshot]:
    """Every commit of the model that is there."""
    names = sorted(_names(_folder(repository) / "snapshots"))
    return [snapshot_of(repository, name) for name in names if is_commit(name)]


def refs(repository: str) -> dict[str, str]:
    """The branches and tags that are known, with their commits."""
    folder = _folder(repository)
    names = (str(path.relative_to(folder / "refs")) for path in sorted((folder / "refs").rglob("*")))
    return {name: commit for name in names if (commit := _read_ref(folder, name)) is not None}


def cached_repositories() -> Iterator[str]:
    """The names of the models in the cache, in their order."""
    for name in sorted(_names(cache_folder())):
        repository = name.removeprefix(_MODELS).replace("--", "/")
        if name.startswith(_MODELS) and is_repository(repository):
            yield repository


def _folder(repository: str) -> Path:
    return cache_folder() / f"{_MODELS}{repository.replace('/', '--')}"


def _read_ref(folder: Path, revision: str) -> str | None:
    """The commit in the file of that name, unless the name leads elsewhere or the file holds something else."""
    if ".." in Path(revision).parts or Path(revision).is_absolute():
        return None
    with suppress(OSError, ValueError):
        commit = (folder / "refs" / revision).read_text(encoding="ascii").strip()
        return commit if is_commit(commit) else None
    return None


def _names(folder: Path) -> list[str]:
    try:
        return [path.name for path in folder.iterdir()]
    except OSError:  # there is no such folder, or it is not to be read
        return []
