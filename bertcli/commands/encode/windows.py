"""Windows of encode: one record for a whole text, or one for each of its windows."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from bertcli.analysis.embeddings.encode import EncodeOptions, encode
from bertcli.analysis.embeddings.windows import DocumentVectors, encode_windows
from bertcli.model.batching import Batch
from bertcli.model.session import Session
from bertcli.model.windows import OverlappingWindows
from bertcli.pipeline.documents import ANSWER_WINDOWS, DocumentPlan


def window_plan(
    session: Session, options: EncodeOptions, *, per_window: bool = False
) -> tuple[Callable[[Batch], Sequence[Any]], DocumentPlan[Any]]:
    """Return the function that computes a batch, and how texts that are longer than the limit are read.

    Args:
        session: The open checkpoint.
        options: What is computed for each text.
        per_window: Make a record of each window instead of joining them.
    """
    if per_window:
        return partial(encode, session, options=options), ANSWER_WINDOWS
    joined = DocumentPlan(OverlappingWindows(), partial(DocumentVectors, session, options))
    return partial(encode_windows, session, options=options), joined
