"""encode into a folder on Ray: this process plans the run and writes the manifest, the cluster writes the shards."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bertcli.choices import EngineName
from bertcli.cluster.collector import ManifestCollector
from bertcli.cluster.connection import connected, nodes, results
from bertcli.cluster.plan import ActorPlan, plan_actors
from bertcli.cluster.workers import ClusterWork, EncoderFactory, InputReader
from bertcli.commands.encode.folder import (
    as_started,
    describe_run,
    folder_plan,
    report_early_end,
    report_resumed,
    shard_limits,
)
from bertcli.commands.encode.labels import note_missing_context, shown_heads
from bertcli.commands.encode.outputs import encode_options, parquet_layout
from bertcli.commands.encode.request import EncodeRequest
from bertcli.commands.opening import note_doubts
from bertcli.errors import BertcliError, ExitCode
from bertcli.input.reader import TextReader
from bertcli.model.engine_choice import default_batch_tokens
from bertcli.model.request import SessionRequest
from bertcli.model.session import Session, open_session
from bertcli.output.destination import FOLDER, Destination
from bertcli.output.files.folder import check_same_run, find_started_run, open_folder, prepare_folder
from bertcli.output.files.lock import FolderLock
from bertcli.output.files.shards import remove_leftovers
from bertcli.output.sink import Sink, Written
from bertcli.results.corpus import Manifest
from bertcli.results.texts import RunInfo

if TYPE_CHECKING:
    from bertcli.storage import AnyPath


def encode_on_ray(request: EncodeRequest, sink: Sink, folder: AnyPath) -> ExitCode:
    """Encode every text that no shard has yet, each shard by one of the actors of a cluster."""
    collector = None
    sink.reporter.note_if_interrupted("nothing has been computed yet")
    with open_folder(folder, sink.reporter.note) as lock:
        started = find_started_run(folder, resume=request.corpus.resume, force=request.output.force)
        reader = TextReader(request.texts.source())
        model = as_started(request.session, started)
        # Open the model here once, so that problems of the model and the options are reported before anything starts.
        session = open_session(replace(model, device="cpu"), reader.estimate_bytes, sink.reporter.announce)
        note_doubts(session, sink.reporter)
        note_missing_context(request, shown_heads(request, session, FOLDER), sink.reporter)
        try:
            with (
                report_early_end(folder, started, sink),
                connected(request.ray.ray_address, sink.reporter.note) as ray,
            ):
                plan = plan_actors(nodes(ray), request.ray.actors, request.ray.gpus_per_actor or 0)
                planned = _actor_session(model, session, plan)
                limits = shard_limits(request, session, planned.device, started)
                manifest = Manifest(_about(request, session, planned), limits)
                if started is not None:
                    check_same_run(folder, started, manifest.about, limits)
                prepare_folder(folder, started or manifest)
                sink.reporter.note_if_interrupted(f"complete shards are saved in {folder}/; continue with --resume")
                collector = ManifestCollector(folder, started or manifest, sink.reporter, reader.total_bytes)
                sink.reporter.note(f"Ray: {plan}")
                work = _cluster_work(request, session, planned, collector.manifest, folder)
                _collect(ray, work, plan, collector, lock, sink)
                collector.finish(session.tokenizer.special_tokens.unk)
        finally:
            if collector is not None:
                with suppress(BertcliError, OSError):  # an earlier error is being reported already
                    remove_leftovers(folder, collector.manifest)  # of actors that were ended
    sink.reporter.note_if_interrupted(None)
    sink.reporter.summarize(collector.summary())
    report_resumed(started, sink)
    return sink.end(Written(collector.manifest.rows, collector.manifest.skipped))


def _collect(
    ray: Any, work: ClusterWork, plan: ActorPlan, collector: ManifestCollector, lock: FolderLock, sink: Sink
) -> None:
    try:
        for result in lock.watch(results(ray, InputReader(work), EncoderFactory(work), plan)):
            collector.add(result)
    finally:
        sink.reporter.end()


def _cluster_work(
    request: EncodeRequest, session: Session, planned: SessionRequest, manifest: Manifest, folder: AnyPath
) -> ClusterWork:
    options = encode_options(request, session, Destination(FOLDER, folder=folder))
    return ClusterWork(
        source=request.texts.source(),
        on_error=request.texts.on_error,
        session=planned,
        options=options,
        layout=parquet_layout(session, request, options, _info(session, planned)),
        plan=folder_plan(options),
        manifest=manifest,
        folder=folder,
        working_folder=str(Path.cwd()),
    )


def _actor_session(model: SessionRequest, session: Session, plan: ActorPlan) -> SessionRequest:
    """Return the request that each actor opens its session with."""
    engine = session.engine_choice.engine
    return replace(
        model,
        # The commit that was found here, even if the branch changes before a node asks for it.
        revision=session.checkpoint.revision or model.revision,
        engine=EngineName.TORCH if plan.gpus and engine == EngineName.NUMPY else EngineName(engine),
        device="cuda" if plan.gpus else "cpu",
        threads=model.threads or plan.threads,
    )


def _info(session: Session, planned: SessionRequest) -> RunInfo:
    found = session.checkpoint
    run = (planned.engine, planned.device, str(planned.dtype))
    return RunInfo("encode", found.name, found.revision, *run, session.recipe.shown)


def _about(request: EncodeRequest, session: Session, planned: SessionRequest) -> dict[str, Any]:
    batch_tokens = planned.batch_tokens or default_batch_tokens(planned.device)
    info, folder = _info(session, planned), session.checkpoint.whole_folder
    return dict(describe_run(request, info, folder, planned.threads or 1, batch_tokens))
