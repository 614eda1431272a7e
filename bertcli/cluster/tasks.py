"""Tasks of a run on Ray: the texts of one shard for an actor, and the result that the actor returns.

They are plain data, which Ray pickles. An expected error is sent as a Failure, and raised in the process of the user.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from bertcli.errors import BertcliError
from bertcli.input.records import FailedText, TextRecord, Window
from bertcli.output.files.arrow_file import id_type_from
from bertcli.pipeline.progress import RunCounts
from bertcli.pipeline.resume import skip_finished
from bertcli.pipeline.shards import ShardBoundaries
from bertcli.results.corpus import Manifest, Shard
from bertcli.results.precision import TextDistance


@dataclass(frozen=True, slots=True)
class ShardTask:
    """The texts of a shard.

    Attributes:
        number: Number of the shard, counted from 0.
        texts: Its texts, failed ones included.
        input_sha256: Hash of its texts and ids.
        id_type: Type of the ids, int64 or string, None if not known yet.
        read_bytes: Bytes of the input up to its end, roughly.
    """

    number: int
    texts: Window
    input_sha256: str
    id_type: str | None
    read_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskResult:
    """A report of a worker about a task.

    Attributes:
        failed: Its failed texts.
        counts: Counts of its texts and tokens.
        read_bytes: As in ShardTask.
        notes: Notes for the user.
        distances: Distances of a few of its texts from float32, if the worker computes in reduced precision.
    """

    failed: tuple[FailedText, ...]
    counts: RunCounts
    read_bytes: int
    notes: tuple[str, ...] = ()
    distances: tuple[TextDistance, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardResult(TaskResult):
    """A shard that has been written.

    Attributes:
        shard: Its entry in the manifest.
        id_type: Type of the ids, None if not known yet.
    """

    shard: Shard
    id_type: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TotalResult(TaskResult):
    """Sums over the texts of a task.

    Attributes:
        total: The sums, a bertcli.pipeline.jobs.Total.
    """

    total: Any


@dataclass(frozen=True, slots=True)
class Failure:
    """An expected error, sent instead of the task or result that it prevented."""

    error: BertcliError | OSError


# Reads the input as tasks, in the one reader.
ReadTasks = Callable[[], Iterator[ShardTask | Failure]]
# Computes one task after another, in an actor.
Worker = Callable[[ShardTask | Failure], TaskResult | Failure]
# Makes a Worker, once in each actor.
OpenWorker = Callable[[], Worker]


def cut_into_tasks(
    windows: Iterable[Window], manifest: Manifest, bytes_before: Callable[[int], int]
) -> Iterator[ShardTask]:
    """Yield a task for each shard that is not finished yet.

    Args:
        windows: The texts from the beginning of the input.
        manifest: The finished shards.
        bytes_before: Returns about how many bytes of the input precede the last N texts of the last window.

    Raises:
        BadInput: The texts of a finished shard have changed.
    """
    boundaries = ShardBoundaries(manifest.limits)
    cutter = _ShardCutter(len(manifest.shards), manifest.id_type)
    for window in skip_finished(boundaries.watch(windows), manifest, boundaries):
        for left, text in zip(reversed(range(len(window))), window, strict=True):
            cutter.add(text)
            if boundaries.ends_after(text.index):
                yield cutter.cut(boundaries, bytes_before(left))
    if cutter.texts or not cutter.number:
        yield cutter.cut(boundaries, bytes_before(0))


@dataclass
class _ShardCutter:
    """The texts of the next shard so far."""

    number: int
    id_type: str | None
    texts: Window = field(default_factory=list)

    def add(self, text: TextRecord | FailedText) -> None:
        self.id_type = self.id_type or id_type_from([text.id])
        self.texts.append(text)

    def cut(self, boundaries: ShardBoundaries, read_bytes: int) -> ShardTask:
        number, texts = self.number, self.texts
        self.number, self.texts = number + 1, []
        return ShardTask(number, texts, boundaries.take(number).sha256, self.id_type, read_bytes)
