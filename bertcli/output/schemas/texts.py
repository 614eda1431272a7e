"""What every record about a text has in common."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from bertcli.output.schema import Cell, Schema
from bertcli.results.texts import TextInfo

TEXT_COLUMNS = ("index", "line", "text", "pair", "truncated")


def text_title(text: TextInfo) -> str:
    """A text in one line, with its pair."""
    return text.text if text.pair is None else f"{text.text}  +  {text.pair}"


def text_cells(text: TextInfo) -> Sequence[Cell]:
    """The cells under TEXT_COLUMNS."""
    return text.index, text.line, text.text, text.pair, text.truncated


def text_json(text: TextInfo) -> Mapping[str, Any]:
    """The keys that a record begins with; `id`, `file`, `line` and `pair` stand where there is one."""
    return {
        "index": text.index,
        **({"id": text.id} if text.id is not None else {}),
        **({"file": text.file} if text.file is not None else {}),
        **({"line": text.line} if text.line is not None else {}),
        "text": text.text,
        **({"pair": text.pair} if text.pair is not None else {}),
        "tokens": list(text.tokens),
        "truncated": text.truncated,
    }


def with_ids(view: Schema[Any]) -> Schema[Any]:
    """The view with what the input knows each text by as the last of its columns."""

    def rows(record: Any) -> Iterable[Sequence[Cell]]:
        for cells in view.to_rows(record):
            yield *cells, record.text.id

    # Plain "id" is that of a token where tokens have columns.
    return replace(view, columns=(*view.columns, "text_id"), to_rows=rows)
