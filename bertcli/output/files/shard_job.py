"""Job of a shard: the computation of a command, and the columns of its records."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from bertcli.checkpoints.hub_cache import OnDownload, ignore_download
from bertcli.input.records import FailedText, TextRecord
from bertcli.model.session import Session
from bertcli.output.files.shards import ShardLayout
from bertcli.pipeline.jobs import TextJob
from bertcli.pipeline.scheduler import Dedupe
from bertcli.results.corpus import Manifest
from bertcli.results.texts import RunInfo
from bertcli.storage import AnyPath


class DedupePlan(Protocol):
    """Opens the cache of repeated texts of a run into a folder."""

    def open(self, scratch: Path) -> AbstractContextManager[Dedupe[Any]]:
        """Return a context that yields the empty cache.

        Args:
            scratch: Where the cache puts its unnamed file.
        """

    def seeder(self, cache: Any, folder: AnyPath, manifest: Manifest) -> Callable[[TextRecord | FailedText], None]:
        """Return a function that takes each text of the finished shards in turn, and fills the cache from them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardJob(TextJob):
    """Computation of a command that writes shards.

    Attributes:
        layout: The columns of the shards.
        options: Returns the options of the command that change the records, for the manifest.
        dedupe: Opens the cache of repeated texts, None to compute each of them.
    """

    layout: ShardLayout
    options: Callable[[], Mapping[str, Any]]
    dedupe: DedupePlan | None = None


class ShardCommand(Protocol):
    """A command before its model is open: its options. Ray sends it to the actors, so it can be pickled."""

    def set_up(self, session: Session, info: RunInfo, on_download: OnDownload = ignore_download) -> ShardJob:
        """Return what to compute with an open model, without loading its weights.

        Args:
            session: The open checkpoint.
            info: The model and engine, for the metadata of the files.
            on_download: Called before another checkpoint is downloaded.

        Raises:
            BertcliError: The checkpoint lacks what the options need.
        """
