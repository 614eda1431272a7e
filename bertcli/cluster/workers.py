"""What encode does in a cluster: one reader, and actors that encode a shard at a time."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from bertcli import __version__
from bertcli.analysis.embeddings.encode import encode
from bertcli.choices import OnError
from bertcli.cluster.tasks import ShardResult, ShardTask, packed_error, parcel_of, shard_tasks
from bertcli.commands.bulk import folder_plan
from bertcli.commands.encode_files import encode_options, parquet_layout
from bertcli.errors import BertcliError, Unreachable
from bertcli.input.reader import TextReader
from bertcli.input.records import FailedText
from bertcli.model.session import Session, SessionRequest, open_session
from bertcli.output.files.manifest import Manifest
from bertcli.output.files.shards import ShardWriter
from bertcli.output.sink import FOLDER
from bertcli.pipeline.prefetch import Stages
from bertcli.pipeline.scheduler import Tally, schedule
from bertcli.storage import AnyPath

if TYPE_CHECKING:
    from bertcli.commands.encode import EncodeRequest


@dataclass(frozen=True, slots=True)
class Work:
    """What there is to do. manifest: of the shards that are there. home: the folder that relative paths start from."""

    request: EncodeRequest
    session: SessionRequest
    manifest: Manifest
    folder: AnyPath
    home: str
    version: str = __version__

    def arrive(self) -> None:
        """Begin in a process of the cluster. Raises Unreachable where it is another bertcli's."""
        if self.version != __version__:
            raise Unreachable(
                f"the cluster has bertcli {__version__}, and this is {self.version}",
                hint="install the same there",
            )
        with suppress(OSError):  # on another machine there may be no such folder, and paths are none that start there
            os.chdir(self.home)


@dataclass(frozen=True, slots=True)
class Reading:
    """The reader: the texts of a shard after another, packed."""

    work: Work

    def __call__(self) -> Iterator[str]:
        work = self.work
        try:
            work.arrive()
            reader = TextReader(work.request.texts.source())
            for parcel in shard_tasks(reader.windows(), work.manifest, lambda: reader.read_bytes):
                yield parcel.packed()
        except (BertcliError, OSError) as error:
            yield packed_error(error)


@dataclass(frozen=True, slots=True)
class OpenEncoder:
    """What each actor begins with."""

    work: Work

    def __call__(self) -> Callable[[str], str]:
        return _Encoder(self.work)


class _Encoder:
    """Encodes the texts of a shard after another, with one model."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._session: Session | None = None
        self._notes: list[str] = []  # since the last shard

    def __call__(self, packed: str) -> str:
        try:
            return self._encoded(parcel_of(packed)).packed()
        except (BertcliError, OSError) as error:
            return packed_error(error)
        except MemoryError:
            return packed_error(OSError(errno.ENOMEM, os.strerror(errno.ENOMEM)))

    def _open(self) -> Session:
        # Not when the actor begins: Ray would begin it again and again, and say nothing of what is wrong.
        if self._session is None:
            self._work.arrive()
            self._session = open_session(self._work.session, note=self._notes.append)
        return self._session

    def _encoded(self, parcel: ShardTask) -> ShardResult:
        work, session, tally = self._work, self._open(), Tally()
        options = encode_options(work.request, session, FOLDER, is_looked_at=False)
        layout = parquet_layout(session, work.request, options)
        plan = folder_plan(options, work.manifest.shard_rows)
        unanswered: list[FailedText] = []
        compute = partial(encode, session, options=options)
        with Stages() as stages, ShardWriter(work.folder, parcel.number, layout, parcel.id_type) as shard:
            for answer in schedule(session, [parcel.texts], compute, stages, plan, tally):
                if not isinstance(answer, FailedText):
                    shard.write(answer)
                elif work.request.texts.on_error == OnError.STOP:
                    raise answer.error.at(answer.place)
                else:
                    shard.skip(answer)
                    unanswered.append(answer)
            entry = shard.finish(parcel.input_sha256)
            notes = tuple(self._notes)
            self._notes.clear()
            return ShardResult(entry, shard.id_type, tuple(unanswered), tally, parcel.read_bytes, notes)
