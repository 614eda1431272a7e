"""Masks and scores of documents: joined from the windows in which they were computed."""

from collections.abc import Sequence
from dataclasses import replace

from bertcli.analysis.masks.predictions import missing_mask
from bertcli.analysis.masks.pseudo_likelihood import text_score
from bertcli.analysis.masks.scored_tokens import missing_token
from bertcli.analysis.masks.targets import Target
from bertcli.errors import BadText
from bertcli.input.records import FailedText
from bertcli.model.document_reader import document_info
from bertcli.model.documents import Document, DocumentWindow
from bertcli.model.session import Session
from bertcli.model.tokenizer import TextTokenizer
from bertcli.quoting import shortened
from bertcli.results.masks import FillMaskRecord, MaskPredictions, TokenScore
from bertcli.results.texts import TokenSpan


class JoinedMasks:
    """Joins the records of a document's windows. See bertcli.pipeline.documents.Join.

    Positions become those in the document. If there is no score, the record lists the window of each mask.
    """

    def __init__(self, tokenizer: TextTokenizer, document: Document) -> None:
        self._tokenizer, self._document = tokenizer, document
        self._windows: list[TokenSpan] = []
        self._masks: list[MaskPredictions] = []
        self._scores: list[TokenScore] = []
        self._method: str | None = None

    def add(self, window: DocumentWindow, answer: FillMaskRecord) -> None:
        """Add the record of the next window."""
        self._masks += [replace(mask, position=window.in_document(mask.position)) for mask in answer.masks]
        span = TokenSpan(window.start, window.end)
        if answer.score is None:
            self._windows += [span] * len(answer.masks)
            return
        self._windows.append(span)
        self._method = answer.score.method
        tokens = answer.score.tokens
        self._scores += [replace(token, position=window.in_document(token.position)) for token in tokens]

    def finish(self) -> FillMaskRecord:
        """Return the record of the document."""
        info = document_info(self._tokenizer, self._document, self._windows)
        score = None if self._method is None else text_score(self._scores, self._method)
        return FillMaskRecord(info, self._masks, score=score)


def check_document_masks(
    session: Session, targets: Sequence[Target], longest_word: int, document: Document
) -> FailedText | None:
    """Return the text as failed if it has no mask, or if a window has no room for a target or word, else None.

    Args:
        session: The open checkpoint.
        targets: Words to score.
        longest_word: Largest number of pieces of other words.
        document: The text.
    """
    if session.mask_token_id not in document.input_ids:
        return document.record.failed(missing_mask(document.record))
    if longest_word > document.window_size:
        problem = BadText(
            f"a word of {longest_word} pieces needs more than a window, which has room for "
            f"{document.window_size} tokens",
            hint=session.tokenizer.limit_hint("use fewer --pieces"),
        )
        return document.record.failed(problem)
    longest = max(targets, key=lambda target: len(target.ids), default=None)
    if longest is None or len(longest.ids) <= document.window_size:
        return None
    problem = BadText(
        f"the target {shortened(longest.word)} has {len(longest.ids)} pieces, and a window has room for "
        f"{document.window_size} tokens",
        hint=session.tokenizer.limit_hint("leave the target out"),
    )
    return document.record.failed(problem)


def check_document_scorable(session: Session, document: Document) -> FailedText | None:
    """Return the text as failed if it has only special tokens, else None."""
    special = session.tokenizer.is_cls_sep_or_pad
    if any(id_ != session.mask_token_id and not special(id_) for id_ in set(document.input_ids)):
        return None
    return document.record.failed(missing_token())
