"""Search for checkpoints: by the name that the user gives, and all of those on this machine."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from bertcli.checkpoints import hub_cache as cache
from bertcli.checkpoints.config import ModelConfig, read_config
from bertcli.checkpoints.hub_cache import OnDownload, Snapshot, ignore_download
from bertcli.checkpoints.modules import find_transformer_folder
from bertcli.checkpoints.names import (
    cached_names,
    is_published,
    is_repository_name,
    published_names,
    repository_name,
    shortest_name,
)
from bertcli.checkpoints.required_files import PART_NAMES, Files, missing_files
from bertcli.checkpoints.safetensors import TensorInfo
from bertcli.checkpoints.weight_files import FLOATS, find_weight_files
from bertcli.choices import RecipeSource
from bertcli.errors import BadCheckpoint, BertcliError, CheckpointNotFound, HubFailed, WrongUsage
from bertcli.lazy_dataclass import dataclass
from bertcli.quoting import printable_name, shell_quoted

if TYPE_CHECKING:
    from bertcli.results.models import KnownModel
    from bertcli.results.recipe import Recipe

BUNDLED = "bundled"
BUNDLED_FOLDER = Path(__file__).parent.parent / "bundled"
# Values of HF_HUB_OFFLINE and TRANSFORMERS_OFFLINE that mean true.
_TRUE = ("1", "ON", "YES", "TRUE")
# Messages shorten a commit's hash to this many digits, which --revision accepts.
_DIGITS = 8
# Most names to suggest for the beginning of a name.
_SUGGESTIONS = 3


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A folder with a config, weights and a tokenizer.

    Attributes:
        name: The name that the user gives.
        folder: The folder of the config, the weights and the tokenizer.
        revision: The hash of the commit on the hub; None for a local folder and the bundled model.
        parent: The folder that holds `folder` and modules.json, None if that is `folder` itself.
    """

    name: str
    folder: Path
    revision: str | None = None
    parent: Path | None = None

    @property
    def whole_folder(self) -> Path:
        """The folder of all files of the checkpoint, those of its modules included."""
        return self.parent or self.folder


@dataclass(frozen=True, slots=True)
class StoredTensors:
    """The tensors in the headers of a checkpoint's weights. name and revision are those of its Checkpoint."""

    name: str
    revision: str | None
    infos: Sequence[TensorInfo]


@dataclass(frozen=True, slots=True)
class Installed:
    """A checkpoint on this machine. refs are the branches and tags of its commit."""

    checkpoint: Checkpoint
    refs: tuple[str, ...] = ()


def find_checkpoint(
    model: str | None,
    *,
    revision: str | None = None,
    offline: bool = False,
    needs: Files = Files.ALL,
    on_download: OnDownload = ignore_download,
    token: str | None = None,
) -> Checkpoint:
    """Find a checkpoint, and download it from the hub if it is not available locally.

    Args:
        model: A folder or a name on the hub; None is the bundled model.
        revision: A branch, tag or commit on the hub; None is the main branch.
        offline: Never use the network.
        needs: The parts that must be available, and are downloaded if they are not.
        on_download: Called before a download begins; returns True to show progress bars.
        token: Access token for the hub; None for the one that huggingface_hub finds.

    Raises:
        CheckpointNotFound: There is no such model or revision.
        HubFailed: The hub cannot be reached, or the download fails.
        BadCheckpoint: The model lacks a needed part.
        WrongUsage: A revision is given for a local model.
    """
    local = find_local(model, revision, needs)
    if local is not None:
        return local
    name = str(model)
    _check_hub_is_usable(name, revision, needs, offline)
    from bertcli.checkpoints.hub import download

    with _suggesting_similar_name(name):
        snapshot = download(repository_name(name), revision, needs, on_download, token)
    return _checkpoint(name, snapshot.folder, snapshot.commit)


def find_tensors(
    model: str | None,
    *,
    revision: str | None = None,
    offline: bool = False,
    on_download: OnDownload = ignore_download,
    token: str | None = None,
) -> StoredTensors:
    """List the tensors of a checkpoint from the headers of its weights.

    For a model on the hub only the headers are downloaded. Pickled weights have no header and are downloaded whole.
    Arguments and exceptions are those of find_checkpoint.
    """
    local = find_local(model, revision, Files.WEIGHTS)
    if local is None:
        name = str(model)
        _check_hub_is_usable(name, revision, Files.WEIGHTS, offline)
        from bertcli.checkpoints.hub import read_headers

        with _suggesting_similar_name(name):
            found = read_headers(repository_name(name), revision, token)
        if found is not None:
            return StoredTensors(name, *found)
        local = find_checkpoint(
            model,
            revision=revision,
            offline=offline,
            needs=Files.WEIGHTS,
            on_download=on_download,
            token=token,
        )
    return StoredTensors(local.name, local.revision, find_weight_files(local.folder).infos)


