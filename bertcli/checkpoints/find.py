"""From what the user calls a model to the folder that holds it."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from bertcli.checkpoints import hub_cache as cache
from bertcli.checkpoints.files import WORDS, Files, missing_files
from bertcli.checkpoints.headers import TensorInfo
from bertcli.checkpoints.hub_cache import OnDownload, Snapshot, silently
from bertcli.checkpoints.names import is_repository, repositories, repository, shortest
from bertcli.checkpoints.weight_files import find_weight_files
from bertcli.errors import BertcliError, CheckpointNotFound, HubFailed, WrongUsage

BUNDLED = "bundled"
BUNDLED_FOLDER = Path(__file__).parent.parent / "bundled"
# As huggingface_hub reads HF_HUB_OFFLINE.
_TRUE = ("1", "ON", "YES", "TRUE")
# As many of a commit's hash are enough to tell it by, and to ask for it.
_DIGITS = 8


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A folder with a config, weights and a tokenizer. name: what the user called it. revision: a resolved commit."""

    name: str
    folder: Path
    revision: str | None = None


@dataclass(frozen=True, slots=True)
class StoredTensors:
    """What the header of a checkpoint's weights tells. name, revision: as a Checkpoint has them."""

    name: str
    revision: str | None
    infos: Sequence[TensorInfo]


@dataclass(frozen=True, slots=True)
class Installed:
    """A checkpoint that needs no network. refs: the branches and tags that stand for its revision."""

    checkpoint: Checkpoint
    refs: tuple[str, ...] = ()


def find_checkpoint(
    model: str | None,
    *,
    revision: str | None = None,
    offline: bool = False,
    needs: Files = Files.ALL,
    on_download: OnDownload = silently,
) -> Checkpoint:
    """The checkpoint called `model`, from the hub where it is not here; None is the bundled one.

    revision: a branch, tag or commit on the hub; None is its main branch. offline: never ask the hub. needs: what has
    to be there, or is to be downloaded. on_download: hears of a download before it begins, and says whether to draw
    bars. Raises CheckpointNotFound, HubFailed, BadCheckpoint, WrongUsage.
    """
    here = find_here(model, revision, needs)
    if here is not None:
        return here
    name = str(model)
    _check_may_be_asked_for(name, revision, needs, offline)
    from bertcli.checkpoints.hub import download

    with _guessing(name):
        snapshot = download(repository(name), revision, needs, on_download)
    return Checkpoint(name, snapshot.folder, snapshot.commit)


def find_tensors(
    model: str | None,
    *,
    revision: str | None = None,
    offline: bool = False,
    on_download: OnDownload = silently,
) -> StoredTensors:
    """The tensors of the checkpoint called `model`, from its header: of one on the hub nothing else is downloaded.

    A pickle has no header, and is. Takes and raises what find_checkpoint does.
    """
    here = find_here(model, revision, Files.WEIGHTS)
    if here is None:
        name = str(model)
        _check_may_be_asked_for(name, revision, Files.WEIGHTS, offline)
        from bertcli.checkpoints.hub import read_headers

        with _guessing(name):
            found = read_headers(repository(name), revision)
        if found is not None:
            return StoredTensors(name, *found)
        here = find_checkpoint(model, revision=revision, offline=offline, needs=Files.WEIGHTS, on_download=on_download)
    return StoredTensors(here.name, here.revision, find_weight_files(here.folder).infos)


def find_here(model: str | None, revision: str | None, needs: Files) -> Checkpoint | None:
    """The same without the hub: an existing folder, the bundled model, or what is in the hub's cache.

    Whatever else is called so, an existing folder wins. A snapshot without a part that is needed counts as not there.
    """
    name = BUNDLED if model is None else model
    folder = Path(name)
    with suppress(RuntimeError):  # ~somebody who is not known here
        folder = folder.expanduser()
    if model is not None and folder.is_dir():
        return Checkpoint(name, _without_revision(folder, revision, "a folder"))
    if name == BUNDLED:
        return Checkpoint(BUNDLED, _without_revision(BUNDLED_FOLDER, revision, "the bundled model"))
    for snapshot in _cached(name, revision):
        if not missing_files(snapshot.folder, needs):
            return Checkpoint(name, snapshot.folder, snapshot.commit)
    return None


def known_models() -> list[str]:
    """The names that -m takes without a folder or a network: what is here, and the published ones."""
    from bertcli.checkpoints.published import published_names

    here = (each.checkpoint.name for each in installed() if _is_found_by_name(each))
    return list(dict.fromkeys([*here, *published_names()]))


def _is_found_by_name(here: Installed) -> bool:
    """Whether it is a model of a family that is known, and the name alone leads to it."""
    from bertcli.checkpoints.config import read_config

    try:
        read_config(here.checkpoint.folder)
    except (BertcliError, OSError):
        return False
    return here.checkpoint.revision is None or cache.DEFAULT_REVISION in here.refs


