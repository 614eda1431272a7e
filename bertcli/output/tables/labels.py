"""Tables of labels, entities and answers, for encode."""

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.text import Text

from bertcli.choices import HeadTask, LabelScore
from bertcli.output.tables import cells
from bertcli.output.tables.blocks import Blocks
from bertcli.results.labels import Answer, HeadInfo, TextLabels
from bertcli.results.texts import TextInfo

_SHOWN_LABELS = 10
_SCORES = {
    LabelScore.SOFTMAX: "softmax",
    LabelScore.SIGMOID: "sigmoid of each label",
    LabelScore.NONE: "logits",
}


def label_parts(found: TextLabels, text: TextInfo) -> Iterator[RenderableType]:
    """Yield the labels and the answer of each head, under a heading with the class of the head."""
    for head in found.heads:
        match head.task:
            case HeadTask.TEXT_LABELS:
                yield _labels(head, found)
            case HeadTask.TOKEN_LABELS:
                yield _token_labels(head, found, text)
                yield _entities(found)
            case HeadTask.ANSWER if found.answer is not None:
                yield _answer(head, found.answer)


def _labels(head: HeadInfo, found: TextLabels) -> RenderableType:
    """Draw the first labels of a text with their scores, and bars if these are probabilities."""
    labels = found.labels or ()
    drawn = cells.table()
    cells.add_words(drawn, "label")
    cells.add_numbers(drawn, "score")
    has_bars = head.score != LabelScore.NONE
    if has_bars:
        cells.add_bars(drawn, "")
    for label in labels[:_SHOWN_LABELS]:
        bars = [Text(cells.bar(label.score), cells.ACCENT)] if has_bars else []
        drawn.add_row(cells.cell(label.label), cells.number(label.score, 4), *bars)
    left_out = len(labels) - _SHOWN_LABELS
    note = f"{head.class_name}, {_SCORES[head.score]}"
    if left_out > 0:
        note += f", the first {_SHOWN_LABELS} of {len(labels):,}"
    return Group(cells.subtitle("labels", note), Blocks(drawn, keys=1))


def _token_labels(head: HeadInfo, found: TextLabels, text: TextInfo) -> RenderableType:
    """Draw the label of each token that has one."""
    drawn = cells.table()
    cells.add_numbers(drawn, "#")
    cells.add_words(drawn, "token", "label")
    cells.add_numbers(drawn, "score")
    for position, (token, label) in enumerate(zip(text.tokens, found.token_labels or (), strict=True)):
        if label is not None:
            place = Text(str(position), cells.QUIET)
            drawn.add_row(place, cells.cell(token), cells.cell(label.label), cells.number(label.score, 4))
    return Group(cells.subtitle("token_labels", f"{head.class_name}, softmax"), Blocks(drawn, keys=2))


def _entities(found: TextLabels) -> RenderableType:
    """Draw the entities of a text, or a line that says that there are none."""
    entities = found.entities or ()
    if not entities:
        return cells.subtitle("entities", "none")
    drawn = cells.table()
    cells.add_words(drawn, "entity", "label")
    cells.add_numbers(drawn, "score", "characters")
    for entity in entities:
        name = cells.cell(entity.text)
        if entity.sentence == "pair":
            name.append("  in B", cells.QUIET)
        span = Text(_characters(entity.start, entity.end))
        drawn.add_row(name, cells.cell(entity.label), cells.number(entity.score, 4), span)
    return Group(cells.subtitle("entities", "words with labels of one kind"), Blocks(drawn, keys=1))


def _answer(head: HeadInfo, answer: Answer) -> RenderableType:
    span = _characters(answer.start, answer.end)
    place = f", characters {span}" if span else ""
    line = cells.cell(answer.text).append(f"  {answer.score:.4f}")
    return Group(cells.subtitle("answer", f"{head.class_name}, probability{place}"), line)


def _characters(start: int | None, end: int | None) -> str:
    return "" if start is None or end is None else f"{start}-{end}"
