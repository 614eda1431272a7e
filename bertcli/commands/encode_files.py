"""What encode writes to files of arrays and of rows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from bertcli.analysis.embeddings.encode import EncodeOptions, layer_indices
from bertcli.choices import Pooling
from bertcli.model.session import Session
from bertcli.output.files.arrays import TENSOR_SUFFIXES, Column, NpyWriter, tensor_writers
from bertcli.output.sink import FOLDER, ArrayWriters
from bertcli.results.embeddings import EncodeRecord

if TYPE_CHECKING:
    from bertcli.commands.encode import EncodeRequest
    from bertcli.output.files.parquet import ParquetLayout
    from bertcli.output.records import RecordWriter

MATRIX_SUFFIX = ".npy"
PARQUET_SUFFIX = ".parquet"
# A file of it, and a folder of such files.
PARQUET = (PARQUET_SUFFIX, FOLDER)
ARRAY_SUFFIXES = (MATRIX_SUFFIX, *TENSOR_SUFFIXES, PARQUET_SUFFIX)


def encode_options(request: EncodeRequest, session: Session, format_: str, *, is_looked_at: bool) -> EncodeOptions:
    """What is to be computed: what was asked for, and what the format cannot do without. Raises MissingPooler."""
    has_rows = format_ in PARQUET
    if request.pooler or request.pool == Pooling.POOLER:
        session.require_pooler()
    return EncodeOptions(
        pool=request.pool,
        normalize=request.normalize,
        tokens=request.tokens or is_looked_at or format_ in TENSOR_SUFFIXES,
        pooler=request.pooler or (is_looked_at and session.has_pooler),
        layers=() if request.layers is None else layer_indices(request.layers, session.config.num_hidden_layers),
        layer_tokens=request.tokens or not has_rows,
        layer_embeddings=has_rows,
    )


def array_writers(session: Session, request: EncodeRequest, options: EncodeOptions) -> ArrayWriters:
    """Writers of every file that is not of text."""
    dtype = dtype_out(request)
    columns = {"last_hidden_state": Column(lambda record: record.last_hidden_state.astype(dtype), missing=np.nan)}
    constants = {}
    if request.pooler:
        columns["pooler_output"] = Column(lambda record: record.pooler_output.astype(dtype), missing=np.nan)
    if options.layers:
        columns["hidden_states"] = Column(
            lambda record: np.stack(record.hidden_states).astype(dtype), missing=np.nan, batch_axis=1
        )
        constants["layers"] = np.array(options.layers)

    def matrix(stream: BinaryIO) -> RecordWriter:
        return NpyWriter(stream, session.config.hidden_size, lambda record: record.embedding, dtype)

    def parquet(stream: BinaryIO) -> RecordWriter:
        from bertcli.output.files.parquet import ParquetWriter

        return ParquetWriter(stream, parquet_layout(session, request, options))

    return {MATRIX_SUFFIX: matrix, PARQUET_SUFFIX: parquet, **tensor_writers(session, columns, constants)}


def parquet_layout(session: Session, request: EncodeRequest, options: EncodeOptions) -> ParquetLayout:
    """The columns of Parquet for what was asked for."""
    from bertcli.output.files.parquet import ParquetLayout, TokenColumn, VectorColumn

    vectors = [VectorColumn("embedding", lambda record: record.embedding)]
    if request.pooler:
        vectors.append(VectorColumn("pooler_output", lambda record: record.pooler_output))
    tokens = []
    if request.tokens:
        tokens.append(TokenColumn("tokens", lambda record: record.text.tokens, is_vectors=False))
        tokens.append(TokenColumn("token_vectors", lambda record: record.last_hidden_state))
    for place, layer in enumerate(options.layers):
        vectors.append(VectorColumn(f"layer_{layer}", _nth_layer(place)))
        if request.tokens:
            tokens.append(TokenColumn(f"layer_{layer}_token_vectors", _nth_layer(place, token_by_token=True)))
    has_pairs = request.texts.pair is not None or request.texts.pairs
    follows = [VectorColumn("next_sentence", lambda record: record.next_sentence)]
    return ParquetLayout(
        hidden=session.config.hidden_size,
        vectors=vectors,
        tokens=tokens,
        numbers=follows if has_pairs and session.has_next_sentence_head else (),
        keeps=(("text", "pair") if has_pairs else ("text",)) if request.corpus.keep_text else (),
        has_ids=request.texts.id_field is not None,
        has_index=request.ray.is_asked,
        dtype=dtype_out(request),
        metadata={"bertcli": json.dumps(session.info("encode").as_json())},
    )


def dtype_out(request: EncodeRequest) -> str:
    """What vectors are written in."""
    return str(request.corpus.dtype_out or "float32")


def _nth_layer(place: int, *, token_by_token: bool = False) -> Any:
    def of(record: EncodeRecord) -> Any:
        return (record.hidden_states if token_by_token else record.layer_embeddings)[place]

    return of
