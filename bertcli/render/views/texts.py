"""What every record about a text has in common."""

from collections.abc import Mapping, Sequence
from typing import Any

from bertcli.render.view import Cell
from bertcli.results.texts import TextInfo

TEXT_COLUMNS = ("index", "line", "text", "pair", "truncated")


def text_title(text: TextInfo) -> str:
    """A text in one line, with its pair."""
    return text.text if text.pair is None else f"{text.text}  +  {text.pair}"


def text_cells(text: TextInfo) -> Sequence[Cell]:
    """The cells under TEXT_COLUMNS."""
    return text.index, text.line, text.text, text.pair, text.truncated


def text_json(text: TextInfo) -> Mapping[str, Any]:
    """The keys that a record begins with; `line` and `pair` stand where there is one."""
    return {
        "index": text.index,
        **({"line": text.line} if text.line is not None else {}),
        "text": text.text,
        **({"pair": text.pair} if text.pair is not None else {}),
        "tokens": list(text.tokens),
        "truncated": text.truncated,
    }
