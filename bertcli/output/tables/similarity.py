"""Tables of similarity: of the occurrences of a word, and of the tokens of two texts."""

from collections.abc import Sequence
from dataclasses import replace

from rich.console import RenderableType
from rich.text import Text

from bertcli.choices import WordPooling
from bertcli.output.display import token_states, words_line
from bertcli.output.formatting import visible
from bertcli.output.heatmaps import token_similarity_heatmap
from bertcli.output.tables import cells
from bertcli.output.tables.encode import similarity_of_labels
from bertcli.output.tables.matrix import matrix_or_strongest
from bertcli.results.embeddings import Occurrence, TokenSimilarity
from bertcli.results.texts import FloatArray, RunInfo

# Characters of a text to show before and after a word. A narrow terminal cuts the end.
_BEFORE, _AFTER = 14, 28


def occurrences_table(
    occurrences: Sequence[Occurrence], similarity: FloatArray, info: RunInfo, pooling: WordPooling
) -> RenderableType:
    """Draw the cosine of each pair of occurrences of a word, the largest of each row in bold."""
    labels = list(map(_in_context, occurrences))
    notes = ["bold: the most similar other occurrence"]
    if info.recipe is not None:
        notes.append(words_line(info.recipe, pooling))
    heading = "cosine similarity of occurrences"
    return similarity_of_labels(labels, similarity, heading, replace(info, recipe=None), *notes)


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
