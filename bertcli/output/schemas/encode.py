"""How the vectors of texts look."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from bertcli.output.formatting import numbers
from bertcli.output.records import joined
from bertcli.output.schema import Cell, Schema
from bertcli.output.schemas.texts import TEXT_COLUMNS, text_cells, text_json
from bertcli.results.embeddings import EncodeRecord
from bertcli.results.texts import FloatArray, RunInfo


def encode_schema(
    info: RunInfo, pool: str, *, wants_tokens: bool, similarity: Callable[[], tuple[Sequence[str], FloatArray]] | None
) -> Schema[EncodeRecord]:
    """The view of encode. similarity: the texts and the matrix of their cosines, once all of them have come."""

    def table(record: EncodeRecord) -> Any:
        from bertcli.output.tables.encode import encode_table

        return encode_table(record, info, pool)

    def as_json(record: EncodeRecord) -> Mapping[str, Any]:
        return _json(record, wants_tokens)

    view = Schema((*TEXT_COLUMNS, "tokens", "embedding", "next_sentence"), _rows, as_json, table)
    if similarity is None:
        return view
    compute = similarity

    def closing() -> Mapping[str, Any]:
        return {"similarity": numbers(compute()[1])}

    def closing_table() -> Any:
        from bertcli.output.tables.encode import similarity_table

        return similarity_table(*compute(), info)

    return replace(view, closing=closing, closing_table=closing_table)


def _rows(record: EncodeRecord) -> Iterable[Sequence[Cell]]:
    text = record.text
    yield *text_cells(text), joined(text.tokens), joined(numbers(record.embedding)), record.next_sentence


def _json(record: EncodeRecord, wants_tokens: bool) -> Mapping[str, Any]:
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
