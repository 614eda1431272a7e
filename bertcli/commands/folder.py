"""A run into a folder: Parquet shards, with a manifest from which an interrupted run can be resumed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from functools import cache, partial
from typing import TYPE_CHECKING

from bertcli.commands.corpus import CorpusRun, as_started
from bertcli.commands.opening import note_doubts
from bertcli.commands.precision import report_precision
from bertcli.commands.reports import note_all, report_early_end, report_resumed
from bertcli.errors import ExitCode
from bertcli.input.reader import TextReader
from bertcli.input.records import FailedText, TextRecord
from bertcli.model.session import Session, open_session
from bertcli.output.files.folder import check_same_run, find_started_run, open_folder, prepare_folder
from bertcli.output.files.lock import FolderLock
from bertcli.output.files.shard_job import ShardJob
from bertcli.output.files.shards import ShardFolderWriter
from bertcli.output.sink import Sink, Written
from bertcli.pipeline.resume import skip_finished
from bertcli.pipeline.scheduler import Run
from bertcli.pipeline.shards import PartBoundaries, ShardBoundaries
from bertcli.results.corpus import Manifest

if TYPE_CHECKING:
    from bertcli.storage import AnyPath


def run_corpus(run: CorpusRun, sink: Sink) -> ExitCode:
    """Write the shards of a run into the folder of its output, in this process or on Ray."""
    folder = sink.destination.folder
    assert folder is not None
    if run.ray.is_requested:
        from bertcli.commands.ray import run_on_ray

        return run_on_ray(run, sink, folder)
    return run_into_folder(run, sink, folder)


def run_into_folder(run: CorpusRun, sink: Sink, folder: AnyPath) -> ExitCode:
    """Compute every text that no shard has yet."""
    sink.reporter.note_if_interrupted("nothing has been computed yet")
    with open_folder(folder, sink.reporter.note) as lock:
        started = find_started_run(folder, resume=run.corpus.resume, force=run.output.force)
        reader = TextReader(run.source)
        model = as_started(run.session, started)
        session = open_session(model, cache(partial(reader.estimate_work, run.passes)), sink.reporter.announce)
        note_doubts(session, sink.reporter)
        info = run.info(session)
        job = run.command.set_up(session, info, sink.reporter.announce)
        note_all(job, sink)
        threads = session.engine.ops.count_threads()
        about = run.describe(info, job.options(), session.checkpoint.whole_folder, threads, session.batch_tokens)
        limits = run.limits(session, session.engine_choice.device, started)
        if started is not None:
            check_same_run(folder, started, about, limits)
        manifest = started or Manifest(about, limits)
        prepare_folder(folder, manifest)
        # For an end that leaves no time to count them.
        sink.reporter.note_if_interrupted(f"any complete shards are saved in {folder}/; continue with --resume")
        with report_early_end(folder, started, sink):
            written = _write_shards(job, session, reader, sink, folder, manifest, lock)
    sink.reporter.note_if_interrupted(None)
    report_resumed(started, sink)
    return sink.end(Written(written.count + manifest.rows, written.skipped + manifest.skipped))


def _write_shards(
    job: ShardJob,
    session: Session,
    reader: TextReader,
    sink: Sink,
    folder: AnyPath,
    manifest: Manifest,
    lock: FolderLock,
) -> Written:
    boundaries = ShardBoundaries(manifest.limits)
    with ExitStack() as stack:
        dedupe = None
        watchers: list[Callable[[TextRecord | FailedText], None]] = []  # of texts in finished shards
        if job.dedupe is not None:
            # Closed after the threads of the run, which use it.
            dedupe = stack.enter_context(job.dedupe.open(sink.destination.scratch_folder))
            watchers.append(job.dedupe.seeder(dedupe, folder, manifest))
        plan = replace(job.plan, boundaries=PartBoundaries(boundaries, job.plan.parts))
        note, predicts = sink.reporter.note, job.predicts_tokens
        run = stack.enter_context(Run(session, reader, plan, sink.reporter, note, predicts_tokens=predicts))
        if run.meter is not None:
            watchers.append(run.meter.add)
        writer = stack.enter_context(ShardFolderWriter(folder, manifest, job.layout, boundaries))
        new = skip_finished(boundaries.watch(reader.windows()), manifest, boundaries, watchers)
        answers = run.answers(
            job.compute, windows=job.divided(new), check=job.check, dedupe=dedupe, documents=job.documents
        )
        written = sink.write_all(lock.watch(job.joined(answers)), writer)
        sink.reporter.summarize(replace(run.summary(), texts=written.count, skipped=written.skipped))
        # A run that had nothing to do keeps what an earlier one measured.
        if (written.count or manifest.precision is None) and run.precision is not None:
            writer.add_precision(run.precision)
            report_precision(run, sink)
    return written
