"""encode into a folder: Parquet shards, with a manifest from which an interrupted run can be resumed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bertcli.analysis.embeddings.encode import EncodeOptions
from bertcli.checkpoints.required_files import fingerprint
from bertcli.choices import EngineName
from bertcli.commands.encode.labels import note_missing_context
from bertcli.commands.encode.outputs import encode_info, encode_options, open_dedupe, parquet_layout, sort_window
from bertcli.commands.encode.request import EncodeRequest
from bertcli.commands.encode.windows import window_plan
from bertcli.commands.opening import note_doubts
from bertcli.errors import BertcliError, ExitCode
from bertcli.input.reader import TextReader
from bertcli.input.records import MAX_TEXT_BYTES
from bertcli.model.request import SessionRequest
from bertcli.model.session import Session, open_session
from bertcli.output.files.folder import check_same_run, find_started_run, open_folder, prepare_folder
from bertcli.output.files.lock import FolderLock
from bertcli.output.files.manifest import load_manifest
from bertcli.output.files.shards import ShardFolderWriter
from bertcli.output.formatting import counted
from bertcli.output.sink import Sink, Written
from bertcli.pipeline.resume import skip_finished
from bertcli.pipeline.scheduler import Plan, Run
from bertcli.pipeline.shards import ShardBoundaries, default_limits
from bertcli.results.corpus import Manifest, ShardLimits
from bertcli.results.texts import RunInfo

if TYPE_CHECKING:
    from pathlib import Path

    from bertcli.storage import AnyPath


def encode_into_folder(request: EncodeRequest, sink: Sink, folder: AnyPath) -> ExitCode:
    """Encode every text that no shard has yet."""
    sink.reporter.note_if_interrupted("nothing has been computed yet")
    with open_folder(folder, sink.reporter.note) as lock:
        started = find_started_run(folder, resume=request.corpus.resume, force=request.output.force)
        reader = TextReader(request.texts.source())
        model = as_started(request.session, started)
        session = open_session(model, reader.estimate_bytes, sink.reporter.announce)
        note_doubts(session, sink.reporter)
        options = encode_options(request, session, sink.destination)
        session.tokenizer.offers_windows = not options.needs_whole_texts
        note_missing_context(request, options.heads, sink.reporter)
        threads, info = session.engine.ops.count_threads(), encode_info(session)
        about = describe_run(request, info, session.checkpoint.whole_folder, threads, session.batch_tokens)
        limits = shard_limits(request, session, session.engine_choice.device, started)
        if started is not None:
            check_same_run(folder, started, about, limits)
        manifest = started or Manifest(about, limits)
        prepare_folder(folder, manifest)
        # For an end that leaves no time to count them.
        sink.reporter.note_if_interrupted(f"complete shards are saved in {folder}/; continue with --resume")
        with report_early_end(folder, started, sink):
            written = _encode(request, session, reader, options, sink, folder, manifest, lock)
    sink.reporter.note_if_interrupted(None)
    report_resumed(started, sink)
    return sink.end(Written(written.count + manifest.rows, written.skipped + manifest.skipped))


def folder_plan(options: EncodeOptions, boundaries: ShardBoundaries | None = None) -> Plan:
    """Return how texts are grouped if they are written into shards.

    Args:
        options: What is computed for each text.
        boundaries: The ends of the shards, None if all texts belong to one shard.
    """
    return Plan(sort_window=sort_window(options), boundaries=boundaries, ids_only=not options.needs_words)


def shard_limits(request: EncodeRequest, session: Session, device: str, started: Manifest | None) -> ShardLimits:
    """Return the size of the shards: the user's, that of the run to resume, or else one for the model and device."""
    if request.corpus.shard_rows is not None:
        return ShardLimits(request.corpus.shard_rows)
    if started is not None:
        return started.limits
    # In windows, the model sees all of a long text.
    max_tokens = MAX_TEXT_BYTES if request.model.reads_windows else session.tokenizer.limit
    return default_limits(session.config, device, max_tokens)


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
        info: The model, the engine and the recipe.
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
            "pool": str(request.embedding.pooling),
            "normalize": request.embedding.normalize,
            "prompt": request.embedding.prompt,
            "prompt_name": request.embedding.prompt_name,
            "tokens": request.tokens,
            "layers": request.layers,
            "pooler": request.pooler,
            "no_labels": not request.labels,
            "dtype_out": request.dtype_out,
            "keep_text": corpus.keep_text,
            "dedupe": corpus.dedupe,
            "ray": request.ray.is_requested,
            "batch_tokens": batch_tokens,
            "batch_size": model.batch_size,
            "layer_op": request.embedding.layer_op,
            "max_length": model.max_length,
            "long": str(model.on_long),
            "overlap": model.overlap,
            "pair": texts.pair,
            "pairs": texts.pairs,
            "field": texts.text_field,
            "id_field": texts.id_field,
        },
    }


