"""Schema of shapes --tokens: the tokens of each text."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from bertcli.output.formatting import joined
from bertcli.output.records import plain_line
from bertcli.output.schema import TEXT_COLUMNS, Cell, Schema, text_cells, text_json
from bertcli.results.texts import RunInfo
from bertcli.results.tokens import Token, TokensRecord

_KEYS = ("position", "token", "id", "segment", "start", "end", "word", "special", "unknown")


def tokens_schema(info: RunInfo) -> Schema[TokensRecord]:
    """Return the schema of tokens: a row for each token."""
    return Schema((*TEXT_COLUMNS, *_KEYS), _rows, _record_json, partial(_table, info=info), to_plain=_plain)


def _rows(record: TokensRecord) -> Iterable[Sequence[Cell]]:
    for token in record.tokens:
        yield *text_cells(record.text), *_values(token)


def _record_json(record: TokensRecord) -> Mapping[str, Any]:
    tokens = [dict(zip(_KEYS, _values(token), strict=True)) for token in record.tokens]
    return {**text_json(record.text), "tokens": tokens}


def _plain(record: TokensRecord) -> Iterable[str]:
    yield plain_line(joined(token.token for token in record.tokens))


def _values(token: Token) -> Sequence[Cell]:
    place = token.position, token.token, token.id, token.segment, token.start, token.end, token.word
    return *place, token.is_special, token.is_unknown


# rich is imported when the first table is drawn: it takes longer to load than JSON needs.


def _table(record: TokensRecord, info: RunInfo) -> Any:
    from bertcli.output.tables.tokens import tokens_table

    return tokens_table(record, info)
