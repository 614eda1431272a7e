"""Downloads from the hub. Only this module imports huggingface_hub."""

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
from bertcli.checkpoints.hub_cache import DEFAULT_REVISION, Download, OnDownload, Snapshot, cache_folder, snapshot_of
from bertcli.checkpoints.names import is_commit
from bertcli.checkpoints.required_files import PART_NAMES, Files, files_of
from bertcli.checkpoints.safetensors import TensorInfo
from bertcli.checkpoints.weight_files import INDEX, shard_names
from bertcli.errors import BadCheckpoint, BertcliError, CheckpointNotFound, HubFailed

if TYPE_CHECKING:
    import huggingface_hub

Response = TypeVar("Response")
# Seconds to wait for each response of a slow server.
_TIMEOUT_S = 30
# Smaller files show no progress bar, since they arrive before one could be read.
_MIN_BAR_BYTES = 1 << 20
_TRY_AGAIN = "try again (complete files are kept), or use -m bundled or a folder"
_NO_SPACE = (errno.ENOSPC, errno.EDQUOT)
_NO_ACCESS = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR)


def download(
    name: str, revision: str | None, needs: Files, on_download: OnDownload, token: str | None = None
) -> Snapshot:
    """Download a revision of a model into the hub's cache.

    Args:
        name: The model's full name on the hub.
        revision: A branch, tag or commit; None is the main branch.
        needs: The parts to download.
        on_download: Called before the download begins; returns True to show progress bars.
        token: Access token; None for the one that huggingface_hub finds.

    Returns:
        The snapshot of the revision's current commit, with the files of these parts.

    Raises:
        CheckpointNotFound: The hub has no such model or revision, or refuses access.
        BadCheckpoint: The model lacks a part.
        HubFailed: The hub, the network or the disk fails.
    """
    with warnings.catch_warnings():
        _silence_huggingface_hub()
        return _Repository(name, revision or DEFAULT_REVISION, token).download(needs, on_download)


def read_headers(name: str, revision: str | None, token: str | None = None) -> tuple[str, list[TensorInfo]] | None:
    """Read the headers of a model's weights from the hub, without downloading the weights.

    Arguments and exceptions are those of download.

    Returns:
        The revision's current commit and its tensors; None if the weights are pickles, which have no header.
    """
    with warnings.catch_warnings():
        _silence_huggingface_hub()
        return _Repository(name, revision or DEFAULT_REVISION, token).read_headers()


