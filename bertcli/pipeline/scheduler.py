"""The scheduler of every command: read, tokenize, sort, batch, compute, and emit answers in the order of the input.

Reading and tokenizing run in threads ahead of the computation. Texts are collected into groups of several batches,
and each group is sorted by length before it is cut into batches, so that little padding is computed.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from functools import cached_property
from itertools import islice
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, Protocol, Self, TypeVar

from bertcli.input.reader import TextReader
from bertcli.input.records import FailedText, Window
from bertcli.lazy_dataclass import dataclass
from bertcli.model.batching import Batch, batches
from bertcli.model.resources import trim_heap
from bertcli.model.session import Session
from bertcli.model.tokenizer import LongText, TokenizedText
from bertcli.pipeline.documents import ANSWER_WINDOWS, AnswerJoiner, Check, DocumentPlan, document_texts
from bertcli.pipeline.halving import Halving
from bertcli.pipeline.prefetch import Prefetched, Stages
from bertcli.pipeline.progress import ProgressDisplay, ProgressReporter, RunCounts
from bertcli.pipeline.shards import PartBoundaries, ShardBoundaries
from bertcli.results.corpus import RunSummary

if TYPE_CHECKING:
    from bertcli.pipeline.precision import PrecisionMeter
    from bertcli.results.precision import Precision

Answer = TypeVar("Answer")
Compute = Callable[[Batch], Sequence[Answer]]
Texts = list[TokenizedText | FailedText]
# Number of batches' worth of texts to sort together. More texts would pad less, and hold more answers at once.
SORT_WINDOW = 8
# A group of short texts ends here: short texts have few lengths anyway, and each takes memory beside its tokens.
_MAX_GROUP_TEXTS = 4096
# Texts to tokenize at a time: a tokenized text takes far more memory than its characters.
_TOKENIZED_TOGETHER = 256
# Windows of a document to tokenize at a time. They have more tokens than most texts.
_WINDOWS_TOGETHER = 16


@dataclass(frozen=True, slots=True)
class Plan:
    """Rules for grouping the texts of a run.

    Attributes:
        sort_window: Number of batches' worth of texts to sort by length together.
        boundaries: End a group wherever a shard ends, so that a shard does not depend on the shards before it. None if
            the output has no shards, or if all texts belong to one.
        ends_at_silence: End a group when no more text is waiting, so that a pipe that pauses gets its answers.
        ids_only: Keep only the input_ids of each text, not its tokens and words.
        batch_tokens: Token budget of a batch, padding included. None for the session's.
        prefetch: Number of groups to compute ahead of the consumer, in a thread. 0 computes a group when its first
            answer is taken, so that the answers of one group only are in memory.
        starts_small: Begin with a group of one batch and double from there, so that the first answers come soon.
        parts: Number of texts that are computed for each text of the input: 2 if each row has two texts to compare.
        trim_batches: Number of batches after which freed memory is returned to the system. Batches come in ever new
            sizes, and glibc keeps what earlier ones left. After fewer batches, more memory has to be mapped again.
    """

    sort_window: int = SORT_WINDOW
    boundaries: ShardBoundaries | PartBoundaries | None = None
    ends_at_silence: bool = False
    ids_only: bool = False
    batch_tokens: int | None = None
    prefetch: int = 1
    starts_small: bool = False
    parts: int = 1
    trim_batches: int = 64


class Dedupe(Protocol[Answer]):
    """Cache of answers that recognises repeated texts."""

    def select_new(self, texts: Sequence[TokenizedText]) -> Sequence[TokenizedText]:
        """Return the texts of a group that have to be computed."""

    def add_repeated(self, texts: Sequence[TokenizedText], computed: dict[int, Answer]) -> dict[int, Answer]:
        """Return the answers of all texts of a group, by index."""


class Run:
    """A run over the texts of a reader. Use it as a context manager: leaving it ends all of its threads.

    Args:
        session: The open checkpoint.
        reader: The texts.
        plan: How the texts are grouped.
        display: Shows the progress.
        on_note: Called with what the user should know, such as that batches are halved to fit in memory.
        predicts_tokens: The run predicts tokens, so that reduced precision is compared by predictions too.
    """

    def __init__(
        self,
        session: Session,
        reader: TextReader,
        plan: Plan,
        display: ProgressDisplay,
        on_note: Callable[[str], None],
        *,
        predicts_tokens: bool = False,
    ) -> None:
        self.session, self._reader, self._plan = session, reader, plan
        self._on_note, self._halving = on_note, Halving(session.tokenizer.pad_token_id, on_note)
        self._stages = Stages()
        self._exits = ExitStack()
        self._skipped = 0
        self.meter = open_meter(session, on_note, predicts_tokens=predicts_tokens)
        self.counts = RunCounts()
        self._progress = ProgressReporter(reader, self.counts, display, plan.parts)

    def __enter__(self) -> Self:
        self._exits.callback(self._progress.stop)
        self._exits.enter_context(self._stages)
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._exits.__exit__(kind, error, trace)

    def answers(
        self,
        compute: Compute[Answer],
        *,
        windows: Iterable[Window] | None = None,
        check: Check | None = None,
        dedupe: Dedupe[Answer] | None = None,
        documents: DocumentPlan[Any] = ANSWER_WINDOWS,
    ) -> Iterator[Answer | FailedText]:
        """Yield an answer for each text, in the order of the input.

        Args:
            compute: Returns the answers of a batch, one for each of its texts.
            windows: The texts to take instead of all of the reader's.
            check: Returns a FailedText for a text that the analysis cannot take.
            dedupe: Skips the computation of repeated texts.
            documents: How texts that are longer than the limit are read.
        """
        watched = self._progress.watch(self._reader.windows() if windows is None else windows)
        answers = schedule(
            self.session,
            watched,
            compute,
            self._stages,
            self._plan,
            self.counts,
            self._halving,
            check=check,
            dedupe=dedupe,
            documents=documents,
            meter=self.meter,
        )
        for answer in answers:
            yield answer
            self._skipped += isinstance(answer, FailedText)
        note = self.counts.note_on_unknown(self.session.tokenizer.special_tokens.unk)
        if note is not None:
            self._on_note(note)

    def summary(self) -> RunSummary:
        """Return the summary of the run so far."""
        return self.counts.summary(self._skipped, self._progress.seconds)

    @property
    def dtype(self) -> str:
        """Number type of the computation."""
        return self.session.engine_choice.dtype

    @cached_property
    def precision(self) -> "Precision | None":
        """The distance from float32 of a run in reduced precision that has ended. None in float32."""
        if self.meter is None:
            return None
        from bertcli.analysis.precision import summarize_distances  # here, since few runs need it

        return summarize_distances(self.meter.measure(self._progress.seconds))


def open_meter(
    session: Session, on_note: Callable[[str], None], *, predicts_tokens: bool = False
) -> "PrecisionMeter | None":
    """Return a meter of the distance from float32; None for a session in float32. The arguments are as for Run."""
    if not session.is_reduced:
        return None
    from bertcli.pipeline.precision import PrecisionMeter  # here, since few runs need it

    return PrecisionMeter(session, on_note, predicts_tokens=predicts_tokens)


def schedule(
    session: Session,
    windows: Iterable[Window],
    compute: Compute[Answer],
    stages: Stages,
    plan: Plan,
    counts: RunCounts,
    halving: Halving,
    *,
    check: Check | None = None,
    dedupe: Dedupe[Answer] | None = None,
    documents: DocumentPlan[Any] = ANSWER_WINDOWS,
    meter: "PrecisionMeter | None" = None,
) -> Iterator[Answer | FailedText]:
    """Yield an answer for each text, in the order of the input.

    Which texts share a batch depends on the texts and the plan alone, unless plan.ends_at_silence is set.

    Args:
        session: The open checkpoint.
        windows: The texts, in lists of what is available together.
        compute: Returns the answers of a batch, one for each of its texts.
        stages: The threads of the run.
        plan: How the texts are grouped.
        counts: Updated as texts are computed.
        halving: Splits a batch that does not fit in memory.
        check: Returns a FailedText for a text that the analysis cannot take.
        dedupe: Skips the computation of repeated texts. Texts that are longer than the limit are computed each time.
        documents: How texts that are longer than the limit are read.
        meter: Gets every text, repeated ones too.
    """
    batch_tokens = plan.batch_tokens or session.batch_tokens
    read = stages.prefetch(windows, 1)
    tokenized = stages.prefetch(_tokenize(session, read, plan, check, documents))
    groups = group_texts(tokenized, batch_tokens, plan)
    worker = _GroupWorker(session, compute, batch_tokens, plan, stages, counts, halving, dedupe, documents, meter)
    answered: Iterable[list[Answer | FailedText]] = map(worker.answer, groups)
    if plan.prefetch:
        answered = stages.prefetch(answered, plan.prefetch)
    for answers in answered:
        yield from answers


def group_texts(windows: Prefetched[Texts], batch_tokens: int, plan: Plan) -> Iterator[Texts]:
    """Yield the texts in groups of up to about plan.sort_window batches."""
    sort_window = 1 if plan.starts_small else plan.sort_window
    group: Texts = []
    token_budget = sort_window * batch_tokens
    for window in windows:
        for text in window:
            group.append(text)
            token_budget -= len(text) if isinstance(text, TokenizedText) else 0
            if token_budget <= 0 or len(group) >= _MAX_GROUP_TEXTS or _ends_shard(text, plan.boundaries):
                yield group
                sort_window = min(2 * sort_window, plan.sort_window)
                group, token_budget = [], sort_window * batch_tokens
        if plan.ends_at_silence and group and windows.is_empty:
            yield group
            group, token_budget = [], sort_window * batch_tokens
    if group:
        yield group


def _tokenize(
    session: Session, windows: Iterable[Window], plan: Plan, check: Check | None, documents: DocumentPlan[Any]
) -> Iterator[Texts]:
    for window in windows:
        for start in range(0, len(window), _TOKENIZED_TOGETHER):
            part = window[start : start + _TOKENIZED_TOGETHER]
            texts: Texts = []
            for text in session.tokenizer.tokenize_window(part, ids_only=plan.ids_only):
                if isinstance(text, LongText):
                    of_document = document_texts(
                        session.tokenizer, text.record, documents, check, ids_only=plan.ids_only
                    )
                    while together := [*texts, *islice(of_document, _WINDOWS_TOGETHER)]:
                        yield together
                        texts = []
                else:
                    texts.append(text if check is None or isinstance(text, FailedText) else check(text) or text)
            if texts:
                yield texts


def _ends_shard(text: TokenizedText | FailedText, boundaries: ShardBoundaries | PartBoundaries | None) -> bool:
    if boundaries is None:
        return False
    if isinstance(text, FailedText):
        return boundaries.ends_after(text.index)
    return text.ends_text and boundaries.ends_after(text.record.index)


def _key(text: TokenizedText) -> tuple[int, int]:
    """Return the index of a text and the number of its window, 0 if it is whole."""
    return text.record.index, 0 if text.window is None else text.window.number


class _GroupWorker(Generic[Answer]):
    """Computes the answers of one group after another."""

    def __init__(
        self,
        session: Session,
        compute: Compute[Answer],
        batch_tokens: int,
        plan: Plan,
        stages: Stages,
        counts: RunCounts,
        halving: Halving,
        dedupe: Dedupe[Answer] | None,
        documents: DocumentPlan[Any],
        meter: "PrecisionMeter | None",
    ) -> None:
        self._meter = meter
        self._session, self._compute, self._batch_tokens = session, compute, batch_tokens
        self._plan, self._stages, self._counts = plan, stages, counts
        self._halving, self._dedupe = halving, dedupe
        self._joiner: AnswerJoiner[Answer] = AnswerJoiner(documents)
        self._untrimmed_batches = 0

    def answer(self, group: Texts) -> list[Answer | FailedText]:
        """Return the answers of a group, in its order."""
        texts = [text for text in group if isinstance(text, TokenizedText)]
        whole = [text for text in texts if text.window is None]
        new = whole if self._dedupe is None else self._dedupe.select_new(whole)
        answers = self._compute_all([*new, *(text for text in texts if text.window is not None)])
        self._counts.done += len(group) - len(texts) + len(whole) - len(new)
        self._counts.repeated += len(whole) - len(new)
        if self._dedupe is not None:
            computed = {text.record.index: answers[_key(text)] for text in new}
            repeated = self._dedupe.add_repeated(whole, computed)
            answers.update({_key(text): repeated[text.record.index] for text in whole})
        for text in texts:
            self._counts.count_text(text)
            if self._meter is not None:
                self._meter.add(text)
        if _ends_shard(group[-1], self._plan.boundaries):
            # A resumed run starts at a shard, and must cut its batches as a run without a break does.
            self._halving.forget_budget()
        return [answer for text in group for answer in self._answers_of(text, answers)]

    def _answers_of(
        self, text: TokenizedText | FailedText, answers: dict[tuple[int, int], Answer]
    ) -> Iterator[Answer | FailedText]:
        """Yield the answer of a text; nothing for a window, unless it is answered on its own or ends its text."""
        if isinstance(text, FailedText):
            yield text
        else:
            yield from self._joiner.add(text, answers.pop(_key(text)))

    def _compute_all(self, texts: Sequence[TokenizedText]) -> dict[tuple[int, int], Answer]:
        answers: dict[tuple[int, int], Answer] = {}
        session = self._session
        pad_token_id, batch_size = session.tokenizer.pad_token_id, session.request.batch_size
        for batch in batches(texts, self._batch_tokens, pad_token_id, batch_size):
            self._stages.raise_if_stopped()
            if self._untrimmed_batches >= self._plan.trim_batches:
                trim_heap()
                self._untrimmed_batches = 0
            for text, answer in zip(batch.texts, self._halving(self._compute, batch), strict=True):
                answers[_key(text)] = answer
            self._counts.count_batch(batch, session.engine.supports_packing)
            self._untrimmed_batches += 1
        return answers
