"""Heads of the checkpoint that encode computes, and what a user must know about them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from bertcli.checkpoints.heads import TaskHead
from bertcli.choices import HeadTask
from bertcli.commands.encode.request import NPY_SUFFIX, WORD_ROWS, EncodeRequest
from bertcli.errors import WrongUsage
from bertcli.lazy_dataclass import dataclass
from bertcli.model.session import Session
from bertcli.output.destination import TENSOR_SUFFIXES
from bertcli.results.embeddings import EncodeRecord

if TYPE_CHECKING:
    from bertcli.output.files.parquet import NestedColumn

# Formats that hold vectors only.
_WITHOUT_LABELS = (NPY_SUFFIX, *TENSOR_SUFFIXES)
# The Parquet columns of each task, with their types.
_LABEL = {"label": "string", "score": "float32"}
_SPAN = {"start": "int32", "end": "int32", "text": "string"}
_COLUMNS: Mapping[HeadTask, Mapping[str, Any]] = {
    HeadTask.TEXT_LABELS: {"labels": [_LABEL]},
    HeadTask.TOKEN_LABELS: {
        "token_labels": [_LABEL],
        "entities": [{**_LABEL, **_SPAN, "positions": ["int32"], "sentence": "string"}],
    },
    HeadTask.ANSWER: {"answer": {"score": "float32", **_SPAN}},
}


def shown_heads(request: EncodeRequest, session: Session, format_: str) -> Sequence[TaskHead]:
    """Return the heads whose labels and answers a format shows. The others are not computed.

    Raises:
        WrongUsage: Labels are requested together with --dedupe or --long windows.
        BadCheckpoint, UnsupportedModel: A head cannot be used.
    """
    has_words_alone = request.words.are_requested and format_ in WORD_ROWS
    if not request.labels or has_words_alone or format_ in _WITHOUT_LABELS:
        return ()
    heads = session.heads
    if heads and request.corpus.dedupe:
        raise WrongUsage(
            f"--dedupe keeps one vector for each text, not the labels of {heads[0].info.class_name}",
            hint="leave --dedupe out, or add --no-labels",
        )
    if heads and request.model.reads_windows:
        raise WrongUsage(
            f"--long windows has no labels of {heads[0].info.class_name} for texts that are longer than the limit",
            hint="add --no-labels, or use --long truncate",
        )
    return heads


def notes_on_context(request: EncodeRequest, heads: Sequence[TaskHead]) -> Sequence[str]:
    """Return a note if there is a head for question answering and no text has a context."""
    asked = next((head for head in heads if head.info.task == HeadTask.ANSWER), None)
    if asked is None or request.texts.has_pairs:
        return ()
    return (
        f"{asked.info.class_name} answers a question from a context, and there is none: give it with --pair, "
        "or with --pairs after each question",
    )


def parquet_columns(heads: Sequence[TaskHead]) -> "Iterator[NestedColumn]":
    """Yield the Parquet columns of the heads. They are the keys of JSON."""
    from bertcli.output.files.parquet import NestedColumn

    for head in heads:
        for name, type_ in _COLUMNS[head.info.task].items():
            yield NestedColumn(name, _Part(name), type_)


@dataclass(frozen=True, slots=True)
class _Part:
    """Getter of an attribute of a record's labels, as plain values. Ray can pickle it."""

    attribute: str

    def __call__(self, record: EncodeRecord) -> Any:
        found = getattr(record.labels, self.attribute)
        if found is None or not isinstance(found, Sequence):
            return None if found is None else asdict(found)
        return [None if each is None else asdict(each) for each in found]
