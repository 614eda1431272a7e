"""A run on Ray: this process plans it and collects the results, the cluster computes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bertcli.choices import EngineName
from bertcli.cluster.collector import ManifestCollector, TotalCollector
from bertcli.cluster.connection import connected, nodes, results
from bertcli.cluster.plan import ActorPlan, plan_actors
from bertcli.cluster.workers import InputReader, ShardEncoder, ShardWork, TotalWork, TotalWorker
from bertcli.commands.corpus import CorpusRun, as_started
from bertcli.commands.opening import note_doubts
from bertcli.commands.precision import report_precision
from bertcli.commands.reports import note_all, report_early_end, report_resumed
from bertcli.errors import BertcliError, ExitCode
from bertcli.input.reader import TextReader
from bertcli.input.records import FailedText
from bertcli.lazy_dataclass import dataclass
from bertcli.model.dtypes import concrete_dtype
from bertcli.model.engine_choice import default_batch_tokens
from bertcli.model.request import SessionRequest
from bertcli.model.session import Session, open_session
from bertcli.output.files.folder import check_same_run, find_started_run, open_folder, prepare_folder
from bertcli.output.files.shards import remove_leftovers
from bertcli.output.sink import Sink, Written
from bertcli.pipeline.jobs import TotalCommand
from bertcli.results.corpus import Manifest
from bertcli.results.texts import RunInfo

if TYPE_CHECKING:
    from bertcli.storage import AnyPath


def run_on_ray(run: CorpusRun, sink: Sink, folder: AnyPath) -> ExitCode:
    """Compute every text that no shard has yet, each shard by one of the actors of a cluster."""
    collector = None
    sink.reporter.note_if_interrupted("nothing has been computed yet")
    with open_folder(folder, sink.reporter.note) as lock:
        started = find_started_run(folder, resume=run.corpus.resume, force=run.output.force)
        reader = TextReader(run.source)
        model = as_started(run.session, started)
        session = open_driver_session(run, model, reader, sink)
        # Also before Ray starts, so that what the options need is checked now.
        job = run.command.set_up(session, run.info(session, model), sink.reporter.announce)
        note_all(job, sink)
        try:
            with report_early_end(folder, started, sink), planned_actors(run, sink) as (ray, plan):
                planned = actor_session(model, session, plan)
                info = run.info(session, planned)
                batch_tokens = planned.batch_tokens or default_batch_tokens(planned.device)
                checkpoint = session.checkpoint.whole_folder
                about = dict(run.describe(info, job.options(), checkpoint, planned.threads or 1, batch_tokens))
                limits = run.limits(session, planned.device, started)
                if started is not None:
                    check_same_run(folder, started, about, limits)
                manifest = started or Manifest(about, limits)
                prepare_folder(folder, manifest)
                sink.reporter.note_if_interrupted(f"any complete shards are saved in {folder}/; continue with --resume")
                collector = ManifestCollector(folder, manifest, sink.reporter, reader.total_bytes, str(planned.dtype))
                sink.reporter.note(f"Ray: {plan}")
                work = ShardWork(
                    source=run.source,
                    on_error=run.texts.on_error,
                    session=planned,
                    manifest=manifest,
                    working_folder=str(Path.cwd()),
                    command=run.command,
                    info=info,
                    folder=folder,
                )
                try:
                    for result in lock.watch(results(ray, InputReader(work), partial(ShardEncoder, work), plan)):
                        collector.add(result)
                finally:
                    sink.reporter.end()
                collector.finish(session.tokenizer.special_tokens.unk)
        finally:
            if collector is not None:
                with suppress(BertcliError, OSError):  # an earlier error is being reported already
                    remove_leftovers(folder, collector.manifest)  # of actors that were ended
    sink.reporter.note_if_interrupted(None)
    sink.reporter.summarize(collector.summary())
    report_precision(collector, sink)
    report_resumed(started, sink)
    return sink.end(Written(collector.manifest.rows, collector.manifest.skipped))


@contextmanager
def totals_on_ray(run: CorpusRun, command: TotalCommand, sink: Sink) -> Iterator[RayTotals]:
    """Yield the sums over all texts, which the actors of a cluster compute.

    Args:
        run: The input, the checkpoint and the options.
        command: What is summed.
        sink: Its reporter shows notes and progress.
    """
    reader = TextReader(run.source)
    session = open_driver_session(run, run.session, reader, sink)
    job = command.set_up(session)
    note_all(job, sink)
    with planned_actors(run, sink) as (ray, plan):
        planned = actor_session(run.session, session, plan)
        sink.reporter.note(f"Ray: {plan}")
        work = TotalWork(
            source=run.source,
            on_error=run.texts.on_error,
            session=planned,
            manifest=Manifest({}, run.limits(session, planned.device)),
            working_folder=str(Path.cwd()),
            command=command,
        )
        collector = TotalCollector(job.start(), sink.reporter, reader.total_bytes, str(planned.dtype))
        found = results(ray, InputReader(work), partial(TotalWorker, work), plan)
        yield RayTotals(session, run.info(session, planned), collector, collector.failed_texts(found))
        collector.report_unknown(session.tokenizer.special_tokens.unk)


@dataclass(frozen=True, slots=True)
class RayTotals:
    """Sums over the texts of a run on Ray.

    Attributes:
        session: The checkpoint, open in this process.
        info: The model, and the engine of the actors.
        collector: Has the sums, once all failed texts have been taken.
        failed: The failed texts, as they come.
    """

    session: Session
    info: RunInfo
    collector: TotalCollector
    failed: Iterator[FailedText]


def open_driver_session(run: CorpusRun, model: SessionRequest, reader: TextReader, sink: Sink) -> Session:
    """Open the model in this process, so that its problems are reported before anything starts."""
    session = open_session(
        replace(model, device="cpu"), lambda: reader.estimate_work(run.passes), sink.reporter.announce
    )
    note_doubts(session, sink.reporter, device="cuda" if run.ray.gpus_per_actor else "cpu")
    return session


@contextmanager
def planned_actors(run: CorpusRun, sink: Sink) -> Iterator[tuple[Any, ActorPlan]]:
    """Yield the module ray, connected, and the plan of the actors."""
    with connected(run.ray.ray_address, sink.reporter.note) as ray:
        yield ray, plan_actors(nodes(ray), run.ray.actors, run.ray.gpus_per_actor or 0)


def actor_session(model: SessionRequest, session: Session, plan: ActorPlan) -> SessionRequest:
    """Return the request that each actor opens its session with."""
    chosen = session.engine_choice.engine
    engine = EngineName.TORCH if plan.gpus and chosen == EngineName.NUMPY else EngineName(chosen)
    device = "cuda" if plan.gpus else "cpu"
    return replace(
        model,
        # The commit that was found here, even if the branch changes before a node asks for it.
        revision=session.checkpoint.revision or model.revision,
        engine=engine,
        device=device,
        dtype=concrete_dtype(model.dtype, device, engine),
        threads=model.threads or plan.threads,
    )
