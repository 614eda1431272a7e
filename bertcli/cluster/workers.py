"""Workers in a cluster: one reader that cuts the input into shards, and encoders that write a shard at a time."""

import errno
import os
from collections.abc import Iterator
from contextlib import suppress
from functools import partial

from bertcli import __version__
from bertcli.analysis.embeddings.encode import EncodeOptions
from bertcli.analysis.embeddings.windows import DocumentVectors, encode_windows
from bertcli.choices import OnError
from bertcli.cluster.tasks import EncodeShard, Failure, ShardResult, ShardTask, cut_into_tasks
from bertcli.errors import BertcliError, Unreachable
from bertcli.input.reader import TextReader
from bertcli.input.records import FailedText, TextSource
from bertcli.lazy_dataclass import dataclass
from bertcli.model.request import SessionRequest
from bertcli.model.session import Session, open_session
from bertcli.model.windows import OverlappingWindows
from bertcli.output.files.parquet import ParquetLayout
from bertcli.output.files.shards import ShardWriter
from bertcli.pipeline.documents import DocumentPlan
from bertcli.pipeline.halving import Halving
from bertcli.pipeline.prefetch import Stages
from bertcli.pipeline.progress import RunCounts
from bertcli.pipeline.scheduler import Plan, schedule
from bertcli.results.corpus import Manifest
from bertcli.storage import AnyPath


@dataclass(frozen=True, slots=True)
class ClusterWork:
    """Description of a run, sent to every process of the cluster.

    Attributes:
        source: The input texts.
        on_error: Stop at a failed text, or skip it.
        session: The checkpoint, and the engine and threads of each actor.
        options: What is computed for each text.
        layout: The columns of the shards.
        plan: How the texts of a shard are grouped.
        manifest: The finished shards.
        folder: Where the shards are written.
        working_folder: The folder that relative paths start from.
        version: The version of bertcli that drives the run.
    """

    source: TextSource
    on_error: OnError
    session: SessionRequest
    options: EncodeOptions
    layout: ParquetLayout
    plan: Plan
    manifest: Manifest
    folder: AnyPath
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


@dataclass(frozen=True, slots=True)
class InputReader:
    """The reader: yields the texts of one shard after another."""

    work: ClusterWork

    def __call__(self) -> Iterator[ShardTask | Failure]:
        work = self.work
        try:
            work.enter_process()
            reader = TextReader(work.source)
            yield from cut_into_tasks(reader.windows(), work.manifest, lambda: reader.read_bytes)
        except (BertcliError, OSError) as error:
            yield Failure(error)


@dataclass(frozen=True, slots=True)
class EncoderFactory:
    """Makes the encoder of an actor."""

    work: ClusterWork

    def __call__(self) -> EncodeShard:
        return ShardEncoder(self.work)


class ShardEncoder:
    """Encodes and writes one shard after another, with one model."""

    def __init__(self, work: ClusterWork) -> None:
        self._work = work
        self._session: Session | None = None
        self._notes: list[str] = []  # since the last shard

    def __call__(self, task: ShardTask | Failure) -> ShardResult | Failure:
        if isinstance(task, Failure):
            return task
        try:
            return self._encode(task)
        except (BertcliError, OSError) as error:
            return Failure(error)
        except MemoryError:
            return Failure(OSError(errno.ENOMEM, os.strerror(errno.ENOMEM)))

    def _open(self) -> Session:
        # Not in the constructor: Ray would restart the actor again and again without reporting the error.
        if self._session is None:
            self._work.enter_process()
            self._session = open_session(self._work.session)
            self._halving = Halving(self._session.tokenizer.pad_token_id, self._notes.append)
        return self._session

    def _encode(self, task: ShardTask) -> ShardResult:
        work, session, counts = self._work, self._open(), RunCounts()
        failed: list[FailedText] = []
        compute = partial(encode_windows, session, options=work.options)
        documents = DocumentPlan(OverlappingWindows(), partial(DocumentVectors, session, work.options))
        with Stages() as stages, ShardWriter(work.folder, task.number, work.layout, task.id_type) as shard:
            answers = schedule(
                session, [task.texts], compute, stages, work.plan, counts, self._halving, documents=documents
            )
            for answer in answers:
                if not isinstance(answer, FailedText):
                    shard.write(answer)
                elif work.on_error == OnError.STOP:
                    raise answer.error.with_prefix(answer.place)
                else:
                    shard.skip(answer)
                    failed.append(answer)
            entry = shard.finish(task.input_sha256)
            notes = tuple(self._notes)
            self._notes.clear()
            return ShardResult(entry, shard.id_type, tuple(failed), counts, task.read_bytes, notes)
