"""Schema of encode: the vectors of each text."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from bertcli.output.formatting import joined, number, numbers
from bertcli.output.records import plain_line
from bertcli.output.schema import TEXT_COLUMNS, Cell, Schema, text_cells, text_json
from bertcli.results.embeddings import EncodeRecord, LexicalVector
from bertcli.results.recipe import Recipe
from bertcli.results.texts import RunInfo


def encode_schema(
    info: RunInfo, recipe: Recipe, *, wants_tokens: bool, top_k: int | None = None
) -> Schema[EncodeRecord]:
    """Return the schema of encode: a row for each text.

    Args:
        info: Run to name in captions.
        recipe: How the embeddings were made.
        wants_tokens: True if JSON has the vector of each token.
        top_k: Number of terms of a lexical vector to show; None for some in a table and for all elsewhere.
    """
    return Schema(
        (*TEXT_COLUMNS, "tokens", "terms" if recipe.is_lexical else "embedding", "next_sentence"),
        partial(_rows, top_k=top_k),
        partial(_record_json, wants_tokens=wants_tokens, top_k=top_k),
        partial(_table, info=info, recipe=recipe, top_k=top_k),
        to_plain=partial(_plain, top_k=top_k),
    )


def _rows(record: EncodeRecord, top_k: int | None) -> Iterable[Sequence[Cell]]:
    text = record.text
    yield *text_cells(text), joined(text.tokens), _vector(record, top_k), record.next_sentence


def _vector(record: EncodeRecord, top_k: int | None) -> str:
    """Return the embedding, or the terms of a lexical vector, as one cell."""
    if record.terms is None:
        return joined(numbers(record.embedding))
    return joined(f"{term['token']}:{term['weight']}" for term in _terms_json(record.terms, top_k))


def _plain(record: EncodeRecord, top_k: int | None) -> Iterable[str]:
    yield plain_line(_vector(record, top_k))


def _terms_json(terms: LexicalVector, top_k: int | None) -> Sequence[Mapping[str, Any]]:
    """Return the strongest terms, or all, in descending order of their weights."""
    found = zip(terms.tokens[:top_k], terms.token_ids[:top_k].tolist(), numbers(terms.weights[:top_k]), strict=True)
    return [{"token": token, "token_id": token_id, "weight": weight} for token, token_id, weight in found]


def _record_json(record: EncodeRecord, wants_tokens: bool, top_k: int | None) -> Mapping[str, Any]:
    found: dict[str, Any] = dict(text_json(record.text))
    if record.terms is None:
        found["embedding"] = numbers(record.embedding)
    else:
        found["terms"] = _terms_json(record.terms, top_k)
    if record.next_sentence is not None:
        found["next_sentence"] = number(record.next_sentence)
    if wants_tokens:
        found["token_vectors"] = numbers(record.last_hidden_state)
    if record.pooler_output is not None:
        found["pooler_output"] = numbers(record.pooler_output)
    if record.layers:
        found["layers"] = list(record.layers)
        found["hidden_states"] = [numbers(state) for state in record.hidden_states]
    return found


def _table(record: EncodeRecord, info: RunInfo, recipe: Recipe, top_k: int | None) -> Any:
    from bertcli.output.tables.encode import encode_table, terms_table

    return (
        encode_table(record, info, recipe) if record.terms is None else terms_table(record, record.terms, info, top_k)
    )