@dataclass(frozen=True, slots=True)
class _Repository:
    """A revision of a model on the hub."""

    name: str
    revision: str
    token: str | None

    def read_headers(self) -> tuple[str, list[TensorInfo]] | None:
        snapshot, sizes = self._describe()
        files = [file for file in self._choose(Files.WEIGHTS, sizes.keys(), snapshot) if not file.endswith(INDEX)]
        if not all(file.endswith(".safetensors") for file in files):
            return None
        infos: list[TensorInfo] = []
        for file in files:
            header = self._call(
                _api(self.token).parse_safetensors_file_metadata,
                filename=file,
                revision=snapshot.commit,
                timeout=_TIMEOUT_S,
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
            # This stores the branch or tag in the cache. It comes last, so that none points to an incomplete download.
            self._fetch(files[0], self.revision)
        return snapshot

    def _describe(self) -> tuple[Snapshot, Mapping[str, int]]:
        """Return the revision's current commit and the sizes of its files."""
        info = self._call(_api(self.token).model_info, revision=self.revision, files_metadata=True, timeout=_TIMEOUT_S)
        sizes = {file.rfilename: file.size or 0 for file in info.siblings or ()}
        return snapshot_of(self.name, str(info.sha)), sizes

    def _choose(self, needs: Files, names: Collection[str], snapshot: Snapshot) -> list[str]:
        """Return the files that hold the parts. Raise BadCheckpoint if the model lacks one."""

        def shards(index: str) -> list[str]:
            self._fetch(index, snapshot.commit)
            return shard_names(snapshot.folder / index)

        chosen = {part: files_of(part, names, shards) for part in needs}
        if lacking := [part for part in needs if not chosen[part]]:
            raise BadCheckpoint(
                f"{self.name} on the hub has no {PART_NAMES[lacking[0]]} that bertcli can read"
                f" (among its files: {', '.join(sorted(names)[:5]) or 'none'})",
                hint="use another model, or convert it with transformers' save_pretrained and give the folder",
            )
        return [file for files in chosen.values() for file in files]

    def _fetch_all(self, sizes: Mapping[str, int], snapshot: Snapshot, on_download: OnDownload) -> None:
        planned = Download(self.name, list(sizes), sum(sizes.values()), cache_folder())
        _check_free_space(planned)
        shows_bars = on_download(planned)
        # One after another, in this thread, so that Ctrl-C interrupts it. The largest file takes most of the time.
        for file, nbytes in sizes.items():
            self._fetch(file, snapshot.commit, shows_bar=shows_bars and nbytes >= _MIN_BAR_BYTES)

    def _fetch(self, file: str, revision: str, *, shows_bar: bool = False) -> None:
        from huggingface_hub import hf_hub_download
        from huggingface_hub.utils.tqdm import disable_progress_bars, enable_progress_bars

        if shows_bar:
            enable_progress_bars()
        else:
            disable_progress_bars()
        self._call(
            hf_hub_download,
            filename=file,
            revision=revision,
            cache_dir=cache_folder(),
            endpoint=endpoint(),
            token=self.token,
            etag_timeout=_TIMEOUT_S,
            library_name="bertcli",
            library_version=__version__,
        )

    def _call(self, function: Callable[..., Response], **arguments: Any) -> Response:
        """Call a function of huggingface_hub for this model. Raise its errors as bertcli's own."""
        try:
            return function(self.name, **arguments)
        except Exception as error:
            # All errors, since those of the network library come through, and that library has changed before.
            raise _translate_error(error, self.name, self.revision) from error


def _api(token: str | None) -> "huggingface_hub.HfApi":
    from huggingface_hub import HfApi

    return HfApi(endpoint(), token=token, library_name="bertcli", library_version=__version__)


def _silence_huggingface_hub() -> None:
    """Silence the warnings and logs of huggingface_hub. Its progress bars stay; bertcli writes its own messages."""
    import logging

    # Otherwise the first request of a day reports the environment that bertcli runs in.
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    from huggingface_hub.utils.logging import set_verbosity

    warnings.simplefilter("ignore")
    set_verbosity(logging.CRITICAL)


def _check_free_space(planned: Download) -> None:
    """Raise HubFailed if the disk lacks the space for a download."""
    folder = next(folder for folder in (planned.folder, *planned.folder.absolute().parents) if folder.is_dir())
    usage = shutil.disk_usage(folder)
    if usage.total and usage.free < planned.nbytes:  # a total of 0 means that the file system does not report it
        raise _no_space(planned.repository)


def _translate_error(error: Exception, name: str, revision: str) -> BertcliError:
    """Translate an error of huggingface_hub, the network or the disk to one of bertcli's."""
    from huggingface_hub import errors

    if isinstance(error, errors.LocalEntryNotFoundError) and isinstance(error.__cause__, Exception):
        return _translate_error(error.__cause__, name, revision)
    if isinstance(error, errors.GatedRepoError):
        return CheckpointNotFound(
            f"{name} is gated: only users whom its owner has approved can download it",
            hint=f"request access at {shown_endpoint()}/{name}, and give your access token with --token or in HF_TOKEN",
        )
    if isinstance(error, errors.RepositoryNotFoundError):
        return CheckpointNotFound(
            f"the hub has no model {name!r}, or it is private",
            hint="check the spelling; for a private model, give your access token with --token or in HF_TOKEN",
        )
    if isinstance(error, errors.RevisionNotFoundError):
        return CheckpointNotFound(
            f"{name} has no revision {revision!r} on the hub", hint=f"see {shown_endpoint()}/{name}/commits/main"
        )
    if isinstance(error, errors.SafetensorsParsingError):
        return BadCheckpoint(
            f"the weights of {name} on the hub have a damaged header", hint="use another revision or model"
        )
    if isinstance(error, errors.HfHubHTTPError):
        is_missing_file = isinstance(error, errors.RemoteEntryNotFoundError)
        return _server_error(404, name) if is_missing_file else _http_error(error.response.status_code, name)
    if isinstance(error, OSError) and error.errno in _NO_SPACE:
        return _no_space(name)
    if isinstance(error, OSError) and error.errno in _NO_ACCESS:
        return HubFailed(
            f"{name} cannot be written to the hub's cache {cache_folder()}: {os.strerror(error.errno).lower()}",
            hint="set HF_HUB_CACHE to a folder that you can write to",
        )
    return _download_error(error, name)


def _http_error(status: int, name: str) -> BertcliError:
    if status == 404:  # not from the hub, which sends its own code for a missing model
        return CheckpointNotFound(
            f"{shown_endpoint()} has no model {name!r}", hint="check the spelling, and HF_ENDPOINT if it is set"
        )
    if status in (401, 403):
        return CheckpointNotFound(
            f"the hub refuses access to {name} ({status})",
            hint="check the token of --token or HF_TOKEN, or the one that `hf auth login` stored",
        )
    if status == 429:
        return HubFailed(
            "the hub has received too many requests from this address (429)",
            hint="wait a few minutes, or set HF_TOKEN for a higher limit",
        )
    return _server_error(status, name)


def _server_error(status: int, name: str) -> HubFailed:
    return HubFailed(f"the hub at {shown_endpoint()} returned an error ({status}) for {name}", hint=_TRY_AGAIN)


def _no_space(name: str) -> HubFailed:
    return HubFailed(
        f"there is not enough disk space for {name} in the hub's cache {cache_folder()}",
        hint="free some space, or set HF_HUB_CACHE to a folder on another disk",
    )


def _download_error(error: Exception, name: str) -> HubFailed:
    kind = type(error).__name__
    if "Timeout" in kind:
        return HubFailed(f"the hub at {shown_endpoint()} took too long to respond for {name}", hint=_TRY_AGAIN)
    if isinstance(error, (ValueError, TypeError, KeyError)) or "Metadata" in kind:
        return HubFailed(
            f"the server at {shown_endpoint()} is not a model hub",
            hint="check HF_ENDPOINT, or sign in to your network",
        )
    reason = next(iter(str(error).splitlines()), "") or kind
    return HubFailed(f"the download of {name} failed: {reason}", hint=_TRY_AGAIN)
