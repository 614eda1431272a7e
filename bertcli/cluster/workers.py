"""Workers in a cluster: one reader that cuts the input into tasks, and workers that compute one task at a time."""

import errno
import os
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from bertcli import __version__
from bertcli.choices import OnError
from bertcli.cluster.tasks import (
    Failure,
    ShardResult,
    ShardTask,
    TaskResult,
    TotalResult,
    cut_into_tasks,
)
from bertcli.errors import BertcliError, Unreachable
from bertcli.input.reader import TextReader
from bertcli.input.records import FailedText, TextSource
from bertcli.model.request import SessionRequest
from bertcli.model.session import Session, open_session
from bertcli.output.files.shard_job import ShardCommand
from bertcli.output.files.shards import ShardWriter
from bertcli.pipeline.halving import Halving
from bertcli.pipeline.jobs import TextJob, TotalCommand
from bertcli.pipeline.prefetch import Stages
from bertcli.pipeline.progress import RunCounts
from bertcli.pipeline.scheduler import open_meter, schedule
from bertcli.results.corpus import Manifest
from bertcli.results.texts import RunInfo
from bertcli.storage import AnyPath

if TYPE_CHECKING:
    from bertcli.pipeline.precision import PrecisionMeter


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterWork:
    """Description of a run, sent to every process of the cluster.

    Attributes:
        source: The input texts.
        on_error: Stop at a failed text, or skip it.
        session: The checkpoint, and the engine and threads of each actor.
        manifest: The finished shards.
        working_folder: The folder that relative paths start from.
        version: The version of bertcli that drives the run.
    """

    source: TextSource
    on_error: OnError
    session: SessionRequest
    manifest: Manifest
    working_folder: str
    version: str = __version__

    def enter_process(self) -> None:
        """Prepare a process of the cluster.

        Raises:
            Unreachable: The process runs another version of bertcli.
        """
        if self.version != __version__:
            raise Unreachable(
                f"the cluster has bertcli {__version__}, and this is {self.version}",
                hint=f"install bertcli {self.version} on each node",
            )
        with suppress(OSError):  # on another machine there may be no such folder, and no path that starts there
            os.chdir(self.working_folder)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardWork(ClusterWork):
    """Description of a run that writes shards.

    Attributes:
        command: What is computed.
        info: The model and engine, for the metadata of the shards.
        folder: Where the shards are written.
    """

    command: ShardCommand
    info: RunInfo
    folder: AnyPath


@dataclass(frozen=True, slots=True, kw_only=True)
class TotalWork(ClusterWork):
    """Description of a run that sums over texts.

    Attributes:
        command: What is computed.
    """

    command: TotalCommand


@dataclass(frozen=True, slots=True)
class InputReader:
    """The reader: yields the texts of one shard after another."""

    work: ClusterWork

    def __call__(self) -> Iterator[ShardTask | Failure]:
        work = self.work
        try:
            work.enter_process()
            reader = TextReader(work.source)
            yield from cut_into_tasks(reader.windows(), work.manifest, reader.bytes_before)
        except (BertcliError, OSError) as error:
            yield Failure(error)


class TaskWorker(ABC):
    """Computes one task after another, with one model."""

    def __init__(self, work: ClusterWork) -> None:
        self._work = work
        self._session: Session | None = None
        self._notes: list[str] = []  # since the last task
        self._meter: PrecisionMeter | None = None
        self._seconds = 0.0  # in all tasks

    def __call__(self, task: ShardTask | Failure) -> TaskResult | Failure:
        if isinstance(task, Failure):
            return task
        try:
            session, started = self._open(), time.monotonic()
            result = self.compute(task, session)
            if self._meter is None:
                return result
            self._seconds += time.monotonic() - started
            return replace(result, distances=tuple(self._meter.measure(self._seconds)))
        except (BertcliError, OSError) as error:
            return Failure(error)
        except MemoryError:
            return Failure(OSError(errno.ENOMEM, os.strerror(errno.ENOMEM)))

    @abstractmethod
    def compute(self, task: ShardTask, session: Session) -> TaskResult:
        """Return the result of a task."""

    @abstractmethod
    def set_up(self, session: Session) -> TextJob:
        """Prepare to compute with a session that has just been opened, and return the job."""

    def answers(
        self, job: TextJob, texts: Iterable[Any], stages: Stages, counts: RunCounts, session: Session
    ) -> Iterator[Any]:
        """Yield the record of each text of a task, or its failure if failed texts are skipped.

        Raises:
            BertcliError: A text failed, and failed texts are not to be skipped.
        """
        computed = schedule(
            session,
            job.divided([list(texts)]),
            job.compute,
            stages,
            job.plan,
            counts,
            self._halving,
            check=job.check,
            documents=job.documents,
            meter=self._meter,
        )
        for answer in job.joined(computed):
            if isinstance(answer, FailedText) and self._work.on_error == OnError.STOP:
                raise answer.error.with_prefix(answer.place)
            yield answer

    def take_notes(self) -> tuple[str, ...]:
        """Return the notes since the last task."""
        notes = tuple(self._notes)
        self._notes.clear()
        return notes

    def _open(self) -> Session:
        # Not in the constructor: Ray would restart the actor again and again without reporting the error.
        if self._session is None:
            self._work.enter_process()
            session = open_session(self._work.session)
            self._halving = Halving(session.tokenizer.pad_token_id, self._notes.append)
            predicts_tokens = self.set_up(session).predicts_tokens
            self._meter = open_meter(session, self._notes.append, predicts_tokens=predicts_tokens)
            self._session = session
        return self._session


class ShardEncoder(TaskWorker):
    """Computes and writes one shard after another."""

    def __init__(self, work: ShardWork) -> None:
        super().__init__(work)
        self._shards = work

    def set_up(self, session: Session) -> TextJob:
        """Prepare the command."""
        self._job = self._shards.command.set_up(session, self._shards.info)
        return self._job

    def compute(self, task: ShardTask, session: Session) -> ShardResult:
        """Compute and write a shard."""
        counts, job = RunCounts(), self._job
        failed: list[FailedText] = []
        with Stages() as stages, ShardWriter(self._shards.folder, task.number, job.layout, task.id_type) as shard:
            for answer in self.answers(job, task.texts, stages, counts, session):
                if isinstance(answer, FailedText):
                    shard.skip(answer)
                    failed.append(answer)
                else:
                    shard.write(answer)
            entry = shard.finish(task.input_sha256)
            counts.done = entry.rows
            return ShardResult(
                failed=tuple(failed),
                counts=counts,
                read_bytes=task.read_bytes,
                notes=self.take_notes(),
                shard=entry,
                id_type=shard.id_type,
            )


class TotalWorker(TaskWorker):
    """Sums over the texts of one task after another."""

    def __init__(self, work: TotalWork) -> None:
        super().__init__(work)
        self._totals = work

    def set_up(self, session: Session) -> TextJob:
        """Prepare the command."""
        self._job = self._totals.command.set_up(session)
        return self._job

    def compute(self, task: ShardTask, session: Session) -> TotalResult:
        """Sum over the texts of a task."""
        counts, job = RunCounts(), self._job
        failed: list[FailedText] = []
        total = job.start()
        with Stages() as stages:
            for answer in self.answers(job, task.texts, stages, counts, session):
                if isinstance(answer, FailedText):
                    failed.append(answer)
                else:
                    total.add(answer)
        counts.done = len(task.texts)
        return TotalResult(
            failed=tuple(failed), counts=counts, read_bytes=task.read_bytes, notes=self.take_notes(), total=total
        )
