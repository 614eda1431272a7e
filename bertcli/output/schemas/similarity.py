"""Similarities of encode: of texts, of the occurrences of a word, and of the tokens of two texts."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from bertcli.choices import Similarity, WordPooling
from bertcli.lazy_dataclass import dataclass
from bertcli.output.formatting import numbers
from bertcli.output.schema import TEXT_COLUMNS, Cell, Schema, jsonable, text_cells, text_json, with_closing
from bertcli.results.embeddings import ComparedItem, EncodeRecord, Neighbours, Occurrence, TokenSimilarity
from bertcli.results.recipe import Recipe
from bertcli.results.texts import FloatArray, RunInfo

# Return what a run closes with; available after the last record.
RowSource = Callable[[], Iterator[FloatArray]]
NeighbourSource = Callable[[], Iterator[Neighbours]]
TokenSource = Callable[[], TokenSimilarity | None]
_TOKEN_COLUMNS = ("i", "j", "token_i", "token_j", "cosine")


@dataclass(frozen=True, slots=True)
class ComparedColumns:
    """The columns of a pair.

    Attributes:
        measure: The measure of similarity, whose column has its name.
        more: Names of what is shown of each text beside its number and itself, out of word, start, end, pair, id, file
            and window.
    """

    measure: Similarity
    more: Sequence[str]

    @property
    def names(self) -> Sequence[str]:
        """The names of all columns."""
        more = [f"{name}_{side}" for name in self.more for side in "ij"]
        return ["i", "j", "text_i", "text_j", str(self.measure), *more]

    def row(self, item: ComparedItem, other: ComparedItem, similarity: float) -> Sequence[Cell]:
        """Return the row of a pair."""
        pair = (item, other)
        first = [_cell(each, name) for name in ("index", "text") for each in pair]
        return [*first, similarity, *(_cell(each, name) for name in self.more for each in pair)]


def closing_similarity(schema: Schema[EncodeRecord], rows: RowSource) -> Schema[EncodeRecord]:
    """Return a schema that closes the run with the rows of a matrix of similarities."""
    return with_closing(schema, partial(_matrix_json, rows))


def closing_nearest(
    schema: Schema[EncodeRecord], neighbours: NeighbourSource, columns: ComparedColumns
) -> Schema[EncodeRecord]:
    """Return a schema that closes the run with the nearest ones of each text, or of each occurrence of a word."""
    return with_closing(schema, partial(_nearest_json, neighbours, columns))


def with_token_similarity(schema: Schema[EncodeRecord], similarity: TokenSource) -> Schema[EncodeRecord]:
    """Return a schema that closes the run with the similarity of the tokens of its two texts."""
    return with_closing(schema, partial(_closing_tokens, similarity))


def with_pair_similarity(schema: Schema[EncodeRecord]) -> Schema[EncodeRecord]:
    """Return a schema whose records have the similarity of the tokens of sentence A with those of sentence B."""
    return replace(schema, to_json=partial(_with_pair_json, schema=schema))


def similarity_schema(
    info: RunInfo,
    recipe: Recipe,
    columns: ComparedColumns,
    word_pooling: WordPooling | None,
    *,
    shows_nearest: bool = False,
) -> Schema[Any]:
    """Return the schema of similarities alone: a row for each pair.

    Its records are Neighbours. A table may also have one SimilarityMatrix, or SimilarPairs.

    Args:
        info: Run to name in captions.
        recipe: How embeddings are made.
        columns: The columns of rows.
        word_pooling: How the vectors of words are made if they are compared, None for those of texts.
        shows_nearest: True if a table has the nearest ones of each text, and a caption after the last.
    """
    table = partial(_table, info=info, recipe=recipe, columns=columns, word_pooling=word_pooling)
    return Schema(
        columns.names,
        partial(_rows, columns=columns),
        partial(_neighbours_json, columns=columns),
        table,
        closing_table=partial(table, None) if shows_nearest else _no_table,
        to_lines=partial(_lines, columns=columns),
    )


def token_similarity_schema(info: RunInfo) -> Schema[TokenSimilarity]:
    """Return the schema of the similarity of the tokens of two texts: a row for each pair of tokens."""
    return Schema(_TOKEN_COLUMNS, _token_rows, _tokens_json, partial(_tokens_table, info=info))


def pair_similarity_schema(info: RunInfo) -> Schema[EncodeRecord]:
    """Return the schema of the similarity of the tokens of the two sentences of each text."""
    return Schema((*TEXT_COLUMNS, *_TOKEN_COLUMNS), _pair_rows, _pair_json, partial(_pair_table, info=info))


def _cell(item: ComparedItem, name: str) -> Cell:
    """Return what a column shows of a text, or of an occurrence of a word."""
    text = item.text if isinstance(item, Occurrence) else item
    assert not isinstance(text, str)
    if name in ("word", "start", "end"):
        assert isinstance(item, Occurrence)
        cell: Cell = getattr(item.word, name)
    elif name == "window":
        cell = 0 if text.window is None else text.window.number
    else:
        cell = getattr(text, name)
    return cell


def _rows(record: Neighbours, columns: ComparedColumns) -> Iterable[Sequence[Cell]]:
    for other, similarity in zip(record.others, numbers(record.similarity), strict=True):
        yield columns.row(record.item, other, similarity)


def _lines(record: Neighbours, columns: ComparedColumns) -> Iterable[Mapping[str, Any]]:
    for row in _rows(record, columns):
        pairs = zip(columns.names, row, strict=True)
        yield {name: cell for name, cell in pairs if cell is not None or name == columns.measure}


def _neighbours_json(record: Neighbours, columns: ComparedColumns) -> Mapping[str, Any]:
    more = [name for name in columns.more if name in ("window", "start", "end")]
    measure, similarity = str(columns.measure), numbers(record.similarity)
    others = [
        {"j": _cell(other, "index"), **{f"{name}_j": _cell(other, name) for name in more}, measure: value}
        for other, value in zip(record.others, similarity, strict=True)
    ]
    own = {f"{name}_i": _cell(record.item, name) for name in more}
    return {"i": _cell(record.item, "index"), **own, "nearest": others}


def _matrix_json(rows: RowSource) -> Mapping[str, Any]:
    return {"similarity": map(numbers, rows())}


def _nearest_json(neighbours: NeighbourSource, columns: ComparedColumns) -> Mapping[str, Any]:
    return {"nearest": (_neighbours_json(each, columns) for each in neighbours())}


def _closing_tokens(similarity: TokenSource) -> Mapping[str, Any]:
    found = similarity()
    return {} if found is None else _tokens_json(found)


def _tokens_json(similarity: TokenSimilarity) -> Mapping[str, Any]:
    return {"token_similarity": jsonable(similarity)}


def _token_rows(similarity: TokenSimilarity) -> Iterable[Sequence[Cell]]:
    for i, token_i, values in zip(similarity.rows, similarity.row_tokens, numbers(similarity.cosine), strict=True):
        for j, token_j, cosine in zip(similarity.columns, similarity.column_tokens, values, strict=True):
            yield i, j, token_i, token_j, cosine


def _with_pair_json(record: EncodeRecord, schema: Schema[EncodeRecord]) -> Mapping[str, Any]:
    return {**schema.to_json(record), "token_similarity": jsonable(record.token_similarity)}


def _pair_json(record: EncodeRecord) -> Mapping[str, Any]:
    return {**text_json(record.text), "token_similarity": jsonable(record.token_similarity)}


def _pair_rows(record: EncodeRecord) -> Iterable[Sequence[Cell]]:
    if record.token_similarity is not None:
        for row in _token_rows(record.token_similarity):
            yield *text_cells(record.text), *row


# rich is imported when the first table is drawn: it takes longer to load than JSON needs.


def _table(
    record: Any, info: RunInfo, recipe: Recipe, columns: ComparedColumns, word_pooling: WordPooling | None
) -> Any:
    from bertcli.output.tables.similarity import ComparedTables

    tables = ComparedTables(info, recipe, columns.measure, word_pooling)
    return tables.closing() if record is None else tables.draw(record)


def _no_table() -> None:
    """Return nothing: the caption is below the only table."""


def _tokens_table(similarity: TokenSimilarity, info: RunInfo) -> Any:
    from bertcli.output.tables.similarity import token_similarity_table

    return token_similarity_table(similarity, info)


def _pair_table(record: EncodeRecord, info: RunInfo) -> Any:
    from bertcli.output.tables import cells
    from bertcli.output.tables.similarity import token_similarity_table

    title = cells.title(record.text)
    if record.token_similarity is None:
        return title
    return cells.figure(title, token_similarity_table(record.token_similarity, info))
