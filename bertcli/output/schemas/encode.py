"""Schema of encode: the vectors of each text, and the similarity of all texts."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from bertcli.output.formatting import joined, numbers
from bertcli.output.schema import TEXT_COLUMNS, Cell, Schema, text_cells, text_json
from bertcli.results.embeddings import EncodeRecord
from bertcli.results.texts import FloatArray, RunInfo

# Returns the texts and the matrix of their cosines; available after the last record.
Similarity = Callable[[], tuple[Sequence[str], FloatArray]]


def encode_schema(
    info: RunInfo, pool: str, *, wants_tokens: bool, similarity: Similarity | None
) -> Schema[EncodeRecord]:
    """Return the schema of encode: a row for each text.

    Args:
        info: Run to name in captions.
        pool: Name of the pooling that made the embeddings.
        wants_tokens: True if JSON has the vector of each token.
        similarity: Source of the cosine matrix that closes the run, or None.
    """
    schema = Schema(
        (*TEXT_COLUMNS, "tokens", "embedding", "next_sentence"),
        _rows,
        partial(_record_json, wants_tokens=wants_tokens),
        partial(_table, info=info, pool=pool),
    )
    if similarity is None:
        return schema
    return replace(
        schema,
        closing=partial(_similarity_json, similarity),
        closing_table=partial(_similarity_table, similarity, info),
    )


def _rows(record: EncodeRecord) -> Iterable[Sequence[Cell]]:
    text = record.text
    yield *text_cells(text), joined(text.tokens), joined(numbers(record.embedding)), record.next_sentence


def _record_json(record: EncodeRecord, wants_tokens: bool) -> Mapping[str, Any]:
    found: dict[str, Any] = {**text_json(record.text), "embedding": numbers(record.embedding)}
    if record.next_sentence is not None:
        found["next_sentence"] = record.next_sentence
    if wants_tokens:
        found["token_vectors"] = numbers(record.last_hidden_state)
    if record.pooler_output is not None:
        found["pooler_output"] = numbers(record.pooler_output)
    if record.layers:
        found["layers"] = list(record.layers)
        found["hidden_states"] = [numbers(state) for state in record.hidden_states]
    return found


def _similarity_json(similarity: Similarity) -> Mapping[str, Any]:
    return {"similarity": numbers(similarity()[1])}


def _table(record: EncodeRecord, info: RunInfo, pool: str) -> Any:
    from bertcli.output.tables.encode import encode_table

    return encode_table(record, info, pool)


def _similarity_table(similarity: Similarity, info: RunInfo) -> Any:
    from bertcli.output.tables.encode import similarity_table

    texts, matrix = similarity()
    return similarity_table(texts, matrix, info) if texts else None
