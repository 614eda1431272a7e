"""bertcli encode: the vectors of texts."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, BinaryIO

import numpy as np

from bertcli.commands.array_files import TENSOR_SUFFIXES, tensor_writers
from bertcli.commands.opening import open_for_texts
from bertcli.commands.sink import ArrayWriters, Sink
from bertcli.core.encoding import EncodeOptions, cosine_similarity, encode, layer_indices
from bertcli.core.session import Session
from bertcli.errors import ExitCode, WrongUsage
from bertcli.options import ModelOptions, OutputOptions, PoolName, TextOptions
from bertcli.render.views.encode import encode_view
from bertcli.render.views.texts import with_ids
from bertcli.results.encoding import EncodeRecord
from bertcli.texts import Unanswered
from bertcli.writers.arrays import Column, NpyWriter

MATRIX_SUFFIX = ".npy"


@dataclass(frozen=True, slots=True)
class EncodeRequest:
    """pool, normalize: how embeddings are made. tokens, pooler, layers, similarity: what is wanted beside them."""

    texts: TextOptions
    model: ModelOptions
    output: OutputOptions
    pool: PoolName
    normalize: bool
    tokens: bool
    pooler: bool
    layers: str | None
    similarity: bool


def encode_texts(request: EncodeRequest) -> ExitCode:
    """Encode every text."""
    sink = Sink(request.output, request.texts.on_error, (MATRIX_SUFFIX, *TENSOR_SUFFIXES))
    _check_has_place(request, sink)
    session, reader = open_for_texts(request.texts, request.model, sink)
    options = _options(request, session, sink)
    if options.pooler or options.pool == PoolName.POOLER:
        session.require_pooler()
    answers: Iterable[EncodeRecord | Unanswered] = session.answers(
        reader.windows(), partial(encode, session, options=options)
    )
    seen = _Seen()
    if request.similarity:
        answers = seen.watch(answers)
    info = session.info("encode")
    view = encode_view(
        info, request.pool, wants_tokens=request.tokens, similarity=seen.similarity if request.similarity else None
    )
    view = view if request.texts.id_field is None else with_ids(view)
    return sink.write(info, view, answers, _array_writers(session, request, options))


def _check_has_place(request: EncodeRequest, sink: Sink) -> None:
    """Raise WrongUsage for what was asked for and would be lost in the format."""
    vectors = {"--tokens": request.tokens, "--layers": request.layers is not None, "--pooler": request.pooler}
    for option, is_asked in {**vectors, "--similarity": request.similarity}.items():
        more = () if option == "--similarity" else ("jsonl", *TENSOR_SUFFIXES)
        formats = ("table", "svg", "json", *more)
        if is_asked and sink.format not in formats:
            raise WrongUsage(
                f"{sink.format} has no place for {option}, which goes into {', '.join(formats)}",
                hint=f"use --json, or leave {option} out",
            )


def _options(request: EncodeRequest, session: Session, sink: Sink) -> EncodeOptions:
    """What is to be computed: what was asked for, and what the format cannot do without."""
    is_looked_at = sink.wants_table
    return EncodeOptions(
        pool=request.pool,
        normalize=request.normalize,
        tokens=request.tokens or is_looked_at or sink.format in TENSOR_SUFFIXES,
        pooler=request.pooler or (is_looked_at and session.has_pooler),
        layers=() if request.layers is None else layer_indices(request.layers, session.config.num_hidden_layers),
    )


@dataclass(frozen=True, slots=True)
class _Seen:
    """The texts and embeddings that have gone by, for the matrix that comes after the last."""

    texts: list[str] = field(default_factory=list)
    embeddings: list[Any] = field(default_factory=list)

    def watch(self, answers: Iterable[EncodeRecord | Unanswered]) -> Iterator[EncodeRecord | Unanswered]:
        for answer in answers:
            if not isinstance(answer, Unanswered):
                self.texts.append(answer.text.text)
                self.embeddings.append(answer.embedding)
            yield answer

    def similarity(self) -> tuple[Sequence[str], Any]:
        return self.texts, cosine_similarity(np.array(self.embeddings)) if self.texts else np.empty((0, 0))


def _array_writers(session: Session, request: EncodeRequest, options: EncodeOptions) -> ArrayWriters:
    columns = {"last_hidden_state": Column(lambda record: record.last_hidden_state, missing=np.nan)}
    constants = {}
    if request.pooler:
        columns["pooler_output"] = Column(lambda record: record.pooler_output, missing=np.nan)
    if options.layers:
        columns["hidden_states"] = Column(lambda record: np.stack(record.hidden_states), missing=np.nan, batch_axis=1)
        constants["layers"] = np.array(options.layers)

    def matrix(stream: BinaryIO) -> NpyWriter:
        return NpyWriter(stream, session.config.hidden_size, lambda record: record.embedding)

    return {MATRIX_SUFFIX: matrix, **tensor_writers(session, columns, constants)}