def installed() -> Iterator[Installed]:
    """The bundled model and every snapshot in the hub's cache, whether or not it can be opened.

    Each is called what -m takes, with one of its refs or its commit as --revision.
    """
    yield Installed(Checkpoint(BUNDLED, BUNDLED_FOLDER))
    for name in cache.cached_repositories():
        refs = cache.refs(name)
        for snapshot in cache.snapshots(name):
            own_refs = tuple(ref for ref, commit in refs.items() if commit == snapshot.commit)
            # Under its first name a model may be cached once more, and then that leads there.
            leads_here = all(_cached(shortest(name), each)[:1] == [snapshot] for each in (snapshot.commit, *own_refs))
            checkpoint = Checkpoint(shortest(name) if leads_here else name, snapshot.folder, snapshot.commit)
            yield Installed(checkpoint, own_refs)


def _cached(name: str, revision: str | None) -> list[Snapshot]:
    """What the cache has of that revision, under any name of the model."""
    if not is_repository(name):
        return []
    found = (cache.find_snapshot(each, revision) for each in repositories(name))
    return [snapshot for snapshot in found if snapshot is not None]


def _without_revision(folder: Path, revision: str | None, what: str) -> Path:
    if revision is not None:
        raise WrongUsage(
            f"--revision {revision} is for models from the hub, and {folder} is {what}",
            hint="leave --revision out, or name the model as the hub does: OWNER/NAME",
        )
    return folder


def _why_offline(offline: bool) -> str:
    """Why the hub is not to be asked; empty where it may be."""
    if offline:
        return "--offline or BERTCLI_OFFLINE keeps bertcli from the network"
    name = "HF_HUB_OFFLINE" if os.environ.get("HF_HUB_OFFLINE") else "TRANSFORMERS_OFFLINE"
    return f"{name} is set" if os.environ.get(name, "").upper() in _TRUE else ""


def _where_it_is_not(name: str, revision: str | None, needs: Files) -> str:
    cached = f"the hub's cache ({cache.cache_folder()})"
    for snapshot in _cached(name, revision):
        lacking = " and ".join(f"its {WORDS[part]}" for part in missing_files(snapshot.folder, needs))
        return f"{name!r} is in {cached} without {lacking}"
    here = _revisions_here(name)
    if revision is None and not here:
        return f"no model called {name!r}: it is no folder here, it is not in {cached}"
    others = f", which has {', '.join(here)} of it (--revision)" if here else ""
    return f"revision {revision or cache.DEFAULT_REVISION!r} of {name!r} is not in {cached}{others}"


def _revisions_here(name: str) -> list[str]:
    """What of a model the cache has, by branches and tags, and by commits that none of them leads to."""
    found: list[str] = []
    for each in repositories(name):
        refs = cache.refs(each)
        here = {snapshot.commit for snapshot in cache.snapshots(each)}
        found += [ref for ref, commit in refs.items() if commit in here]
        found += [commit[:_DIGITS] for commit in sorted(here - set(refs.values()))]
    return found


def _check_may_be_asked_for(name: str, revision: str | None, needs: Files, offline: bool) -> None:
    """Raise what is wrong unless the name is one for the hub, and the hub is there to be asked."""
    _check_is_for_the_hub(name)
    if refusal := _why_offline(offline):
        raise CheckpointNotFound(
            f"{_where_it_is_not(name, revision, needs)}, and {refusal}",
            hint=f"{_guess(name)}use -m bundled, give a folder, or let it be downloaded once",
        )
    from bertcli.checkpoints.connectivity import endpoint, shown_endpoint, why_unreachable

    if failure := why_unreachable(endpoint()):
        raise HubFailed(
            f"{_where_it_is_not(name, revision, needs)}, and {shown_endpoint()} cannot be reached ({failure})",
            hint=f"{_guess(name)}use -m bundled or give a folder, which need no network",
        )


@contextmanager
def _guessing(name: str) -> Iterator[None]:
    """Let the hint for a model that the hub does not have begin with a name that is nearly the same."""
    try:
        yield
    except CheckpointNotFound as error:
        error.hint = _guess(name) + error.hint
        raise


def _check_is_for_the_hub(name: str) -> None:
    """Raise CheckpointNotFound for what can only have been meant as a path."""
    path = Path(name)
    if path.is_file():
        raise CheckpointNotFound(
            f"{name} is a file, not a checkpoint folder",
            hint=f"name the folder that holds config.json: -m {path.parent}",
        )
    if "://" in name:
        raise CheckpointNotFound(
            f"{name} is an address, not a name", hint="give the name alone, such as google-bert/bert-base-uncased"
        )
    if not is_repository(name):
        raise CheckpointNotFound(
            f"there is no folder {name!r}, and no model on the hub can be called so",
            hint="give a folder with config.json, weights and a tokenizer, a name such as OWNER/NAME, or -m bundled",
        )


def _guess(name: str) -> str:
    """The known model whose name is nearest, as the beginning of a hint."""
    from difflib import get_close_matches

    nearest = get_close_matches(name, known_models(), n=1, cutoff=0.8)
    return f"did you mean {nearest[0]}? otherwise " if nearest and nearest[0] != name else ""
