"""Progress of a run: counts of texts and tokens, bytes of input done, and the thread that reports them."""

import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Protocol

from bertcli.input.reader import TextReader
from bertcli.input.records import Window
from bertcli.lazy_dataclass import dataclass
from bertcli.model.tokenizer import TokenizedText
from bertcli.results.corpus import RunSummary

if TYPE_CHECKING:
    from bertcli.model.batching import Batch

# Seconds until the first report, so that a short run shows no bar, and between two reports.
_FIRST_REPORT, _REPORT_INTERVAL = 1.0, 0.1


@dataclass(slots=True)
class RunCounts:
    """Counts of a run so far.

    Attributes:
        done: Texts that are finished, failed ones included.
        tokens: Tokens of the texts that have an answer.
        truncated: Texts that were cut.
        repeated: Texts that did not go through the model because an equal text had.
        computed: Tokens that went through the model.
        positions: Tokens that went through the model, and the padding that went with them.
        unknown: Tokens that are [UNK].
        unknown_texts: Texts with such a token.
    """

    done: int = 0
    tokens: int = 0
    truncated: int = 0
    repeated: int = 0
    computed: int = 0
    positions: int = 0
    unknown: int = 0
    unknown_texts: int = 0

    @property
    def padded_share(self) -> float:
        """Share of padding in what was computed, from 0 to 1."""
        return 1 - self.computed / self.positions if self.positions else 0.0

    def add(self, other: "RunCounts") -> None:
        """Add the counts of another part of the run."""
        for each in fields(self):
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))

    def summary(self, skipped: int, seconds: float) -> RunSummary:
        """Return the summary of the run so far.

        Args:
            skipped: Number of failed texts.
            seconds: Time since the start of the run.
        """
        return RunSummary(
            self.done,
            self.tokens,
            self.truncated,
            skipped,
            seconds,
            self.padded_share,
            self.repeated,
            self.unknown,
        )

    def note_on_unknown(self, token: str) -> str | None:
        """Return a note about tokens that the model does not know, or None if there are none.

        Args:
            token: The spelling of [UNK] in the vocabulary.
        """
        if not self.unknown:
            return None
        return (
            f"unknown to this model ({token}): {self.unknown:,} of {self.tokens:,} tokens, in {self.unknown_texts:,} "
            f"of {self.done:,} texts; is it the right model?"
        )

    def count_text(self, text: TokenizedText) -> None:
        """Count a text that has its answer. A document counts once, with all of its tokens, at its last window."""
        if not text.ends_text:
            return
        whole = text if text.window is None else text.window.document
        self.tokens += len(whole)
        self.truncated += text.truncated
        self.unknown += whole.unknown
        self.unknown_texts += whole.unknown > 0

    def count_batch(self, batch: "Batch", is_packed: bool) -> None:
        """Count a batch that went through the model. A packed batch is computed without its padding."""
        self.done += sum(text.ends_text for text in batch.texts)
        rows, columns = batch.shape
        tokens = sum(map(len, batch.texts))
        self.positions += tokens if is_packed else rows * columns
        self.computed += tokens


class ProgressDisplay(Protocol):
    """Shows the user how far a run has come."""

    @property
    def is_shown(self) -> bool:
        """True if the user can see it."""

    def show(self, summary: RunSummary, done: int, total: int | None) -> None:
        """Draw the progress. done and total are bytes of the input; total is None if unknown."""

    def end(self) -> None:
        """Remove what was drawn."""


class ProgressReporter:
    """Thread that shows the progress of a run several times a second.

    It is separate from the threads that compute and write, since a batch may take seconds.

    Args:
        reader: The input.
        counts: Counts of the run, which changes them.
        display: Shows the progress.
        parts: Number of texts that are computed for each text of the input.
    """

    def __init__(self, reader: TextReader, counts: RunCounts, display: ProgressDisplay, parts: int = 1) -> None:
        self._reader, self._counts, self._display, self._parts = reader, counts, display, parts
        self._started = time.monotonic()
        self._window_ends: deque[tuple[int, int]] = deque()  # texts and bytes read at the end of each window
        self._texts_read = 0
        self._behind = (0, 0)  # texts and bytes of the last window that is done
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._report, daemon=True)

    def start(self) -> None:
        """Start the thread if the display is shown."""
        if self._display.is_shown:
            _ = self._reader.total_bytes  # looked up now, so that the thread never waits for the network
            self._thread.start()

    def stop(self) -> None:
        """Stop the thread and remove what it drew."""
        self._is_over.set()
        self._display.end()

    @property
    def seconds(self) -> float:
        """Time since the start of the run."""
        return time.monotonic() - self._started

    def watch(self, windows: Iterable[Window]) -> Iterator[Window]:
        """Yield the windows unchanged, and note the byte position at the end of each."""
        for window in windows:
            if not self._texts_read:
                # A resumed run skips the texts of its finished shards, which may end within a window.
                self._behind = 0, self._reader.bytes_before(len(window) // self._parts)
            self._texts_read += len(window)
            self._window_ends.append((self._texts_read, self._reader.read_bytes))
            yield window

    def _report(self) -> None:
        wait = _FIRST_REPORT
        while not self._is_over.wait(wait):
            # Tokens count as soon as they are computed, even if the answers of their group are not complete yet.
            summary = self._counts.summary(0, self.seconds)
            summary = replace(summary, texts=summary.texts // self._parts, tokens=self._counts.computed)
            self._display.show(summary, self._done_bytes(), self._reader.total_bytes)
            wait = _REPORT_INTERVAL

    def _done_bytes(self) -> int:
        """Return about how many bytes of the input belong to texts that are done, interpolated within a window."""
        done = self._counts.done
        while self._window_ends and self._window_ends[0][0] <= done:
            self._behind = self._window_ends.popleft()
        texts, behind = self._behind
        if not self._window_ends:
            return behind
        next_texts, ahead = self._window_ends[0]
        return behind + (ahead - behind) * (done - texts) // (next_texts - texts)
