"""encode into a folder: shards of Parquet with a manifest, which a run that broke off is gone on with."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from bertcli.analysis.embeddings.encode import EncodeOptions, encode
from bertcli.checkpoints.files import fingerprint
from bertcli.cli.options import SHARD_ROWS
from bertcli.commands.bulk import Bulk, folder_plan
from bertcli.commands.encode_files import dtype_out, encode_options, parquet_layout
from bertcli.commands.opening import session_request
from bertcli.errors import BertcliError, ExitCode
from bertcli.input.reader import TextReader
from bertcli.model.session import Session, SessionRequest, open_session
from bertcli.output.files.folder import check_same_run, find_begun, prepare, remove_empty
from bertcli.output.files.manifest import Manifest, load_manifest
from bertcli.output.files.shards import ShardsWriter
from bertcli.output.sink import Passed, Sink
from bertcli.pipeline.dedupe import known_from_shards
from bertcli.pipeline.resume import InputDigests, after_replay
from bertcli.results.texts import RunInfo

if TYPE_CHECKING:
    from pathlib import Path

    from bertcli.commands.encode import EncodeRequest
    from bertcli.storage import AnyPath


def encode_into_folder(request: EncodeRequest, sink: Sink, folder: AnyPath) -> ExitCode:
    """Encode every text that no shard has yet."""
    begun = find_begun(folder, resume=request.corpus.resume, force=sink.force)
    shard_rows = request.corpus.shard_rows or (SHARD_ROWS if begun is None else begun.shard_rows)
    reader = TextReader(request.texts.source())
    session = _open(request, reader, begun, sink)
    options = encode_options(request, session, sink.format, is_looked_at=False)
    threads = session.engine.ops.use_threads()
    description = describe(request, session.info("encode"), session.checkpoint.folder, threads, session.batch_tokens)
    if begun is not None:
        check_same_run(folder, begun, description, shard_rows)
    is_new = not folder.exists()
    prepare(folder, begun)
    manifest = begun or Manifest(description, shard_rows)
    try:
        passed = _encode(request, session, reader, options, sink, folder, manifest)
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt | SystemExit):
            tell_what_is_there(folder, sink)
        if is_new:
            remove_empty(folder)
        raise
    if begun is not None:
        sink.note(f"{manifest.rows:,} rows were there already")
    return sink.end(Passed(passed.count + manifest.rows, passed.skipped + manifest.skipped))


def tell_what_is_there(folder: AnyPath, sink: Sink) -> None:
    """Of a run that was interrupted: how much of it a later one need not do again."""
    with suppress(BertcliError, OSError):
        if (manifest := load_manifest(folder)) is not None:
            sink.note(f"interrupted: {manifest.rows:,} rows are in {folder}/; --resume goes on with them")


def _open(request: EncodeRequest, reader: TextReader, begun: Manifest | None, sink: Sink) -> Session:
    """The model, on the engine and the threads that the run was begun with: with others the last digits differ."""
    asked = as_begun(session_request(request.model), begun)
    return open_session(asked, reader.known_bytes, sink.announce, sink.note)


def as_begun(asked: SessionRequest, begun: Manifest | None) -> SessionRequest:
    """The request on the engine, the device and the threads of the run that it goes on with, if there is one."""
    if begun is None:
        return asked
    engine, device = (begun.about[name] for name in ("engine", "device"))
    return replace(
        asked,
        engine=engine if asked.engine == "auto" else asked.engine,
        device=device if asked.device == "auto" else asked.device,
        threads=begun.about["threads"],
    )


def _encode(
    request: EncodeRequest,
    session: Session,
    reader: TextReader,
    options: EncodeOptions,
    sink: Sink,
    folder: AnyPath,
    manifest: Manifest,
) -> Passed:
    digests = InputDigests(manifest.shard_rows)
    layout = parquet_layout(session, request, options)
    plan = folder_plan(options, manifest.shard_rows)
    with (
        Bulk(session, reader, sink, plan, always_summed=True) as bulk,
        ShardsWriter(folder, manifest, layout, digests.of) as writer,
    ):
        repeats = bulk.repeats(options) if request.corpus.dedupe else None
        replayed = known_from_shards(repeats, folder, manifest, [vector.name for vector in layout.vectors])
        new = after_replay(digests.watch(reader.windows()), manifest, digests, replayed)
        return sink.pass_on(bulk.answers(new, partial(encode, session, options=options), repeats), writer)


def describe(
    request: EncodeRequest, info: RunInfo, checkpoint: Path, threads: int, batch_tokens: int
) -> Mapping[str, Any]:
    """What the rows depend on, beside the texts, as the manifest has it."""
    texts, corpus, model = request.texts, request.corpus, request.model
    return {
        **info.as_json(),
        "model_sha256": fingerprint(checkpoint),
        "threads": threads,
        "options": {
            "pool": str(request.pool),
            "normalize": request.normalize,
            "tokens": request.tokens,
            "layers": request.layers,
            "pooler": request.pooler,
            "dtype_out": dtype_out(request),
            "keep_text": corpus.keep_text,
            "dedupe": corpus.dedupe,
            "ray": request.ray.is_asked,
            "batch_tokens": batch_tokens,
            "max_length": model.max_length,
            "truncate": model.truncate,
            "pair": texts.pair,
            "pairs": texts.pairs,
            "field": texts.text_field,
            "id_field": texts.id_field,
        },
    }
