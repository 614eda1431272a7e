"""The hub itself: the one room that imports huggingface_hub, and that only to download."""

import errno
import os
import shutil
import warnings
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from bertcli import __version__
from bertcli.checkpoints.connectivity import endpoint, shown_endpoint
from bertcli.checkpoints.files import WORDS, Files, files_of
from bertcli.checkpoints.headers import TensorInfo
from bertcli.checkpoints.hub_cache import DEFAULT_REVISION, Download, OnDownload, Snapshot, cache_folder, snapshot_of
from bertcli.checkpoints.names import is_commit
from bertcli.checkpoints.weight_files import INDEX, shard_names
from bertcli.errors import BadCheckpoint, BertcliError, CheckpointNotFound, HubFailed

if TYPE_CHECKING:
    import huggingface_hub

Answer = TypeVar("Answer")
# A server that is slow but alive is waited for, each time that it is asked.
_PATIENCE_S = 30
# A file that is there before a bar could be read gets none.
_BYTES_WORTH_A_BAR = 1 << 20
_TRY_AGAIN = "try again; files that came whole are kept, or use -m bundled or a folder"
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
_NO_ACCESS = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR)


def download(name: str, revision: str | None, needs: Files, on_download: OnDownload) -> Snapshot:
    """The snapshot that the revision stands for today, with the files that hold these parts.

    Raises CheckpointNotFound where the hub has no such model or revision, or does not show it; BadCheckpoint where the
    model lacks a part; HubFailed where the hub, the network or the disk gives out.
    """
    with warnings.catch_warnings():
        _hush()
        return _Repository(name, revision or DEFAULT_REVISION).download(needs, on_download)


def read_headers(name: str, revision: str | None) -> tuple[str, list[TensorInfo]] | None:
    """The commit that the revision stands for and its tensors, from the headers alone, which is all that is fetched.

    None where the weights are pickles, which have no header. Raises what download raises.
    """
    with warnings.catch_warnings():
        _hush()
        return _Repository(name, revision or DEFAULT_REVISION).read_headers()


@dataclass(frozen=True, slots=True)
class _Repository:
    """One revision of a model on the hub."""

    name: str
    revision: str

    def read_headers(self) -> tuple[str, list[TensorInfo]] | None:
        snapshot, sizes = self._describe()
        files = [file for file in self._choose(Files.WEIGHTS, sizes.keys(), snapshot) if not file.endswith(INDEX)]
        if not all(file.endswith(".safetensors") for file in files):
            return None
        infos: list[TensorInfo] = []
        for file in files:
            header = self._ask(
                _api().parse_safetensors_file_metadata,
                filename=file,
                revision=snapshot.commit,
                timeout=_PATIENCE_S,
            )
            infos += sorted(
                (
                    TensorInfo(name, tensor.dtype, tuple(tensor.shape), Path(file), tensor.data_offsets[0])
                    for name, tensor in header.tensors.items()
                ),
                key=lambda info: info.offset,
            )
        return snapshot.commit, infos

    def download(self, needs: Files, on_download: OnDownload) -> Snapshot:
        snapshot, sizes = self._describe()
        files = self._choose(needs, sizes.keys(), snapshot)
        missing = {file: sizes[file] for file in files if not (snapshot.folder / file).is_file()}
        if missing:
            self._fetch_all(missing, snapshot, on_download)
        if not is_commit(self.revision):
            # Last, so that a branch is not said to be here before all that is needed of it is.
            self._fetch(files[0], self.revision)
        return snapshot

    def _describe(self) -> tuple[Snapshot, Mapping[str, int]]:
        """The commit that the revision stands for today, and the sizes of its files."""
        info = self._ask(_api().model_info, revision=self.revision, files_metadata=True, timeout=_PATIENCE_S)
        sizes = {file.rfilename: file.size or 0 for file in info.siblings or ()}
        return snapshot_of(self.name, str(info.sha)), sizes

    def _choose(self, needs: Files, names: Collection[str], snapshot: Snapshot) -> list[str]:
        """The files that hold the parts. Raises BadCheckpoint where the model has none for one of them."""

        def shards(index: str) -> list[str]:
            self._fetch(index, snapshot.commit)
            return shard_names(snapshot.folder / index)

        chosen = {part: files_of(part, names, shards) for part in needs}
        if lacking := [part for part in needs if not chosen[part]]:
            raise BadCheckpoint(
                f"{self.name} on the hub has no {WORDS[lacking[0]]} that bertcli can read"
                f" (among its files: {', '.join(sorted(names)[:5]) or 'none'})",
                hint="use another model, or convert it with transformers' save_pretrained and give the folder",
            )
        return [file for files in chosen.values() for file in files]

    def _fetch_all(self, sizes: Mapping[str, int], snapshot: Snapshot, on_download: OnDownload) -> None:
        about = Download(self.name, list(sizes), sum(sizes.values()), cache_folder())
        _check_room(about)
        shows_bars = on_download(about)
        # One after another in this thread, which Ctrl-C can interrupt; the largest is most of the time.
        for file, nbytes in sizes.items():
            self._fetch(file, snapshot.commit, shows_bar=shows_bars and nbytes >= _BYTES_WORTH_A_BAR)

    def _fetch(self, file: str, revision: str, *, shows_bar: bool = False) -> None:
        from huggingface_hub import hf_hub_download
        from huggingface_hub.utils.tqdm import disable_progress_bars, enable_progress_bars

        if shows_bar:
            enable_progress_bars()
        else:
            disable_progress_bars()
        self._ask(
            hf_hub_download,
            filename=file,
            revision=revision,
            cache_dir=cache_folder(),
            endpoint=endpoint(),
            etag_timeout=_PATIENCE_S,
            library_name="bertcli",
            library_version=__version__,
        )

    def _ask(self, question: Callable[..., Answer], **details: Any) -> Answer:
        """What the hub answers about the model. Raises what is wrong as one of bertcli's own errors."""
        try:
            return question(self.name, **details)
        except Exception as error:
            # Not its own errors alone: those of the network come as they are, and their library's name has changed.
            raise _explained(error, self.name, self.revision) from error


