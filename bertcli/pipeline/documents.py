"""Documents in a run: their division into windows, and the joining of the windows' answers."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Generic, Protocol, TypeVar

from bertcli.input.records import FailedText, TextRecord
from bertcli.lazy_dataclass import dataclass
from bertcli.model.document_reader import read_document, read_window
from bertcli.model.documents import Document, DocumentWindow
from bertcli.model.tokenizer import TextTokenizer, TokenizedText
from bertcli.model.windows import OverlappingWindows

Answer = TypeVar("Answer")
Check = Callable[[TokenizedText], FailedText | None]


class WindowDivider(Protocol):
    """Divides a document into windows."""

    def divide(self, document: Document) -> Iterator[DocumentWindow]:
        """Yield the windows of a document, in its order."""


class Join(Protocol[Answer]):
    """Joins the answers of the windows of one document into one."""

    def add(self, window: DocumentWindow, answer: Answer) -> None:
        """Add the answer of the next window."""

    def finish(self) -> Answer:
        """Return the answer of the document."""


@dataclass(frozen=True, slots=True)
class DocumentPlan(Generic[Answer]):
    """Rules for texts that are longer than the limit.

    Attributes:
        windows: Divides a document into windows.
        join: Starts to join the answers of a document's windows. None if each window has an answer of its own.
        check: Returns a FailedText for a document that the analysis cannot take.
    """

    windows: WindowDivider
    join: Callable[[Document], Join[Answer]] | None = None
    check: Callable[[Document], FailedText | None] | None = None


# Each window is answered as if it were a text.
ANSWER_WINDOWS: DocumentPlan[object] = DocumentPlan(OverlappingWindows(is_joined=False))


def document_texts(
    tokenizer: TextTokenizer, record: TextRecord, plan: DocumentPlan[Answer], check: Check | None, *, ids_only: bool
) -> Iterator[TokenizedText | FailedText]:
    """Yield the windows of a text that is longer than the limit, or a FailedText.

    Args:
        tokenizer: The tokenizer.
        record: The text.
        plan: How it is divided.
        check: Returns a FailedText for a window that the analysis cannot take. If windows are not joined, such a window
            is left out, and the text fails if all of them are.
        ids_only: As for TextTokenizer.tokenize.
    """
    document = read_document(tokenizer, record)
    if isinstance(document, FailedText):
        yield document
        return
    failed = None if plan.check is None else plan.check(document)
    if failed is not None:
        yield failed
        return
    texts = (read_window(tokenizer, window, ids_only=ids_only) for window in plan.windows.divide(document))
    yield from texts if plan.join is not None or check is None else _suitable(texts, check)


def _suitable(texts: Iterator[TokenizedText], check: Check) -> Iterator[TokenizedText | FailedText]:
    """Yield the windows that pass a check, or the failure of the first one if none does."""
    failure: FailedText | None = None
    last: TokenizedText | None = None
    for text in texts:
        failed = check(text)
        if failed is not None:
            failure = failure or failed
        else:
            if last is not None:
                yield last
            last = text
    if last is not None and last.window is not None:
        yield replace(last, window=replace(last.window, is_last=True))
    elif failure is not None:
        yield failure


class AnswerJoiner(Generic[Answer]):
    """Joins the answers of windows, which are in the order of the input, and passes others through.

    A document may continue in later groups of texts.
    """

    def __init__(self, plan: DocumentPlan[Answer]) -> None:
        self._plan = plan
        self._join: Join[Answer] | None = None

    def add(self, text: TokenizedText, answer: Answer) -> Iterator[Answer]:
        """Yield the answer of the text that ends with this one, if there is any."""
        if text.window is None or self._plan.join is None:
            yield answer
            return
        if self._join is None:
            self._join = self._plan.join(text.window.document)
        self._join.add(text.window, answer)
        if text.window.is_last:
            joined, self._join = self._join, None
            yield joined.finish()
