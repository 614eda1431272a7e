"""Tables of similarity: of texts, of the occurrences of a word, and of the tokens of two texts."""

from collections.abc import Sequence
from dataclasses import replace

from rich.console import Group, RenderableType
from rich.text import Text

from bertcli.choices import Similarity, WordPooling
from bertcli.lazy_dataclass import dataclass
from bertcli.output.display import text_title, token_states, words_line
from bertcli.output.formatting import visible
from bertcli.output.heatmaps import token_similarity_heatmap
from bertcli.output.tables import cells
from bertcli.output.tables.matrix import Matrix, even_style, matrix_or_strongest
from bertcli.results.embeddings import (
    ComparedItem,
    Neighbours,
    Occurrence,
    SimilarityMatrix,
    SimilarPairs,
    TokenSimilarity,
)
from bertcli.results.recipe import Recipe
from bertcli.results.texts import RunInfo

# Characters of a text to show before and after a word. A narrow terminal cuts the end.
_BEFORE, _AFTER = 14, 28
_NARROWEST_CELL = 7
_MEASURES = {
    Similarity.COSINE: "cosine similarity",
    Similarity.DOT: "similarity: dot product",
    Similarity.EUCLIDEAN: "similarity: negative Euclidean distance",
    Similarity.MANHATTAN: "similarity: negative Manhattan distance",
}


@dataclass(frozen=True, slots=True)
class ComparedTables:
    """Tables of the similarity of texts, or of the occurrences of a word.

    Attributes:
        info: Run to name in captions.
        recipe: How embeddings are made.
        measure: The measure of similarity.
        word_pooling: How the vectors of words are made if they are compared, None for those of texts.
    """

    info: RunInfo
    recipe: Recipe
    measure: Similarity
    word_pooling: WordPooling | None

    def draw(self, record: SimilarityMatrix | SimilarPairs | Neighbours) -> RenderableType:
        """Draw the matrix, the most similar pairs, or a text with others."""
        if isinstance(record, Neighbours):
            return self._nearest(record)
        return self._matrix(record) if isinstance(record, SimilarityMatrix) else self._pairs(record)

    def _matrix(self, record: SimilarityMatrix) -> RenderableType:
        """Draw the similarity of each pair, shaded from the smallest to the largest, the largest of each row bold."""
        values = [[float(value) for value in row] for row in record.similarity]
        labels = [_label(item) for item in record.items]
        names = [Text(str(number)) for number in range(len(labels))]
        width = max((len(f"{value:z.3f}") for row in values for value in row), default=0)
        matrix = Matrix(labels, names, _SimilarityCells(values), cell_width=max(_NARROWEST_CELL, width + 1))
        notes = [f"bold: the most similar other {self._noun}"] if len(labels) > 1 else []
        return cells.figure(self._heading, matrix, self._caption(*notes))

    def _pairs(self, record: SimilarPairs) -> RenderableType:
        """Draw the most similar pairs, two lines each, and how to see the others."""
        lines = []
        digits = len(str(record.item_count - 1))
        width = max((len(f"{value:z.3f}") for value, *_ in record.pairs), default=0)
        for value, one, first, two, second in record.pairs:
            lines += [
                _line(f"{value:z.3f}".rjust(width) + "  ", one, digits, first, cells.STRONG),
                _line(" " * (width + 2), two, digits, second),
            ]
        total = record.item_count * (record.item_count - 1) // 2
        notes = [
            f"the {len(record.pairs)} most similar of {total:,} pairs of {record.item_count:,} {self._noun}s",
            f"--top-k 3 shows the nearest {self._noun}s of each, and -o FILE.tsv has all pairs",
        ]
        return cells.figure(self._heading, Group(*lines), self._caption(*notes))

    def _nearest(self, record: Neighbours) -> RenderableType:
        """Draw a text, and others under it with their similarity."""
        label = _label(record.item)
        label.stylize(cells.STRONG)
        numbers = [_index(other) for other in record.others]
        digits = max((len(str(number)) for number in numbers), default=0)
        shown = [f"{float(value):z.3f}" for value in record.similarity]
        width = max(map(len, shown), default=0)
        lines = [
            _line(f"  {value:>{width}}  ", number, digits, other)
            for value, number, other in zip(shown, numbers, record.others, strict=True)
        ]
        return Group(_line("", _index(record.item), 0, label), *lines)

    def closing(self) -> RenderableType:
        """Draw the caption of the nearest ones of all texts."""
        return self._caption(_MEASURES[self.measure])

    @property
    def _noun(self) -> str:
        return "text" if self.word_pooling is None else "occurrence"

    @property
    def _heading(self) -> Text:
        of_words = "" if self.word_pooling is None else " of occurrences"
        return Text(f"{_MEASURES[self.measure]}{of_words}", cells.STRONG)

    def _caption(self, *notes: str) -> Text:
        if self.word_pooling is None:
            return cells.caption(self.info, *notes)
        line = words_line(self.recipe, self.word_pooling)
        return cells.caption(replace(self.info, recipe=None), *notes, line)