def _api() -> "huggingface_hub.HfApi":
    from huggingface_hub import HfApi

    return HfApi(endpoint(), library_name="bertcli", library_version=__version__)


def _hush() -> None:
    """Let huggingface_hub draw bars and say nothing: what a user has to know bertcli says in its own words."""
    import logging

    # Else the first request of a day would be one about the shell that bertcli runs in.
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    from huggingface_hub.utils.logging import set_verbosity

    warnings.simplefilter("ignore")
    set_verbosity(logging.CRITICAL)


def _check_room(about: Download) -> None:
    """Raise HubFailed where the disk cannot hold it."""
    folder = next(folder for folder in (about.folder, *about.folder.absolute().parents) if folder.is_dir())
    usage = shutil.disk_usage(folder)
    if usage.total and usage.free < about.nbytes:  # a total of 0 is that of a file system that does not tell
        raise _no_room(about.repository)


def _explained(error: Exception, name: str, revision: str) -> BertcliError:
    """What went wrong, in bertcli's words."""
    from huggingface_hub import errors

    if isinstance(error, errors.LocalEntryNotFoundError) and isinstance(error.__cause__, Exception):
        return _explained(error.__cause__, name, revision)
    if isinstance(error, errors.GatedRepoError):
        return CheckpointNotFound(
            f"{name} is gated: the hub gives it to those alone whom its owner has let in",
            hint=f"ask for access at {shown_endpoint()}/{name}, and set HF_TOKEN to a token of yours",
        )
    if isinstance(error, errors.RepositoryNotFoundError):
        return CheckpointNotFound(
            f"the hub has no model {name!r}, or does not show it to you",
            hint="check the spelling; for a private model set HF_TOKEN to a token of yours",
        )
    if isinstance(error, errors.RevisionNotFoundError):
        return CheckpointNotFound(
            f"{name} has no revision {revision!r} on the hub", hint=f"see {shown_endpoint()}/{name}/commits/main"
        )
    if isinstance(error, errors.SafetensorsParsingError):
        return BadCheckpoint(
            f"the weights of {name} on the hub have a header that cannot be read", hint="tell the model's owner"
        )
    if isinstance(error, errors.HfHubHTTPError):
        is_of_a_file = isinstance(error, errors.RemoteEntryNotFoundError)
        return _failed(404, name) if is_of_a_file else _refused(error.response.status_code, name)
    if isinstance(error, OSError) and error.errno in _NO_ROOM:
        return _no_room(name)
    if isinstance(error, OSError) and error.errno in _NO_ACCESS:
        return HubFailed(
            f"{name} cannot be written to the hub's cache {cache_folder()}: {os.strerror(error.errno).lower()}",
            hint="set HF_HUB_CACHE to a folder that you may write to",
        )
    return _broken_off(error, name)


def _refused(status: int, name: str) -> BertcliError:
    if status == 404:  # without the code that the hub gives for a model that it does not have
        return CheckpointNotFound(
            f"{shown_endpoint()} has no model {name!r}", hint="check the spelling, and HF_ENDPOINT where it is set"
        )
    if status in (401, 403):
        return CheckpointNotFound(
            f"the hub refuses to give {name} ({status})",
            hint="check the token in HF_TOKEN, or the one that hf auth login has stored",
        )
    if status == 429:
        return HubFailed(
            "the hub has had too many requests from here (429)",
            hint="wait a few minutes; it allows more where HF_TOKEN is set",
        )
    return _failed(status, name)


def _failed(status: int, name: str) -> HubFailed:
    return HubFailed(
        f"the hub at {shown_endpoint()} answered with an error ({status}) when asked for {name}", hint=_TRY_AGAIN
    )


def _no_room(name: str) -> HubFailed:
    return HubFailed(
        f"there is no room left for {name} in the hub's cache {cache_folder()}",
        hint="free some space, or set HF_HUB_CACHE to a folder on another disk",
    )


def _broken_off(error: Exception, name: str) -> HubFailed:
    kind = type(error).__name__
    if "Timeout" in kind:
        return HubFailed(f"the hub at {shown_endpoint()} took too long to answer about {name}", hint=_TRY_AGAIN)
    if isinstance(error, (ValueError, TypeError, KeyError)) or "Metadata" in kind:
        return HubFailed(
            f"what answers at {shown_endpoint()} is no model hub",
            hint="check HF_ENDPOINT, or sign in to the network that you are on",
        )
    why = next(iter(str(error).splitlines()), "") or kind
    return HubFailed(f"the download of {name} broke off: {why}", hint=_TRY_AGAIN)
