"""Downloads from the hub. Only this module imports huggingface_hub."""

import errno
import json
import os
import shutil
import warnings
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache, partial
from pathlib import Path
from urllib.parse import quote

from bertcli import __version__
from bertcli.checkpoints.connectivity import endpoint, shown_endpoint
from bertcli.checkpoints.hub_cache import DEFAULT_REVISION, Download, OnDownload, Snapshot, cache_folder, snapshot_of
from bertcli.checkpoints.names import is_commit
from bertcli.checkpoints.required_files import PART_NAMES, Files, files_of
from bertcli.checkpoints.safetensors import LARGEST_HEADER, TensorInfo, parse_header
from bertcli.checkpoints.weight_files import INDEX
from bertcli.errors import BadCheckpoint, BertcliError, CheckpointNotFound, HubFailed
from bertcli.lazy_dataclass import dataclass

# Seconds to wait for each response of a slow server.
_TIMEOUT_S = 30
# Smaller files show no progress bar, since they arrive before one could be read.
_MIN_BAR_BYTES = 1 << 20
_TRY_AGAIN = "try again (complete files are kept), or use -m bundled or a folder"
# Bytes to request of a file at first. Few headers are longer.
_FIRST_BYTES = 100_000
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
        chosen = self._choose(Files.WEIGHTS, sizes.keys(), snapshot, with_modules=False)
        files = [file for file in chosen if not file.endswith(INDEX)]
        if not all(file.endswith(".safetensors") for file in files):
            return None
        infos: list[TensorInfo] = []
        for file in files:
            infos += self._read_header(file, snapshot.commit)
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
        url = f"{endpoint()}/api/models/{self.name}/revision/{quote(self.revision, safe='')}?blobs=true"
        found = _parse_description(self._get(url))
        if found is None:
            raise _not_a_hub()
        commit, sizes = found
        return snapshot_of(self.name, commit), sizes

    def _read_header(self, file: str, commit: str) -> list[TensorInfo]:
        """Read the header of a file without downloading the file."""
        url = f"{endpoint()}/{self.name}/resolve/{commit}/{quote(file)}"
        content = self._get(url, f"bytes=0-{_FIRST_BYTES}")
        end = 8 + int.from_bytes(content[:8], "little")
        if len(content) < end <= LARGEST_HEADER:
            content = self._get(url, f"bytes=0-{end - 1}")
        if 8 <= end <= len(content):
            with suppress(BadCheckpoint):
                return parse_header(content[8:end], Path(file))
        raise BadCheckpoint(
            f"the weights of {self.name} on the hub have a damaged header ({file})",
            hint="use another revision or model",
        )

    def _get(self, url: str, byte_range: str | None = None) -> bytes:
        """Request a page, or a range of a file."""
        # These are documented, but not declared as exported.
        from huggingface_hub.utils import (  # type: ignore[attr-defined]
            build_hf_headers,
            get_session,
            hf_raise_for_status,
        )

        try:
            session = get_session()
        except (ValueError, ImportError) as error:  # the network library does not support a proxy of that kind
            raise HubFailed(
                f"the proxy for {shown_endpoint()} cannot be used: {error}",
                hint="use an http proxy in HTTP_PROXY, HTTPS_PROXY and ALL_PROXY",
            ) from None
        headers = build_hf_headers(token=self.token, library_name="bertcli", library_version=__version__)
        if byte_range is not None:
            headers["Range"] = byte_range
        with self._translating_errors():
            response = session.get(url, headers=headers, timeout=_TIMEOUT_S)
            hf_raise_for_status(response)
            return bytes(response.content)

    def _choose(
        self, needs: Files, names: Collection[str], snapshot: Snapshot, *, with_modules: bool = True
    ) -> list[str]:
        """Return the files that hold the parts. Raise BadCheckpoint if the model lacks one."""
        fetch = cache(partial(self._fetch_into, snapshot))
        chosen = {part: files_of(part, names, fetch, with_modules=with_modules) for part in needs}
        if lacking := [part for part in needs if not chosen[part]]:
            raise BadCheckpoint(
                f"{self.name} on the hub has no {PART_NAMES[lacking[0]]} that bertcli can read"
                f" (among its files: {', '.join(sorted(names)[:5]) or 'none'})",
                hint="use another model, or convert it with transformers' save_pretrained and give the folder",
            )
        return [file for files in chosen.values() for file in files]

    def _fetch_into(self, snapshot: Snapshot, file: str) -> Path:
        """Download a file of a snapshot and return its path."""
        self._fetch(file, snapshot.commit)
        return snapshot.folder / file

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
        with self._translating_errors():
            hf_hub_download(
                self.name,
                filename=file,
                revision=revision,
                cache_dir=cache_folder(),
                endpoint=endpoint(),
                token=self.token,
                etag_timeout=_TIMEOUT_S,
                library_name="bertcli",
                library_version=__version__,
            )

    @contextmanager
    def _translating_errors(self) -> Iterator[None]:
        """Raise errors of the network, the hub, huggingface_hub and the disk as bertcli's own. Bugs pass unchanged."""
        from huggingface_hub import errors

        try:
            yield
        except Exception as error:
            # HTTPError is the base class of the network library. huggingface_hub's own classes are in this module.
            is_expected = isinstance(error, (OSError, errors.HTTPError))  # type: ignore[attr-defined]
            # hf_xet, which transfers large files, raises RuntimeError if the network fails. Its subclasses are bugs.
            is_expected = is_expected or type(error) is RuntimeError
            if not is_expected and type(error).__module__ != errors.__name__:
                raise
            raise _translate_error(error, self.name, self.revision) from error


def _parse_description(content: bytes) -> tuple[str, dict[str, int]] | None:
    """Return the commit and the sizes of the files in the hub's description of a model.

    None if the content is something else, such as a page to sign in to a network.
    """
    try:
        described = json.loads(content)
    except (ValueError, RecursionError):
        return None
    if not isinstance(described, dict):
        return None
    commit, files = described.get("sha"), described.get("siblings")
    if not isinstance(commit, str) or not is_commit(commit) or not isinstance(files, list):
        return None
    sizes: dict[str, int] = {}
    for file in files:
        name, size = (file.get("rfilename"), file.get("size") or 0) if isinstance(file, dict) else (None, 0)
        if not isinstance(name, str) or not isinstance(size, int):
            return None
        sizes[name] = size
    return commit, sizes


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
    if isinstance(error, errors.FileMetadataError):  # a response without the headers of a hub
        return _not_a_hub()
    return _download_error(error, name)


def _not_a_hub() -> HubFailed:
    return HubFailed(
        f"the server at {shown_endpoint()} is not a model hub", hint="check HF_ENDPOINT, or sign in to your network"
    )


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
    reason = next(iter(str(error).splitlines()), "") or kind
    return HubFailed(f"the download of {name} failed: {reason}", hint=_TRY_AGAIN)
