"""Table of shapes --tokens."""

from rich.console import RenderableType
from rich.text import Text

from bertcli.output.formatting import counted
from bertcli.output.tables import cells
from bertcli.output.tables.blocks import Blocks
from bertcli.results.texts import RunInfo
from bertcli.results.tokens import TokensRecord

_NO_VALUE = "-"


def tokens_table(record: TokensRecord, info: RunInfo) -> RenderableType:
    """Draw a row for each token: its spelling, id and segment, its place in the text, and its word."""
    drawn = cells.table()
    cells.add_numbers(drawn, "#")
    cells.add_words(drawn, "token")
    cells.add_numbers(drawn, "id", "seg", "start", "end", "word")
    for token in record.tokens:
        numbers = (token.segment, token.start, token.end, token.word)
        drawn.add_row(
            Text(str(token.position), cells.QUIET),
            cells.token(token.token, cells.QUIET if token.is_special else ""),
            Text(str(token.id)),
            *(Text(_NO_VALUE if number is None else str(number)) for number in numbers),
        )
    special = sum(token.is_special for token in record.tokens)
    note = f"{counted(len(record.tokens), 'token')}, {special} of them special"
    return cells.figure(cells.title(record.text), Blocks(drawn, keys=2), cells.caption(info, note))
