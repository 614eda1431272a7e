"""Heads of the checkpoint that encode computes, and what a user must know about them."""

from collections.abc import Sequence

from bertcli.checkpoints.heads import TaskHead
from bertcli.choices import HeadTask
from bertcli.commands.encode.request import NPY_SUFFIX, PARQUET, EncodeRequest
from bertcli.errors import WrongUsage
from bertcli.model.session import Session
from bertcli.output.destination import TENSOR_SUFFIXES
from bertcli.output.messages import Reporter

# Formats that hold vectors only.
_WITHOUT_LABELS = (NPY_SUFFIX, *TENSOR_SUFFIXES, *PARQUET)


def shown_heads(request: EncodeRequest, session: Session, format_: str) -> Sequence[TaskHead]:
    """Return the heads whose labels and answers a format shows. The others are not computed.

    Raises:
        WrongUsage: Labels are requested together with --dedupe.
        BadCheckpoint, UnsupportedModel: A head cannot be used.
    """
    if not request.labels or format_ in _WITHOUT_LABELS:
        return ()
    heads = session.heads
    if heads and request.corpus.dedupe:
        raise WrongUsage(
            f"--dedupe keeps one vector for each text, not the labels of {heads[0].info.class_name}",
            hint="leave --dedupe out, or add --no-labels",
        )
    return heads


def note_missing_context(request: EncodeRequest, heads: Sequence[TaskHead], reporter: Reporter) -> None:
    """Print a note if there is a head for question answering and no text has a context."""
    has_pairs = request.texts.pair is not None or request.texts.pairs
    asked = next((head for head in heads if head.info.task == HeadTask.ANSWER), None)
    if asked is not None and not has_pairs:
        reporter.note(
            f"{asked.info.class_name} answers a question from a context, and there is none: give it with --pair, "
            "or with --pairs after each question"
        )
