"""encode into a folder on Ray: what is done in the cluster is planned here, and written down as it comes."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bertcli.cli.options import SHARD_ROWS
from bertcli.cluster.connection import connected, nodes, results
from bertcli.cluster.plan import ActorPlan, plan_actors
from bertcli.cluster.tasks import ShardResult
from bertcli.cluster.workers import OpenEncoder, Reading, Work
from bertcli.commands.encode_files import encode_options
from bertcli.commands.encode_folder import as_begun, describe, tell_what_is_there
from bertcli.commands.opening import session_request
from bertcli.errors import BertcliError, ExitCode, OutputError, WrongUsage
from bertcli.input.reader import TextReader
from bertcli.input.source import STDIN
from bertcli.model.engine_choice import NUMPY, TORCH
from bertcli.model.session import Session, SessionRequest, batch_tokens_on, open_session
from bertcli.output.files.atomic import is_device
from bertcli.output.files.folder import check_same_run, find_begun, prepare, remove_empty
from bertcli.output.files.manifest import Manifest, Shard
from bertcli.output.files.shards import remove_parts
from bertcli.output.sink import FOLDER, Passed, Sink
from bertcli.pipeline.scheduler import Tally
from bertcli.results.texts import RunInfo, RunSummary
from bertcli.storage import AnyPath, located, size_of

if TYPE_CHECKING:
    from bertcli.commands.encode import EncodeRequest

# Of a small input the shards are small too, so that each actor has some, and none waits long for the last.
_SHARDS_EACH = 8
_FEWEST_ROWS = 500
_SENTENCE_BYTES = 80


def encode_on_ray(request: EncodeRequest, sink: Sink, folder: AnyPath) -> ExitCode:
    """Encode every text that no shard has yet, each shard by one of the actors of a cluster."""
    _check_goes_with_ray(request)
    begun = find_begun(folder, resume=request.corpus.resume, force=sink.force)
    reader = TextReader(request.texts.source())
    asked = as_begun(session_request(request.model), begun)
    # The model is found here once, and what is wrong with it or with the options is told before anything is begun.
    session = open_session(replace(asked, device="cpu"), reader.known_bytes, sink.announce, sink.note)
    encode_options(request, session, FOLDER, is_looked_at=False)
    is_new, writing = not folder.exists(), None
    try:
        with connected(request.ray.ray_address, sink.note) as ray:
            share = plan_actors(nodes(ray), request.ray.actors, request.ray.gpus_per_actor or 0)
            planned = _planned(asked, session, share)
            manifest = Manifest(_description(request, session, planned), _shard_rows(request, reader, share, begun))
            if begun is not None:
                check_same_run(folder, begun, manifest.about, manifest.shard_rows)
            prepare(folder, begun)
            writing = _Writing(folder, begun or manifest, sink, reader.total_bytes)
            sink.note(f"Ray: {share}")
            _encode(request, ray, planned, share, writing)
    except (KeyboardInterrupt, SystemExit):
        tell_what_is_there(folder, sink)
        raise
    finally:
        if writing is not None:
            with suppress(BertcliError, OSError):  # what there is to say has been said
                remove_parts(folder, writing.manifest)  # of actors that were ended
            if is_new:
                remove_empty(folder)
    sink.sum_up(writing.summary())
    if begun is not None:
        sink.note(f"{begun.rows:,} rows were there already")
    return sink.end(Passed(writing.manifest.rows, writing.manifest.skipped))


def _encode(request: EncodeRequest, ray: Any, planned: SessionRequest, share: ActorPlan, writing: _Writing) -> None:
    work = Work(request, planned, writing.manifest, writing.folder, str(Path.cwd()))
    try:
        for packed in results(ray, Reading(work), OpenEncoder(work), share):
            writing.take(ShardResult.of(packed))
    finally:
        writing.sink.end_progress()
    writing.finish()


class _Writing:
    """What is in the folder, as far as this process has been told. total: bytes of the input, if known."""

    def __init__(self, folder: AnyPath, manifest: Manifest, sink: Sink, total: int | None) -> None:
        self.folder, self.manifest, self.sink, self._total = folder, manifest, sink, total
        self._tally = Tally()
        self._noted: set[str] = set()
        self._skipped = 0
        self._started = time.monotonic()

    def take(self, encoded: ShardResult) -> None:
        """A shard that is there."""
        for missing in encoded.unanswered:
            self.sink.tell_skipped(missing)
        for note in encoded.notes:
            if note not in self._noted:  # each actor learns it by itself
                self._noted.add(note)
                self.sink.note(note)
        _check_is_here(self.folder, encoded.shard)
        self.manifest = self.manifest.with_shard(encoded.shard, encoded.id_type)
        self.manifest.save(self.folder)
        self._skipped += len(encoded.unanswered)
        self._tally.add(encoded.tally)
        if self.sink.draws_progress:
            self.sink.show_progress(self.summary(), encoded.read_bytes, self._total)

    def finish(self) -> None:
        """All shards are there."""
        self.manifest = replace(self.manifest, is_complete=True)
        self.manifest.save(self.folder)

    def summary(self) -> RunSummary:
        """What the run has come to."""
        return self._tally.summary(self._skipped, time.monotonic() - self._started)


def _check_goes_with_ray(request: EncodeRequest) -> None:
    """Raise WrongUsage for what a cluster cannot do."""
    texts, gpus, device = request.texts, request.ray.gpus_per_actor, request.model.device
    if STDIN in texts.texts or STDIN in texts.file or not (texts.texts or texts.file):
        raise WrongUsage("--ray reads in the cluster, where this standard input is not", hint="give files with -f")
    for path in map(located, texts.file):
        if isinstance(path, Path) and is_device(path) and not path.is_dir():
            raise WrongUsage(
                f"--ray reads in the cluster, where the stream {path} is not", hint="write it to a file first"
            )
    if request.corpus.dedupe:
        raise WrongUsage("--dedupe knows the texts of one process, and --ray has several", hint="leave one of them out")
    if gpus is not None and not (gpus <= 1 or gpus.is_integer()):
        raise WrongUsage(
            f"--gpus-per-actor {gpus:g} is neither a part of a GPU nor a number of GPUs", hint="use such as 0.5, 1 or 2"
        )
    if gpus and (device not in ("auto", "cuda") or request.model.engine == NUMPY):
        option = f"--device {device}" if device != "auto" else "--engine numpy"
        raise WrongUsage(f"--gpus-per-actor and {option} contradict each other", hint="leave one of them out")
    if not gpus and device not in ("auto", "cpu"):
        raise WrongUsage(
            f"--device {device} is for actors that have a GPU", hint="say how many of them with --gpus-per-actor 1"
        )


def _planned(asked: SessionRequest, session: Session, share: ActorPlan) -> SessionRequest:
    """What each actor is to open: the same model, on the same engine and as many threads."""
    engine = session.engine_choice.engine
    return replace(
        asked,
        # The commit that was found here, whatever its branch is at when a node asks for it.
        revision=session.checkpoint.revision or asked.revision,
        engine=TORCH if share.gpus and engine == NUMPY else engine,
        device="cuda" if share.gpus else "cpu",
        threads=asked.threads or share.threads,
    )


def _description(request: EncodeRequest, session: Session, planned: SessionRequest) -> dict[str, Any]:
    found = session.checkpoint
    info = RunInfo("encode", found.name, found.revision, planned.engine, planned.device, str(planned.dtype))
    batch_tokens = planned.batch_tokens or batch_tokens_on(planned.device)
    return dict(describe(request, info, found.folder, planned.threads or 1, batch_tokens))


def _shard_rows(request: EncodeRequest, reader: TextReader, share: ActorPlan, begun: Manifest | None) -> int:
    if request.corpus.shard_rows is not None or begun is not None:
        return request.corpus.shard_rows or (begun.shard_rows if begun is not None else SHARD_ROWS)
    rows = reader.known_bytes() // _SENTENCE_BYTES
    return min(SHARD_ROWS, max(_FEWEST_ROWS, rows // (_SHARDS_EACH * share.actors)))


def _check_is_here(folder: AnyPath, shard: Shard) -> None:
    """Raise OutputError for a shard that a node has written to a folder of its own."""
    path = folder / shard.file
    if isinstance(path, Path) and not (path.is_file() and size_of(path) == shard.bytes):
        raise OutputError(
            f"{path} was written on another machine",
            hint="name a folder that every node has, such as s3://bucket/folder/",
        )
