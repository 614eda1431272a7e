"""Columns and JSON keys of labels, entities and answers, which encode adds to those of a text."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from bertcli.choices import HeadTask
from bertcli.output.formatting import joined, number
from bertcli.output.records import plain_line
from bertcli.output.schema import Cell, Schema, jsonable, with_closing
from bertcli.results.embeddings import EncodeRecord
from bertcli.results.labels import HeadInfo, TextLabels

_COLUMNS: Mapping[HeadTask, Sequence[str]] = {
    HeadTask.TEXT_LABELS: ("label", "score", "labels"),
    HeadTask.TOKEN_LABELS: ("token_labels", "entities"),
    HeadTask.ANSWER: ("answer", "answer_score", "answer_start", "answer_end"),
}
# The label of a special token, in a cell.
_NO_LABEL = "-"


def with_labels(schema: Schema[EncodeRecord], heads: Sequence[HeadInfo]) -> Schema[EncodeRecord]:
    """Return a schema with the columns and keys of the heads after its own. Without heads, return it unchanged."""
    if not heads:
        return schema
    labelled = replace(
        schema,
        columns=(*schema.columns, *(column for head in heads for column in _COLUMNS[head.task])),
        to_rows=partial(_rows, schema=schema),
        to_json=partial(_record_json, schema=schema),
        to_plain=_plain,
    )
    return with_closing(labelled, partial(_closing_json, heads))


def _rows(record: EncodeRecord, schema: Schema[EncodeRecord]) -> Iterable[Sequence[Cell]]:
    assert record.labels is not None
    more = list(_cells(record.labels))
    for cells in schema.to_rows(record):
        yield *cells, *more


def _cells(found: TextLabels) -> Iterator[Cell]:
    """Yield the cells of the columns of each head."""
    for head in found.heads:
        match head.task:
            case HeadTask.TEXT_LABELS:
                labels = found.labels or ()
                best = next(iter(labels), None)
                yield from (None, None) if best is None else (best.label, best.score)
                yield joined(f"{label.label}:{number(label.score)}" for label in labels)
            case HeadTask.TOKEN_LABELS:
                yield joined(_NO_LABEL if label is None else label.label for label in found.token_labels or ())
                yield joined(f"{each.label}:{_span(each.start, each.end)}" for each in found.entities or ())
            case HeadTask.ANSWER:
                answer = found.answer
                yield from (None,) * 4 if answer is None else (answer.text, answer.score, answer.start, answer.end)


def _plain(record: EncodeRecord) -> Iterable[str]:
    """Yield the label of the text, the labels of its tokens, or the answer; several heads are separated by tabs."""
    assert record.labels is not None
    found = record.labels
    answers: dict[HeadTask, str | None] = {
        HeadTask.TEXT_LABELS: found.labels[0].label if found.labels else None,
        HeadTask.TOKEN_LABELS: joined(_NO_LABEL if each is None else each.label for each in found.token_labels or ()),
        HeadTask.ANSWER: None if found.answer is None else found.answer.text,
    }
    yield plain_line(*(answers[head.task] for head in found.heads))


def _span(start: int | None, end: int | None) -> str:
    return "" if start is None or end is None else f"{start}-{end}"


def _record_json(record: EncodeRecord, schema: Schema[EncodeRecord]) -> Mapping[str, Any]:
    assert record.labels is not None
    found = record.labels
    parts = {
        "labels": found.labels,
        "token_labels": found.token_labels,
        "entities": found.entities,
        "answer": found.answer,
    }
    return {**schema.to_json(record), **{key: jsonable(part) for key, part in parts.items() if part is not None}}


def _closing_json(heads: Sequence[HeadInfo]) -> Mapping[str, Any]:
    described = [{"class": head.class_name, "score": str(head.score), "labels": list(head.labels)} for head in heads]
    return {"heads": described}
