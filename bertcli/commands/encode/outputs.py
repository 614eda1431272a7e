"""Outputs of encode: what to compute for each format, and the writers of binary files."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import replace
from functools import partial
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from bertcli.analysis.embeddings.encode import EncodeOptions
from bertcli.analysis.embeddings.lexical import dense_vector
from bertcli.choices import SimilarityUnit
from bertcli.commands.encode.labels import parquet_columns, shown_heads
from bertcli.commands.encode.request import NPY_SUFFIX, PARQUET, EncodeRequest
from bertcli.commands.encode.words import select_words, word_writers
from bertcli.errors import WrongUsage
from bertcli.lazy_dataclass import dataclass
from bertcli.model.layer_numbers import hidden_state_indices
from bertcli.model.requirements import require_mlm_head, require_pooler
from bertcli.model.session import Session
from bertcli.output.destination import PARQUET_SUFFIX, TENSOR_SUFFIXES, Destination
from bertcli.output.files.arrays import ArrayColumn, NpyWriter, tensor_writers
from bertcli.output.schema import WINDOW_COLUMNS, WindowCell
from bertcli.results.embeddings import EncodeRecord
from bertcli.results.texts import RunInfo

if TYPE_CHECKING:
    from bertcli.output.files.parquet import ParquetLayout
    from bertcli.output.records import BinaryWriters, RecordWriter
    from bertcli.pipeline.dedupe import DedupeCache


def encode_options(request: EncodeRequest, session: Session, destination: Destination) -> EncodeOptions:
    """Return what to compute for a request and a format.

    Args:
        request: The options.
        session: The open checkpoint.
        destination: The destination. A table always shows tokens, and pooler_output if there is one.

    Raises:
        MissingPooler, MissingMlmHead: The checkpoint lacks a part that the recipe or an option needs.
        BadCheckpoint, UnsupportedModel: The recipe cannot be applied.
        WrongUsage: An option does not go together with a lexical recipe.
    """
    format_, is_looked_at = destination.format, destination.wants_table
    has_rows = format_ in PARQUET
    recipe, layers = session.recipe, request.added_layers
    if recipe.uses_pooler:
        require_pooler(session)
    if request.pooler:
        require_pooler(session, "leave --pooler out")
    if recipe.shown.is_lexical:
        require_mlm_head(session)
    _check_lexical(request, destination, is_lexical=recipe.shown.is_lexical)
    words = select_words(request.words, session)
    compares_tokens = request.similarity == SimilarityUnit.TOKENS
    shows_similarity = request.similarity is not None and format_ != "json"
    shows_tokens = is_looked_at and not shows_similarity and not recipe.shown.is_lexical
    keeps_tokens = shows_tokens or format_ in TENSOR_SUFFIXES
    return EncodeOptions(
        tokens=request.tokens or compares_tokens or (keeps_tokens and words is None),
        pooler=request.pooler or (shows_tokens and session.has_pooler),
        layers=() if layers is None else hidden_state_indices(layers, session.config.num_hidden_layers),
        layer_tokens=request.tokens or not has_rows,
        layer_embeddings=has_rows,
        term_tokens=not has_rows and format_ != NPY_SUFFIX,
        words=words,
        token_similarity=compares_tokens,
        heads=() if shows_similarity else shown_heads(request, session, format_),
    )


def encode_info(session: Session) -> RunInfo:
    """Return the model, the engine and the recipe of a run of encode."""
    return replace(session.info("encode"), recipe=session.recipe.shown)


def _check_lexical(request: EncodeRequest, destination: Destination, *, is_lexical: bool) -> None:
    """Check that the options go together with a lexical recipe, or with any other one. Raises WrongUsage."""
    if not is_lexical and request.top_k is not None and request.similarity is None:
        raise WrongUsage(
            "-k is the number of terms of a lexical vector, and these embeddings are not lexical",
            hint="leave -k out, or add --pooling lexical; with --similarity, -k is the number of nearest texts",
        )
    if is_lexical and request.corpus.dedupe:
        raise WrongUsage("--dedupe cannot keep lexical vectors", hint="leave --dedupe out")
    if is_lexical and request.added_layers is not None and destination.format in PARQUET:
        raise WrongUsage(
            "--layers in Parquet are pooled like the embedding, and lexical vectors exist for the last layer only",
            hint="use another --pooling, such as mean",
        )
    option = "--tokens" if request.tokens else "--pooler"
    if is_lexical and destination.wants_table and (request.tokens or request.pooler):
        raise WrongUsage(
            f"a table of the terms of a lexical vector does not show {option}",
            hint=f"use {destination.instead('json')}, or leave {option} out",
        )


def sort_window(options: EncodeOptions) -> int:
    """Return the number of batches' worth of texts to sort by length together.

    It is smaller where the vectors of tokens are kept, since each text then takes more memory.
    """
    keeps_tokens = options.tokens or options.words is not None or (options.layer_tokens and options.layers)
    return 4 if keeps_tokens else 16


def open_dedupe(
    request: EncodeRequest, session: Session, options: EncodeOptions, folder: Path
) -> AbstractContextManager[DedupeCache | None]:
    """Return a context that yields the cache of repeated texts, None without --dedupe.

    Args:
        request: The options.
        session: The open checkpoint.
        options: What is computed.
        folder: Where the cache puts its unnamed file.
    """
    if not request.corpus.dedupe:
        return nullcontext()
    from bertcli.pipeline.dedupe import DedupeCache

    return closing(DedupeCache(folder, session.recipe.shown.dimension, session.config.hidden_size, options))


def binary_writers(session: Session, request: EncodeRequest, options: EncodeOptions) -> BinaryWriters:
    """Return the writers of .npy, .npz, .safetensors and .parquet."""
    if options.words is not None:
        return word_writers(session, request, encode_info(session))
    dtype = request.dtype_out
    dimension = session.recipe.shown.dimension
    row = partial(_dense_row, dimension=dimension) if session.recipe.shown.is_lexical else attrgetter("embedding")
    token_vectors = "last_hidden_state" if session.recipe.layer_mix is None else "token_vectors"
    columns = {
        "embedding": ArrayColumn(lambda record: row(record).astype(dtype), failed=np.nan),
        token_vectors: ArrayColumn(lambda record: record.last_hidden_state.astype(dtype), failed=np.nan),
    }
    constants = {}
    if request.pooler:
        columns["pooler_output"] = ArrayColumn(lambda record: record.pooler_output.astype(dtype), failed=np.nan)
    if options.layers:
        columns["hidden_states"] = ArrayColumn(
            lambda record: np.stack(record.hidden_states).astype(dtype), failed=np.nan, batch_axis=1
        )
        constants["layers"] = np.array(options.layers)
    return {
        NPY_SUFFIX: partial(NpyWriter, width=dimension, row=row, dtype=dtype),
        PARQUET_SUFFIX: partial(_parquet_writer, session=session, request=request, options=options),
        **tensor_writers(session, columns, constants),
    }


def _parquet_writer(stream: BinaryIO, session: Session, request: EncodeRequest, options: EncodeOptions) -> RecordWriter:
    from bertcli.output.files.parquet import ParquetWriter

    return ParquetWriter(stream, parquet_layout(session, request, options, encode_info(session)))


def parquet_layout(session: Session, request: EncodeRequest, options: EncodeOptions, info: RunInfo) -> ParquetLayout:
    """Return the Parquet columns of a request.

    Args:
        session: The open checkpoint.
        request: The options.
        options: What is computed.
        info: The model and engine, for the metadata of the file.
    """
    from bertcli.output.files.parquet import (
        NumberColumn,
        ParquetLayout,
        TermColumn,
        TokenColumn,
        VectorColumn,
    )

    recipe, hidden = session.recipe.shown, session.config.hidden_size
    vectors, terms = [], []
    if recipe.is_lexical:
        terms = [TermColumn("indices", _Terms("token_ids"), is_index=True), TermColumn("values", _Terms("weights"))]
    else:
        vectors.append(VectorColumn("embedding", attrgetter("embedding"), recipe.dimension))
    if request.pooler:
        vectors.append(VectorColumn("pooler_output", attrgetter("pooler_output"), hidden))
    tokens = []
    if request.tokens:
        tokens.append(TokenColumn("tokens", attrgetter("text.tokens"), is_vectors=False))
        tokens.append(TokenColumn("token_vectors", attrgetter("last_hidden_state")))
    for place, layer in enumerate(options.layers):
        vectors.append(VectorColumn(f"layer_{layer}", _LayerValues("layer_embeddings", place), recipe.dimension))
        if request.tokens:
            tokens.append(TokenColumn(f"layer_{layer}_token_vectors", _LayerValues("hidden_states", place)))
    has_pairs = request.texts.pair is not None or request.texts.pairs
    next_sentence = [NumberColumn("next_sentence", attrgetter("next_sentence"))]
    numbers = next_sentence if has_pairs and session.has_next_sentence_head else []
    if request.per_window:
        numbers += [NumberColumn(name, WindowCell(name), "int64") for name in WINDOW_COLUMNS]
    return ParquetLayout(
        hidden=session.recipe.token_width(hidden),
        vectors=vectors,
        terms=terms,
        nested=list(parquet_columns(options.heads)),
        tokens=tokens,
        numbers=numbers,
        texts=request.parquet_texts,
        has_ids=request.texts.id_field is not None,
        has_index=request.ray.is_requested or "index" in (request.parquet_columns or ()),
        chosen=request.parquet_columns,
        dtype=request.dtype_out,
        metadata={"bertcli": json.dumps(info.as_json())},
    )


@dataclass(frozen=True, slots=True)
class _LayerValues:
    """Getter of one layer's values: the item at `place` of an attribute of the record. Ray can pickle it."""

    attribute: str
    place: int

    def __call__(self, record: EncodeRecord) -> Any:
        return getattr(record, self.attribute)[self.place]


@dataclass(frozen=True, slots=True)
class _Terms:
    """Getter of an attribute of a record's lexical vector, in the order of token ids. Ray can pickle it."""

    attribute: str

    def __call__(self, record: EncodeRecord) -> Any:
        assert record.terms is not None
        return getattr(record.terms, self.attribute)[np.argsort(record.terms.token_ids)]


def _dense_row(record: EncodeRecord, dimension: int) -> Any:
    assert record.terms is not None
    return dense_vector(record.terms, dimension)
