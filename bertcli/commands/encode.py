"""bertcli encode: the vectors of texts."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from bertcli.analysis.embeddings.encode import EncodeOptions, encode
from bertcli.analysis.embeddings.pooling import cosine_similarity
from bertcli.choices import Pooling
from bertcli.cli.options import CorpusOptions, ModelOptions, OutputOptions, RayOptions, TextOptions
from bertcli.commands.encode_files import (
    ARRAY_SUFFIXES,
    MATRIX_SUFFIX,
    PARQUET,
    PARQUET_SUFFIX,
    array_writers,
    encode_options,
)
from bertcli.commands.opening import open_for_texts
from bertcli.errors import ExitCode, WrongUsage
from bertcli.input.reader import TextReader
from bertcli.input.records import FailedText
from bertcli.model.session import Session
from bertcli.output.files.arrays import TENSOR_SUFFIXES
from bertcli.output.schemas.encode import encode_schema
from bertcli.output.schemas.texts import with_ids
from bertcli.output.sink import FOLDER, Sink
from bertcli.results.embeddings import EncodeRecord

_Write = Callable[[Iterable[EncodeRecord | FailedText]], ExitCode]
_ARRAYS = (MATRIX_SUFFIX, *TENSOR_SUFFIXES, *PARQUET)


@dataclass(frozen=True, slots=True)
class EncodeRequest:
    """pool, normalize: how embeddings are made. tokens, pooler, layers, similarity: what is wanted beside them."""

    texts: TextOptions
    model: ModelOptions
    output: OutputOptions
    pool: Pooling
    normalize: bool
    tokens: bool
    pooler: bool
    layers: str | None
    similarity: bool
    corpus: CorpusOptions
    ray: RayOptions


def encode_texts(request: EncodeRequest) -> ExitCode:
    """Encode every text."""
    check = partial(_check_has_place, request)
    sink = Sink(request.output, request.texts.on_error, ARRAY_SUFFIXES, takes_folder=True, check=check)
    if sink.format in PARQUET:
        from bertcli.output.files.parquet import check_installed

        check_installed()
    if sink.folder is not None and request.ray.is_asked:
        from bertcli.commands.encode_ray import encode_on_ray

        return encode_on_ray(request, sink, sink.folder)
    if sink.folder is not None:
        from bertcli.commands.encode_folder import encode_into_folder

        return encode_into_folder(request, sink, sink.folder)
    session, reader = open_for_texts(request.texts, request.model, sink)
    options = encode_options(request, session, sink.format, is_looked_at=sink.wants_table)
    seen = _Seen()
    view = encode_schema(
        session.info("encode"),
        request.pool,
        wants_tokens=request.tokens,
        similarity=seen.similarity if request.similarity else None,
    )
    view = view if request.texts.id_field is None else with_ids(view)
    writers = array_writers(session, request, options)

    def write(answers: Iterable[EncodeRecord | FailedText]) -> ExitCode:
        return sink.write(session.info("encode"), view, seen.watch(answers) if request.similarity else answers, writers)

    # What appears when it is whole need not come text by text.
    if not sink.is_file or sink.wants_table or not (reader.reads_files or request.corpus.dedupe):
        return write(session.answers(reader.windows(), partial(encode, session, options=options)))
    return _encode_in_bulk(request, session, reader, options, sink, write)


def _encode_in_bulk(
    request: EncodeRequest, session: Session, reader: TextReader, options: EncodeOptions, sink: Sink, write: _Write
) -> ExitCode:
    from bertcli.commands.bulk import Bulk, sort_window
    from bertcli.pipeline.scheduler import BulkPlan

    plan = BulkPlan(
        sort_window=sort_window(options),
        # A pipe may be a dialogue, and what is wrong with a line is told when it has come.
        ends_at_silence=reader.total_bytes is None,
        tokens_only=sink.format in (MATRIX_SUFFIX, PARQUET_SUFFIX) and not options.tokens,
    )
    with Bulk(session, reader, sink, plan) as bulk:
        repeats = bulk.repeats(options) if request.corpus.dedupe else None
        return write(bulk.answers(reader.windows(), partial(encode, session, options=options), repeats))


def _check_has_place(request: EncodeRequest, sink: Sink) -> None:
    """Raise WrongUsage for what was asked for and would be lost in the format."""
    corpus, ray = request.corpus, request.ray
    looked_at = ("table", "svg", "json")
    vectors = (*looked_at, "jsonl", *TENSOR_SUFFIXES, *PARQUET)
    places: dict[str, tuple[bool, Sequence[str]]] = {
        "--tokens": (request.tokens, vectors),
        "--layers": (request.layers is not None, vectors),
        "--pooler": (request.pooler, vectors),
        "--similarity": (request.similarity, looked_at),
        "--dtype-out": (corpus.dtype_out is not None, _ARRAYS),
        "--keep-text": (corpus.keep_text, PARQUET),
        "--shard-rows": (corpus.shard_rows is not None, (FOLDER,)),
        "--resume": (corpus.resume, (FOLDER,)),
        "--ray": (ray.is_asked, (FOLDER,)),
        "--id-field": (request.texts.id_field is not None, (*PARQUET, "json", "jsonl", "csv", "tsv", "table", "svg")),
        "--dedupe": (corpus.dedupe and not sink.is_file, (MATRIX_SUFFIX, *PARQUET)),
    }
    for option, (is_asked, formats) in places.items():
        if is_asked and sink.format not in formats:
            shown = ", ".join("a folder (-o out/)" if name == FOLDER else name for name in formats)
            raise WrongUsage(
                f"{sink.format} has no place for {option}, which goes into {shown}",
                hint=f"use {_example(formats, sink)}, or leave {option} out",
            )
    for option, value in {"--actors": ray.actors, "--gpus-per-actor": ray.gpus_per_actor}.items():
        if value is not None and not ray.is_asked:
            raise WrongUsage(f"{option} is about Ray, and there is no --ray", hint=f"add it, or leave {option} out")
    goes_token_by_token = (
        request.tokens or sink.format in TENSOR_SUFFIXES or (request.layers is not None and sink.format not in PARQUET)
    )
    if corpus.dedupe and goes_token_by_token:
        raise WrongUsage(
            "--dedupe keeps a vector for each text, and none for each token",
            hint="leave --dedupe out, or --tokens and --layers",
        )
    if request.pool == Pooling.POOLER and request.layers is not None and sink.format in PARQUET:
        raise WrongUsage(
            "--layers in Parquet are pooled like the embedding, and the pooler is there for the last layer alone",
            hint="use --pool mean, cls or max; --pooler adds pooler_output",
        )


def _example(formats: Sequence[str], sink: Sink) -> str:
    """How one of the formats is asked for: a file where a file was to be written."""
    files = [name for name in formats if name in ARRAY_SUFFIXES]
    if "json" in formats and not (sink.is_file and files):
        return "--json"
    return f"-o out{files[-1]}" if files else "-o out/"


@dataclass(frozen=True, slots=True)
class _Seen:
    """The texts and embeddings that have gone by, for the matrix that comes after the last."""

    texts: list[str] = field(default_factory=list)
    embeddings: list[Any] = field(default_factory=list)

    def watch(self, answers: Iterable[EncodeRecord | FailedText]) -> Iterator[EncodeRecord | FailedText]:
        for answer in answers:
            if not isinstance(answer, FailedText):
                self.texts.append(answer.text.text)
                self.embeddings.append(answer.embedding)
            yield answer

    def similarity(self) -> tuple[Sequence[str], Any]:
        return self.texts, cosine_similarity(np.array(self.embeddings)) if self.texts else np.empty((0, 0))
