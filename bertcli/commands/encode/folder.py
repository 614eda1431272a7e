"""encode into a folder: Parquet shards, with a manifest from which an interrupted run can be resumed."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack, closing, suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from bertcli.analysis.embeddings.encode import EncodeOptions, encode
from bertcli.checkpoints.required_files import fingerprint
from bertcli.choices import EngineName
from bertcli.commands.encode.outputs import encode_options, parquet_layout, sort_window
from bertcli.commands.encode.request import SHARD_ROWS, EncodeRequest
from bertcli.errors import BertcliError, ExitCode
from bertcli.input.reader import TextReader
from bertcli.model.request import SessionRequest
from bertcli.model.session import Session, open_session
from bertcli.output.files.folder import check_same_run, find_started_run, prepare_folder, remove_if_empty
from bertcli.output.files.shards import ShardFolderWriter, load_manifest
from bertcli.output.sink import Sink, Written
from bertcli.pipeline.resume import InputDigests, skip_finished
from bertcli.pipeline.scheduler import Plan, Run
from bertcli.results.corpus import Manifest
from bertcli.results.texts import RunInfo

if TYPE_CHECKING:
    from pathlib import Path

    from bertcli.storage import AnyPath


def encode_into_folder(request: EncodeRequest, sink: Sink, folder: AnyPath) -> ExitCode:
    """Encode every text that no shard has yet."""
    started = find_started_run(folder, resume=request.corpus.resume, force=request.output.force)
    shard_rows = request.corpus.shard_rows or (SHARD_ROWS if started is None else started.shard_rows)
    reader = TextReader(request.texts.source())
    model = as_started(request.model, started)
    session = open_session(model, reader.estimate_bytes, sink.reporter.announce)
    options = encode_options(request, session, sink.destination.format, is_looked_at=False)
    threads = session.engine.ops.count_threads()
    about = describe_run(request, session.info("encode"), session.checkpoint.folder, threads, session.batch_tokens)
    if started is not None:
        check_same_run(folder, started, about, shard_rows)
    is_new = not folder.exists()
    prepare_folder(folder, started)
    manifest = started or Manifest(about, shard_rows)
    try:
        written = _encode(request, session, reader, options, sink, folder, manifest)
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            report_interrupted(folder, sink)
        if is_new:
            remove_if_empty(folder)
        raise
    report_resumed(started, sink)
    return sink.end(Written(written.count + manifest.rows, written.skipped + manifest.skipped))


def folder_plan(options: EncodeOptions, shard_rows: int) -> Plan:
    """Return how texts are grouped if they are written into shards of that many rows."""
    return Plan(sort_window=sort_window(options), shard_rows=shard_rows, ids_only=not options.tokens)


def as_started(model: SessionRequest, started: Manifest | None) -> SessionRequest:
    """Return the request with the engine, device and threads of the run to resume.

    Others would change the last digits. An engine or device that the user names stays, and check_same_run reports it.
    """
    if started is None:
        return model
    engine, device = (started.about[name] for name in ("engine", "device"))
    return replace(
        model,
        engine=engine if model.engine == EngineName.AUTO else model.engine,
        device=device if model.device == "auto" else model.device,
        threads=started.about["threads"],
    )


def describe_run(
    request: EncodeRequest, info: RunInfo, checkpoint: Path, threads: int, batch_tokens: int
) -> Mapping[str, Any]:
    """Return everything except the texts that the rows depend on, for the manifest.

    Args:
        request: The options.
        info: The model and engine.
        checkpoint: Folder of the checkpoint.
        threads: Number of CPU threads.
        batch_tokens: Token budget of a batch.
    """
    texts, corpus, model = request.texts, request.corpus, request.model
    return {
        **info.as_json(),
        "model_sha256": fingerprint(checkpoint),
        "threads": threads,
        "options": {
            "pool": str(request.pooling),
            "normalize": request.normalize,
            "tokens": request.tokens,
            "layers": request.layers,
            "pooler": request.pooler,
            "dtype_out": request.dtype_out,
            "keep_text": corpus.keep_text,
            "dedupe": corpus.dedupe,
            "ray": request.ray.is_requested,
            "batch_tokens": batch_tokens,
            "batch_size": model.batch_size,
            "max_length": model.max_length,
            "truncate": model.truncate,
            "pair": texts.pair,
            "pairs": texts.pairs,
            "field": texts.text_field,
            "id_field": texts.id_field,
        },
    }


def report_interrupted(folder: AnyPath, sink: Sink) -> None:
    """Report how much of an interrupted run is saved, and how to continue."""
    with suppress(BertcliError, OSError):
        if (manifest := load_manifest(folder)) is not None:
            sink.reporter.note_if_interrupted(f"{manifest.rows:,} rows are saved in {folder}/; continue with --resume")


def report_resumed(started: Manifest | None, sink: Sink) -> None:
    """Report how many rows a resumed run found done."""
    if started is not None:
        sink.reporter.note(f"resumed: {started.rows:,} rows already done")


def _encode(
    request: EncodeRequest,
    session: Session,
    reader: TextReader,
    options: EncodeOptions,
    sink: Sink,
    folder: AnyPath,
    manifest: Manifest,
) -> Written:
    digests = InputDigests(manifest.shard_rows)
    layout = parquet_layout(session, request, options, session.info("encode"))
    with ExitStack() as stack:
        dedupe = on_replayed = None
        if request.corpus.dedupe:
            from bertcli.pipeline.dedupe import DedupeCache, ShardSeeder

            cache = DedupeCache(sink.destination.scratch_folder, session.config.hidden_size, options)
            dedupe = stack.enter_context(closing(cache))  # closed after the threads of the run, which use it
            on_replayed = ShardSeeder(cache, folder, manifest, [vector.name for vector in layout.vectors])
        plan = folder_plan(options, manifest.shard_rows)
        run = stack.enter_context(Run(session, reader, plan, sink.reporter, sink.reporter.note))
        writer = stack.enter_context(ShardFolderWriter(folder, manifest, layout, digests.take))
        new = skip_finished(digests.watch(reader.windows()), manifest, digests, on_replayed)
        answers = run.answers(partial(encode, session, options=options), windows=new, dedupe=dedupe)
        written = sink.write_all(answers, writer)
    sink.reporter.summarize(run.summary())
    return written