@contextmanager
def report_early_end(folder: AnyPath, started: Manifest | None, sink: Sink) -> Iterator[None]:
    """Report how much is saved, and how to continue, if the context is left by an interrupt or an error.

    Args:
        folder: The folder that is written.
        started: The manifest of the run that is resumed, None for a new run.
        sink: Where the report goes.
    """
    try:
        yield
    except KeyboardInterrupt:
        with suppress(BertcliError, OSError):
            sink.reporter.note_if_interrupted(_describe_saved(_saved_rows(folder), folder))
        raise
    except (BertcliError, OSError, MemoryError):
        with suppress(BertcliError, OSError):
            rows = _saved_rows(folder)
            if rows > (0 if started is None else started.rows):
                sink.reporter.note(_describe_saved(rows, folder))
        raise


def report_resumed(started: Manifest | None, sink: Sink) -> None:
    """Report how many rows a resumed run found done."""
    if started is not None:
        were = "was" if started.rows == 1 else "were"
        sink.reporter.note(f"resumed: {counted(started.rows, 'row')} {were} already done")


def _saved_rows(folder: AnyPath) -> int:
    manifest = load_manifest(folder)
    return 0 if manifest is None else manifest.rows


def _describe_saved(rows: int, folder: AnyPath) -> str:
    if not rows:
        return "no shard is complete, so nothing is saved; start again with the same command"
    are = "is" if rows == 1 else "are"
    return f"{counted(rows, 'row')} {are} saved in {folder}/; continue with the same command and --resume"


def _encode(
    request: EncodeRequest,
    session: Session,
    reader: TextReader,
    options: EncodeOptions,
    sink: Sink,
    folder: AnyPath,
    manifest: Manifest,
    lock: FolderLock,
) -> Written:
    boundaries = ShardBoundaries(manifest.limits)
    layout = parquet_layout(session, request, options, encode_info(session))
    with ExitStack() as stack:
        # Closed after the threads of the run, which use it.
        dedupe = stack.enter_context(open_dedupe(request, session, options, sink.destination.scratch_folder))
        on_replayed = None
        if dedupe is not None:
            from bertcli.pipeline.dedupe import ShardSeeder

            on_replayed = ShardSeeder(dedupe, folder, manifest, [vector.name for vector in layout.vectors])
        plan = folder_plan(options, boundaries)
        run = stack.enter_context(Run(session, reader, plan, sink.reporter, sink.reporter.note))
        writer = stack.enter_context(ShardFolderWriter(folder, manifest, layout, boundaries))
        new = skip_finished(boundaries.watch(reader.windows()), manifest, boundaries, on_replayed)
        compute, documents = window_plan(session, options)
        answers = run.answers(compute, windows=new, dedupe=dedupe, documents=documents)
        written = sink.write_all(lock.watch(answers), writer)
    sink.reporter.summarize(run.summary())
    return written
