"""Table of encode --words: the vector of each word of a text."""

from rich.console import RenderableType
from rich.text import Text

from bertcli.choices import WordPooling
from bertcli.output.display import words_line
from bertcli.output.formatting import joined
from bertcli.output.tables import cells
from bertcli.output.tables.blocks import Blocks
from bertcli.output.tables.encode import DIMENSIONS, NARROWEST, norm_and_values, other_parts, pooled_rows
from bertcli.results.embeddings import EncodeRecord
from bertcli.results.recipe import Recipe
from bertcli.results.texts import RunInfo

_NO_VALUE = "-"
# Least widths of columns with which the first values of a vector fit 80 columns. Long words take several lines.
_NARROWEST_WORD, _NARROWEST_TOKENS = len("embedding mean"), len("tokens")


def words_table(record: EncodeRecord, info: RunInfo, recipe: Recipe, pooling: WordPooling) -> RenderableType:
    """Draw a row for each word, with its place, its tokens, and the norm and first dimensions of its vector."""
    words = record.words or ()
    if not words:
        return cells.figure(cells.title(record.text), Text("no such word", cells.QUIET), *other_parts(record))
    is_pair = record.text.pair is not None
    drawn = cells.table()
    cells.add_numbers(drawn, "#")
    cells.add_words(drawn, "word")
    cells.add_numbers(drawn, *(["seg"] if is_pair else []), "start", "end")
    cells.add_words(drawn, "tokens")
    drawn.columns[-1].min_width = _NARROWEST_TOKENS
    cells.add_numbers(drawn, "norm", *DIMENSIONS)
    for word in words:
        place = [*([word.sentence] if is_pair else []), word.start, word.end]
        shown = [Text(_NO_VALUE, cells.QUIET)] * (1 + cells.FIRST_VALUES)
        drawn.add_row(
            Text(str(word.index), cells.QUIET),
            cells.cell(word.word),
            *(Text(_NO_VALUE if number is None else str(number)) for number in place),
            cells.cell(joined(record.text.tokens[position] for position in word.positions)),
            *(shown if word.embedding is None else norm_and_values(word.embedding)),
        )
    drawn.add_section()
    empty = [Text()] * (4 if is_pair else 3)
    for name, vector in pooled_rows(record, "+".join(recipe.pooling)):
        drawn.add_row(Text(), name, *empty, *norm_and_values(vector))
    count = next((len(word.embedding) for word in words if word.embedding is not None), 0)
    first = f"first {min(cells.FIRST_VALUES, count)} of {count:,} dimensions" if count else ""
    rows = Blocks(drawn, keys=2, narrowest=NARROWEST if is_pair else _NARROWEST_WORD)
    return cells.figure(
        cells.title(record.text), rows, *other_parts(record), cells.caption(info, first, words_line(recipe, pooling))
    )