class _SimilarityCells:
    """Cells of a matrix, shaded from the smallest similarity to the largest, the largest of each row bold.

    The similarity of an item with itself is not shaded.

    Args:
        values: (items, items).
    """

    def __init__(self, values: Sequence[Sequence[float]]) -> None:
        others = [[*row[:at], *row[at + 1 :]] for at, row in enumerate(values)]
        self._values, self._nearest = values, [max(row, default=None) for row in others]
        self._least, self._span = 0.0, 0.0
        if len(values) > 1:
            self._least = min(map(min, others))
            self._span = max(map(max, others)) - self._least

    def __call__(self, row: int, column: int) -> tuple[str, str]:
        """Return the text and the style of a cell."""
        value = self._values[row][column]
        if row == column:
            return f"{value:z.3f}", cells.QUIET
        style = even_style((value - self._least) / self._span) if self._span else ""
        if value == self._nearest[row]:
            style = cells.STRONG if style == cells.QUIET else f"{cells.STRONG} {style}".strip()
        return f"{value:z.3f}", style


def token_similarity_table(similarity: TokenSimilarity, info: RunInfo) -> RenderableType:
    """Draw the cosine of each token of A with each of B, and precision, recall and F1."""
    scores = {"precision": similarity.precision, "recall": similarity.recall, "F1": similarity.f1}
    shown = Text(no_wrap=False)
    for name, value in scores.items():
        shown.append(f"{name} ", cells.QUIET).append(f"{value:z.4f}", cells.STRONG).append("   ")
    matrix = matrix_or_strongest(token_similarity_heatmap(similarity), "-o FILE.json has all")
    notes = ["precision, recall, F1: BERTScore of A, with B as the reference"]
    if info.recipe is not None:
        notes.append(f"tokens: {token_states(info.recipe)}")
    caption = cells.caption(replace(info, recipe=None), *notes)
    return cells.figure(Text("similarity of tokens", cells.STRONG), matrix, shown, caption)


def _index(item: ComparedItem) -> int:
    return item.text.index if isinstance(item, Occurrence) else item.index


def _line(before: str, number: int, digits: int, item: ComparedItem | Text, style: str = "") -> Text:
    """Return a line with the number of a text and the text, which is shortened if it does not fit."""
    label = item if isinstance(item, Text) else _label(item)
    line = Text(no_wrap=True, overflow="ellipsis").append(before, style)
    return line.append(f"{number:>{digits}}  ", cells.QUIET).append_text(label)


def _label(item: ComparedItem) -> Text:
    """Return a text, or a word in its text, on one line."""
    if isinstance(item, Occurrence):
        return _in_context(item)
    return Text(visible(text_title(item)), no_wrap=True, overflow="ellipsis")


def _in_context(occurrence: Occurrence) -> Text:
    """Return a word between the characters before and after it in its text, on one line."""
    text, word = occurrence.text, occurrence.word
    label = Text(no_wrap=True, overflow="ellipsis")
    sentence = text.pair if word.sentence and text.pair is not None else text.text
    if word.start is None or word.end is None:
        return label.append(visible(word.word), cells.STRONG).append(f"  {visible(sentence)}")
    first, last = max(word.start - _BEFORE, 0), word.end + _AFTER
    label.append(("…" if first else "") + visible(sentence[first : word.start]))
    label.append(visible(sentence[word.start : word.end]), cells.STRONG)
    return label.append(visible(sentence[word.end : last]) + ("…" if last < len(sentence) else ""))
