"""Schema of encode --words: the vector of each word of a text."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from bertcli.choices import WordPooling
from bertcli.output.formatting import joined, numbers
from bertcli.output.schema import TEXT_COLUMNS, Cell, Schema, text_cells
from bertcli.results.embeddings import EncodeRecord, WordVector
from bertcli.results.recipe import Recipe
from bertcli.results.texts import RunInfo

_COLUMNS = ("word", "word_index", "sentence", "start", "end", "positions", "embedding")


def with_words(
    schema: Schema[EncodeRecord], info: RunInfo, recipe: Recipe, pooling: WordPooling
) -> Schema[EncodeRecord]:
    """Return the schema of encode with words: a row for each word, and `words` in JSON.

    Args:
        schema: Schema of the records without words.
        info: Run to name in captions.
        recipe: How the embeddings of texts were made.
        pooling: How the vectors of words were made.
    """
    return replace(
        schema,
        columns=(*TEXT_COLUMNS, *_COLUMNS),
        to_rows=_rows,
        to_json=partial(_record_json, schema=schema),
        to_table=partial(_table, info=info, recipe=recipe, pooling=pooling),
    )


def _rows(record: EncodeRecord) -> Iterable[Sequence[Cell]]:
    for word in record.words or ():
        place = (word.word, word.index, word.sentence, word.start, word.end, joined(word.positions))
        yield *text_cells(record.text), *place, "" if word.embedding is None else joined(numbers(word.embedding))


def _record_json(record: EncodeRecord, schema: Schema[EncodeRecord]) -> Mapping[str, Any]:
    is_pair = record.text.pair is not None
    words = [_word_json(word, is_pair=is_pair) for word in record.words or ()]
    return {**schema.to_json(record), "words": words}


def _word_json(word: WordVector, *, is_pair: bool) -> Mapping[str, Any]:
    sentence = {"sentence": word.sentence} if is_pair else {}
    return {
        "word": word.word,
        **sentence,
        "index": word.index,
        "start": word.start,
        "end": word.end,
        "positions": list(word.positions),
        "embedding": None if word.embedding is None else numbers(word.embedding),
    }


# rich is imported when the first table is drawn: it takes longer to load than JSON needs.


def _table(record: EncodeRecord, info: RunInfo, recipe: Recipe, pooling: WordPooling) -> Any:
    from bertcli.output.tables.words import words_table

    return words_table(record, info, recipe, pooling)