def find_local(model: str | None, revision: str | None, needs: Files) -> Checkpoint | None:
    """Find a checkpoint without the hub: an existing folder, the bundled model, or a model in the hub's cache.

    An existing folder comes before any other model of the same name.

    Args:
        model: As for find_checkpoint.
        revision: As for find_checkpoint.
        needs: The needed parts. A cached model without one of them is not found.

    Raises:
        WrongUsage: A revision is given for a folder or the bundled model.
    """
    name = BUNDLED if model is None else model
    folder = Path(name)
    with suppress(RuntimeError):  # ~user, with no such user
        folder = folder.expanduser()
    if model is not None and folder.is_dir():
        return _checkpoint(printable_name(name), _without_revision(folder, revision, f"the folder {folder}"))
    if name == BUNDLED:
        return Checkpoint(BUNDLED, _without_revision(BUNDLED_FOLDER, revision, "the bundled model"))
    for snapshot in _cached(name, revision):
        if not missing_files(snapshot.folder, needs):
            return _checkpoint(name, snapshot.folder, snapshot.commit)
    return None


def _checkpoint(name: str, folder: Path, revision: str | None = None) -> Checkpoint:
    """Return a checkpoint. modules.json may put its config, weights and tokenizer into a folder in the folder."""
    inner = find_transformer_folder(folder)
    return Checkpoint(name, inner, revision, None if inner == folder else folder)


def installed_checkpoints() -> Iterator[Installed]:
    """Yield the bundled model and every snapshot in the hub's cache, even those that cannot be opened.

    Each name works for -m, together with one of the refs or the commit as --revision.
    """
    yield Installed(Checkpoint(BUNDLED, BUNDLED_FOLDER))
    for name in cache.cached_repositories():
        refs = cache.refs(name)
        for snapshot in cache.snapshots(name):
            own_refs = tuple(ref for ref, commit in refs.items() if commit == snapshot.commit)
            # A model may also be cached under its short name. That name then finds the other copy.
            short = shortest_name(name)
            finds_this = all(_cached(short, each)[:1] == [snapshot] for each in (snapshot.commit, *own_refs))
            checkpoint = _checkpoint(short if finds_this else name, snapshot.folder, snapshot.commit)
            yield Installed(checkpoint, own_refs)


def describe_model(installed: Installed) -> "KnownModel":
    """Describe an installed checkpoint: its family, sizes and parts.

    Raises:
        BadCheckpoint, UnsupportedModel: The checkpoint cannot be opened.
    """
    checkpoint = installed.checkpoint
    config = read_config(checkpoint.folder)
    if missing := missing_files(checkpoint.whole_folder, Files.ALL):
        raise BadCheckpoint(
            f"{checkpoint.name} has been downloaded without its {PART_NAMES[missing[0]]}",
            hint=f"a command with -m {checkpoint.name} downloads the rest",
        )
    weight_files = find_weight_files(checkpoint.folder, config.architecture)
    parameters = has_pooler = has_mlm_head = None
    if not weight_files.is_pickled:
        weight_files.check_fits(config)
        parts = weight_files.optional_parts(config)
        has_pooler, has_mlm_head = parts.has_pooler, parts.has_mlm_head
        parameters = sum(info.parameters for info in weight_files.infos if info.dtype in FLOATS)
    recipe, recipe_error = _describe_recipe(checkpoint, config)
    from bertcli.results.models import KnownModel  # here, since only `bertcli models` needs it

    return KnownModel(
        model=checkpoint.name,
        revision=checkpoint.revision,
        refs=installed.refs,
        family=config.model_type,
        num_hidden_layers=config.num_hidden_layers,
        hidden_size=config.hidden_size,
        num_attention_heads=config.num_attention_heads,
        parameters=parameters,
        nbytes=_size(checkpoint.whole_folder),
        has_pooler=has_pooler,
        has_mlm_head=has_mlm_head,
        recipe=recipe,
        recipe_error=recipe_error,
    )


def _describe_recipe(checkpoint: Checkpoint, config: ModelConfig) -> "tuple[Recipe | None, str | None]":
    """Return the recipe that a checkpoint declares, or the reason why it cannot be used."""
    from bertcli.checkpoints.recipe import read_recipe
    from bertcli.checkpoints.sentence_settings import read_prompts, token_limit

    try:
        declared = read_recipe(checkpoint.whole_folder)
        if declared is None:
            return None, None
        limit = token_limit(checkpoint.whole_folder, checkpoint.folder, config)
        prompts = read_prompts(checkpoint.whole_folder)
    except BertcliError as error:
        return None, error.message
    prompt = None if prompts.default is None else prompts.texts[prompts.default]
    return declared.describe(config, RecipeSource.CHECKPOINT, limit, prompt or None, prompts.similarity), None


def model_names() -> list[str]:
    """Return the names to suggest for -m: the bundled and cached models, and Google's published ones."""
    local = (each.checkpoint.name for each in installed_checkpoints() if _is_usable_by_name(each))
    return list(dict.fromkeys([*local, *published_names()]))


