"""One run of a command over its texts: the scheduler with its threads, counts and progress."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from types import TracebackType
from typing import Self, TypeVar

from bertcli.input.reader import TextReader
from bertcli.input.records import FailedText, Window
from bertcli.model.session import Session
from bertcli.pipeline.halving import Halving
from bertcli.pipeline.prefetch import Stages
from bertcli.pipeline.progress import ProgressDisplay, ProgressReporter, RunCounts
from bertcli.pipeline.scheduler import Check, Compute, Dedupe, Plan, schedule
from bertcli.results.corpus import RunSummary

Answer = TypeVar("Answer")


class Run:
    """A run over the texts of a reader. Use it as a context manager: leaving it ends all of its threads.

    Args:
        session: The open checkpoint.
        reader: The texts.
        plan: How the texts are grouped.
        display: Shows the progress.
        on_note: Called with what the user should know, such as that batches are halved to fit in memory.
    """

    def __init__(
        self,
        session: Session,
        reader: TextReader,
        plan: Plan,
        display: ProgressDisplay,
        on_note: Callable[[str], None],
    ) -> None:
        self._session, self._reader, self._plan = session, reader, plan
        self._halving = Halving(session.tokenizer.pad_token_id, on_note)
        self._stages = Stages()
        self._exits = ExitStack()
        self._skipped = 0
        self.counts = RunCounts()
        self._progress = ProgressReporter(reader, self.counts, display)

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
    ) -> Iterator[Answer | FailedText]:
        """Yield an answer for each text, in the order of the input.

        Args:
            compute: Returns the answers of a batch, one for each of its texts.
            windows: The texts to take instead of all of the reader's.
            check: Returns a FailedText for a text that the analysis cannot take.
            dedupe: Skips the computation of repeated texts.
        """
        watched = self._progress.watch(self._reader.windows() if windows is None else windows)
        answers = schedule(
            self._session,
            watched,
            compute,
            self._stages,
            self._plan,
            self.counts,
            self._halving,
            check=check,
            dedupe=dedupe,
        )
        for answer in answers:
            yield answer
            self._skipped += isinstance(answer, FailedText)

    def summary(self) -> RunSummary:
        """Return the summary of the run so far."""
        return self.counts.summary(self._skipped, self._progress.seconds)
