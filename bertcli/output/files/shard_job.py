"""Job of a shard: the computation of a command, and the columns of its records."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from bertcli.checkpoints.hub_cache import OnDownload, ignore_download
from bertcli.input.records import FailedText, TextRecord, Window
from bertcli.model.session import Session
from bertcli.output.files.shards import ShardLayout
from bertcli.pipeline.documents import ANSWER_WINDOWS, Check, DocumentPlan
from bertcli.pipeline.scheduler import Compute, Dedupe, Plan
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


@dataclass(frozen=True, slots=True)
class ShardJob:
    """A command that is ready to compute.

    Attributes:
        compute: Returns the answers of a batch.
        layout: The columns of the shards.
        plan: How texts are grouped. The runner adds the ends of the shards.
        options: Returns the options of the command that change the records, for the manifest.
        check: Returns a FailedText for a text that the command cannot take.
        documents: How texts that are longer than the limit are read.
        divide: Returns the texts to compute for the texts of the input. None if they are the same.
        join: Returns the records of the texts of the input for the answers. None if they are the same.
        parts: Number of texts that divide makes of each.
        notes: Notes for the user.
        dedupe: Opens the cache of repeated texts, None to compute each of them.
    """

    compute: Compute[Any]
    layout: ShardLayout
    plan: Plan
    options: Callable[[], Mapping[str, Any]]
    check: Check | None = None
    documents: DocumentPlan[Any] = ANSWER_WINDOWS
    divide: Callable[[Iterable[Window]], Iterator[Window]] | None = None
    join: Callable[[Iterable[Any]], Iterator[Any]] | None = None
    parts: int = 1
    notes: Sequence[str] = ()
    dedupe: DedupePlan | None = None

    def divided(self, windows: Iterable[Window]) -> Iterable[Window]:
        """Return the texts to compute for windows of the input."""
        return windows if self.divide is None else self.divide(windows)

    def joined(self, answers: Iterable[Any]) -> Iterable[Any]:
        """Return the records of the texts of the input."""
        return answers if self.join is None else self.join(answers)


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
