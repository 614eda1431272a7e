"""Similarities that encode shows beside its records: of the occurrences of a word, and of the tokens of two texts."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from bertcli.choices import WordPooling
from bertcli.output.formatting import numbers
from bertcli.output.schema import Schema, jsonable, with_closing
from bertcli.results.embeddings import EncodeRecord, Occurrence, TokenSimilarity
from bertcli.results.texts import FloatArray, RunInfo

# Return what is compared and its similarity; available after the last record.
OccurrenceSource = Callable[[], tuple[Sequence[Occurrence], FloatArray]]
TokenSource = Callable[[], TokenSimilarity | None]


def with_occurrences(
    schema: Schema[EncodeRecord], similarity: OccurrenceSource, info: RunInfo, pooling: WordPooling
) -> Schema[EncodeRecord]:
    """Return a schema that closes the run with the similarity of each pair of occurrences of a word."""
    return with_closing(
        schema,
        partial(_occurrences_json, similarity),
        partial(_occurrences_table, similarity, info, pooling),
    )


def with_token_similarity(schema: Schema[EncodeRecord], similarity: TokenSource, info: RunInfo) -> Schema[EncodeRecord]:
    """Return a schema that closes the run with the similarity of the tokens of its two texts."""
    return with_closing(schema, partial(_tokens_json, similarity), partial(_tokens_table, similarity, info))


def with_pair_similarity(schema: Schema[EncodeRecord], info: RunInfo) -> Schema[EncodeRecord]:
    """Return a schema whose records have the similarity of the tokens of sentence A with those of sentence B."""
    return replace(
        schema,
        to_json=partial(_pair_json, schema=schema),
        to_table=partial(_pair_table, schema=schema, info=info),
    )


def _occurrences_json(similarity: OccurrenceSource) -> Mapping[str, Any]:
    return {"similarity": numbers(similarity()[1])}


def _tokens_json(similarity: TokenSource) -> Mapping[str, Any]:
    found = similarity()
    return {} if found is None else {"token_similarity": jsonable(found)}


def _pair_json(record: EncodeRecord, schema: Schema[EncodeRecord]) -> Mapping[str, Any]:
    return {**schema.to_json(record), "token_similarity": jsonable(record.token_similarity)}


# rich is imported when the first table is drawn: it takes longer to load than JSON needs.


def _occurrences_table(similarity: OccurrenceSource, info: RunInfo, pooling: WordPooling) -> Any:
    from bertcli.output.tables.similarity import occurrences_table

    occurrences, matrix = similarity()
    return occurrences_table(occurrences, matrix, info, pooling) if occurrences else None


def _tokens_table(similarity: TokenSource, info: RunInfo) -> Any:
    from bertcli.output.tables.similarity import token_similarity_table

    found = similarity()
    return None if found is None else token_similarity_table(found, info)


def _pair_table(record: EncodeRecord, schema: Schema[EncodeRecord], info: RunInfo) -> Any:
    from bertcli.output.tables import cells
    from bertcli.output.tables.similarity import token_similarity_table

    table = schema.to_table(record)
    if record.token_similarity is None:
        return table
    return cells.figure(table, token_similarity_table(record.token_similarity, info))