def _is_usable_by_name(installed: Installed) -> bool:
    """Return True if bertcli supports the model, and finds it by its name without a --revision."""
    try:
        read_config(installed.checkpoint.folder)
    except (BertcliError, OSError):
        return False
    return installed.checkpoint.revision is None or cache.DEFAULT_REVISION in installed.refs


def _size(folder: Path) -> int:
    """Return the size of all files in bytes. Links are followed: snapshots in the hub's cache consist of links."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _cached(name: str, revision: str | None) -> list[Snapshot]:
    """Return the snapshots of a revision in the cache, under any name of the model."""
    if not is_repository_name(name):
        return []
    found = (cache.find_snapshot(each, revision) for each in cached_names(name))
    return [snapshot for snapshot in found if snapshot is not None]


def _cached_revisions(name: str) -> list[str]:
    """Return the revisions of a model in the cache: its branches and tags, and commits that have neither."""
    found: list[str] = []
    for each in cached_names(name):
        refs = cache.refs(each)
        commits = {snapshot.commit for snapshot in cache.snapshots(each)}
        found += [ref for ref, commit in refs.items() if commit in commits]
        found += [commit[:_DIGITS] for commit in sorted(commits - set(refs.values()))]
    return found


def _without_revision(folder: Path, revision: str | None, noun: str) -> Path:
    if revision is not None:
        raise WrongUsage(
            f"--revision {revision} is for models from the hub, not for {noun}",
            hint="leave --revision out, or give the model's name on the hub: OWNER/NAME",
        )
    return folder


def _check_hub_is_usable(name: str, revision: str | None, needs: Files, offline: bool) -> None:
    """Raise an error if the name cannot be on the hub, or if the hub may not be used or cannot be reached."""
    _check_is_hub_name(name)
    if refusal := why_offline(offline):
        raise CheckpointNotFound(
            f"{_why_not_local(name, revision, needs)}, and {refusal}",
            hint=f"{_suggestion(name)}use -m bundled, give a folder, or run once with the network to download it",
        )
    from bertcli.checkpoints.connectivity import endpoint, shown_endpoint, why_unreachable

    if failure := why_unreachable(endpoint()):
        raise HubFailed(
            f"{_why_not_local(name, revision, needs)}, and {shown_endpoint()} cannot be reached ({failure})",
            hint=f"{_suggestion(name)}use -m bundled or give a folder, which need no network",
        )


def _check_is_hub_name(name: str) -> None:
    """Raise CheckpointNotFound for a value that can only be a path or an address."""
    path = Path(name)
    if path.is_file():
        raise CheckpointNotFound(
            f"{name} is a file, not a checkpoint folder",
            hint=f"give the folder that holds config.json: -m {shell_quoted(path.parent)}",
        )
    if "://" in name:
        raise CheckpointNotFound(
            f"{name} is an address, not a name", hint="give the name alone, such as google-bert/bert-base-uncased"
        )
    if not is_repository_name(name):
        raise CheckpointNotFound(
            f"there is no folder '{name}', and that is not a valid model name",
            hint="give a folder with config.json, weights and a tokenizer, a name such as OWNER/NAME, or -m bundled",
        )


def why_offline(offline: bool) -> str:
    """Return the reason not to use the network, or an empty string."""
    if offline:
        return "--offline or BERTCLI_OFFLINE forbids the network"
    name = "HF_HUB_OFFLINE" if os.environ.get("HF_HUB_OFFLINE") else "TRANSFORMERS_OFFLINE"
    return f"{name} is set" if os.environ.get(name, "").upper() in _TRUE else ""


def _why_not_local(name: str, revision: str | None, needs: Files) -> str:
    cached = f"the hub's cache ({cache.cache_folder()})"
    for snapshot in _cached(name, revision):
        lacking = " and ".join(f"its {PART_NAMES[part]}" for part in missing_files(snapshot.folder, needs))
        return f"'{name}' is in {cached} without {lacking}"
    available = _cached_revisions(name)
    if revision is None and not available:
        return f"no model '{name}': there is no such folder, and it is not in {cached}"
    others = f", which has the revisions {', '.join(available)} (--revision)" if available else ""
    return f"revision {revision or cache.DEFAULT_REVISION!r} of '{name}' is not in {cached}{others}"


@contextmanager
def _suggesting_similar_name(name: str) -> Iterator[None]:
    """Add a similar model name to the hint if the hub does not have the model."""
    try:
        yield
    except CheckpointNotFound as error:
        error.hint = _suggestion(name) + error.hint
        raise


def _suggestion(name: str) -> str:
    """Return the beginning of a hint that names similar known models, or an empty string."""
    from difflib import get_close_matches

    if is_published(name):
        return ""
    known = {each.lower(): each for each in reversed(model_names())}
    wanted = name.lower()
    nearest = [each for each in reversed(known) if each.startswith(f"{wanted}-")][:_SUGGESTIONS]
    nearest = nearest or get_close_matches(wanted, known, n=1, cutoff=0.8)
    similar = [known[each] for each in nearest if known[each] != name]
    return f"did you mean {' or '.join(similar)}? otherwise " if similar else ""
