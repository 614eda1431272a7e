"""Words in encode: which words a request selects, and the writers of binary files with a row for each word."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from operator import attrgetter
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from bertcli.analysis.embeddings.words import WordSelection, find_words, normalized_word
from bertcli.choices import WordPooling
from bertcli.commands.encode.request import NPY_SUFFIX, EncodeRequest
from bertcli.commands.options import WordOptions
from bertcli.errors import BadText, WrongUsage
from bertcli.input.records import FailedText, TextRecord
from bertcli.lazy_dataclass import dataclass
from bertcli.model.session import Session
from bertcli.model.tokenizer import TokenizedText
from bertcli.output.destination import PARQUET_SUFFIX
from bertcli.output.files.arrays import ArrayColumn, NpyWriter, tensor_writers
from bertcli.results.embeddings import EncodeRecord, Occurrence
from bertcli.results.texts import RunInfo

if TYPE_CHECKING:
    from bertcli.output.files.parquet import ParquetLayout
    from bertcli.output.records import BinaryWriters, RecordWriter

# The number that arrays have for a failed text, and for a place that the tokenizer does not report.
_UNKNOWN = -1


def select_words(options: WordOptions, session: Session) -> WordSelection | None:
    """Return the words that the options select, None for none.

    Raises:
        WrongUsage: The options do not go together with the checkpoint, or --word is not one word.
    """
    if not options.are_requested:
        return None
    if session.recipe.shown.is_lexical:
        raise WrongUsage(
            f"{options.option} needs the vectors of tokens, and a lexical recipe has weights of terms instead",
            hint="add --pooling mean",
        )
    if options.pretokenized and not session.tokenizer.has_offsets:
        raise WrongUsage(
            "--pretokenized needs the places of tokens in the text, which the tokenizer of "
            f"{session.checkpoint.name} does not report",
            hint="leave --pretokenized out",
        )
    word = None
    if options.word is not None:
        _check_is_one_word(options.word, session, pretokenized=options.pretokenized)
        word = normalized_word(options.word, session.tokenizer)
    return WordSelection(options.word_pooling or WordPooling.MEAN, options.pretokenized, word)


def _check_is_one_word(word: str, session: Session, *, pretokenized: bool) -> None:
    """Check that the value of --word is one word. Raises WrongUsage."""
    (text,) = session.tokenizer.tokenize([TextRecord(0, word)])
    if isinstance(text, FailedText):
        raise WrongUsage(f"--word {word!r} cannot be found: {text.error.message}", hint="name another word")
    assert isinstance(text, TokenizedText)  # words and windows do not go together
    found = [each for each in find_words(text, session.tokenizer, pretokenized=pretokenized) if each.positions]
    if len(found) == 1:
        return
    if not found:
        raise WrongUsage(
            f"--word {word!r} cannot be found: special tokens are no words",
            hint="name another word; --tokens without --word adds the vectors of special tokens",
        )
    parts, judge, more = ", ".join(repr(each.word) for each in found), "", ""
    if not pretokenized:
        judge = " to the tokenizer"
        if len(word.split()) == 1:
            more = ", or add --pretokenized to take words as whitespace separates them"
    raise WrongUsage(f"--word {word!r} is {len(found)} words{judge}: {parts}", hint=f"name one of them{more}")


def require_occurrence(answers: Iterable[EncodeRecord | FailedText], word: str) -> Iterator[EncodeRecord | FailedText]:
    """Yield the answers unchanged.

    Raises:
        BadText: They have ended, and no text has the word.
    """
    has_text = is_found = False
    for answer in answers:
        if not isinstance(answer, FailedText):
            has_text, is_found = True, is_found or bool(answer.words)
        yield answer
    if has_text and not is_found:
        raise BadText(f"no text has the word {word!r}", hint="name a word that --words shows without --word")


class WordRowsWriter:
    """Writer of the words of each record into a format whose rows are words; a bertcli.output.records.RecordWriter."""

    def __init__(self, rows: RecordWriter) -> None:
        """Wrap the writer of the format, which gets each word as an Occurrence."""
        self._rows = rows

    def write(self, record: EncodeRecord) -> None:
        for word in record.words or ():
            self._rows.write(Occurrence(record.text, word))

    def skip(self, failed: FailedText) -> None:
        self._rows.skip(failed)

    def finish(self) -> None:
        self._rows.finish()


def word_writers(session: Session, request: EncodeRequest, info: RunInfo) -> BinaryWriters:
    """Return the writers of .npy, .npz, .safetensors and .parquet with a row for each word.

    Args:
        session: The open checkpoint.
        request: The options.
        info: The model and engine, for the metadata of Parquet.
    """
    width, dtype = session.recipe.token_width(session.config.hidden_size), request.dtype_out
    embedding = _WordEmbedding(width)
    columns = {
        "word_vectors": ArrayColumn(lambda row: embedding(row).astype(dtype), failed=np.nan),
        "text_index": _whole_numbers("text.index"),
        "sentence": _whole_numbers("word.sentence"),
        "word_index": _whole_numbers("word.index"),
        "start": _whole_numbers("word.start"),
        "end": _whole_numbers("word.end"),
    }
    rows: BinaryWriters = {
        NPY_SUFFIX: partial(NpyWriter, width=width, row=embedding, dtype=dtype),
        PARQUET_SUFFIX: partial(_parquet_writer, request=request, width=width, info=info),
        **tensor_writers(session, columns, has_tokens=False),
    }
    return {suffix: partial(_word_rows_writer, make_writer=make_writer) for suffix, make_writer in rows.items()}


def _word_rows_writer(stream: BinaryIO, make_writer: Callable[[BinaryIO], RecordWriter]) -> RecordWriter:
    return WordRowsWriter(make_writer(stream))


def _parquet_writer(stream: BinaryIO, request: EncodeRequest, width: int, info: RunInfo) -> RecordWriter:
    from bertcli.output.files.parquet import ParquetWriter

    return ParquetWriter(stream, _parquet_layout(request, width, info))


def _parquet_layout(request: EncodeRequest, width: int, info: RunInfo) -> ParquetLayout:
    """Return the Parquet columns of words."""
    from bertcli.output.files.parquet import INT_LIST, NumberColumn, ParquetLayout, VectorColumn

    return ParquetLayout(
        hidden=width,
        vectors=[VectorColumn("embedding", _WordEmbedding(width), width)],
        numbers=[
            NumberColumn("word", attrgetter("word.word"), "string"),
            NumberColumn("word_index", attrgetter("word.index"), "int32"),
            NumberColumn("sentence", attrgetter("word.sentence"), "int32"),
            NumberColumn("start", attrgetter("word.start"), "int32"),
            NumberColumn("end", attrgetter("word.end"), "int32"),
            NumberColumn("positions", attrgetter("word.positions"), INT_LIST),
        ],
        texts=request.parquet_texts,
        has_ids=request.texts.id_field is not None,
        has_index="index" in (request.parquet_columns or ()),
        chosen=request.parquet_columns,
        dtype=request.dtype_out,
        metadata={"bertcli": json.dumps(info.as_json())},
    )


def _whole_numbers(attribute: str) -> ArrayColumn:
    """Return an array of an attribute of each Occurrence, whole numbers, _UNKNOWN where it is None."""
    return ArrayColumn(partial(_whole_number, get=attrgetter(attribute)), failed=_UNKNOWN)


def _whole_number(row: Occurrence, get: Callable[[Occurrence], int | None]) -> Any:
    value = get(row)
    return np.array(_UNKNOWN if value is None else value)


@dataclass(frozen=True, slots=True)
class _WordEmbedding:
    """Getter of the vector of a word, NaN if it has no tokens.

    Attributes:
        width: Length of the vector.
    """

    width: int

    def __call__(self, row: Occurrence) -> Any:
        found = row.word.embedding
        return np.full(self.width, np.nan, np.float32) if found is None else found
