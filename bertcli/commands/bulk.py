"""A run over many texts: its threads, its progress on a terminal, and what it comes to in the end."""

import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace
from types import TracebackType
from typing import Self

from bertcli.analysis.embeddings.encode import EncodeOptions
from bertcli.input.reader import TextReader
from bertcli.input.records import FailedText, Window
from bertcli.model.session import Session
from bertcli.output.sink import Sink
from bertcli.pipeline.dedupe import RepeatedTexts
from bertcli.pipeline.prefetch import Stages
from bertcli.pipeline.scheduler import BulkPlan, Compute, Tally, schedule
from bertcli.results.embeddings import EncodeRecord
from bertcli.results.texts import RunSummary

# From so many texts on a run ends with a line that says what it came to.
_WORTH_A_SUMMARY = 1000
# Seconds until a bar is drawn, so that what is short comes and goes without one, and between its changes.
_UNTIL_BAR, _BETWEEN = 1.0, 0.1


def sort_window(options: EncodeOptions) -> int:
    """Of how many batches texts are sorted by length together: token by token there is more to hold of each text."""
    is_token_by_token = options.tokens or (options.layer_tokens and options.layers)
    return 4 if is_token_by_token else 16


def folder_plan(options: EncodeOptions, shard_rows: int) -> BulkPlan:
    """How texts go together where they go into shards of so many rows."""
    return BulkPlan(sort_window=sort_window(options), shard_rows=shard_rows, tokens_only=not options.tokens)


class Bulk:
    """The threads and the counts of one run. always_summed: whether a summary comes of few texts too."""

    def __init__(
        self, session: Session, reader: TextReader, sink: Sink, plan: BulkPlan, *, always_summed: bool = False
    ) -> None:
        self._session, self._reader, self._sink, self._plan = session, reader, sink, plan
        self._always_summed = always_summed
        self._stages = Stages()
        self._started = time.monotonic()
        self._positions: deque[tuple[int, int]] = deque()
        self._read = self._passed = self._skipped = 0
        self._behind = (0, 0)
        self._repeats: RepeatedTexts | None = None
        self._is_over = threading.Event()
        # Apart from what computes and writes, as a batch may take seconds.
        self._ticker = threading.Thread(target=self._tick, daemon=True)
        self.tally = Tally()

    def __enter__(self) -> Self:
        if self._sink.draws_progress:
            _ = self._reader.total_bytes  # known from here on, so that the thread meets no network
        self._stages.__enter__()
        if self._sink.draws_progress:
            self._ticker.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stages.__exit__(kind, error, trace)
        self._is_over.set()
        if self._repeats is not None:
            self._repeats.close()
        self._sink.end_progress()
        if error is None and (self._always_summed or self._passed >= _WORTH_A_SUMMARY):
            self._sink.sum_up(self.summary())

    def repeats(self, options: EncodeOptions) -> RepeatedTexts:
        """What knows the texts that come again."""
        self._repeats = RepeatedTexts(self._sink.scratch_folder, self._session.config.hidden_size, options)
        return self._repeats

    def answers(
        self,
        windows: Iterable[Window],
        compute: Compute[EncodeRecord],
        repeats: RepeatedTexts | None = None,
    ) -> Iterator[EncodeRecord | FailedText]:
        """An answer for each text, in order."""
        watched = self._watch(windows)
        answers = schedule(self._session, watched, compute, self._stages, self._plan, self.tally, repeats)
        for answer in answers:
            yield answer
            self._passed += 1
            self._skipped += isinstance(answer, FailedText)

    def summary(self) -> RunSummary:
        """What the run has come to."""
        return self.tally.summary(self._skipped, time.monotonic() - self._started)

    def _tick(self) -> None:
        wait = _UNTIL_BAR
        while not self._is_over.wait(wait):
            # Of a text that has no answer yet, as those beside it have none, the tokens are counted too.
            so_far = replace(self.summary(), tokens=self.tally.computed)
            self._sink.show_progress(so_far, self._done_bytes(), self._reader.total_bytes)
            wait = _BETWEEN

    def _watch(self, windows: Iterable[Window]) -> Iterator[Window]:
        for window in windows:
            self._read += len(window)
            self._positions.append((self._read, self._reader.read_bytes))
            yield window

    def _done_bytes(self) -> int:
        """About how many bytes of the input are behind the texts that are done: it is known at the end of a window."""
        done = self.tally.done
        while self._positions and self._positions[0][0] <= done:
            self._behind = self._positions.popleft()
        texts, behind = self._behind
        if not self._positions:
            return behind
        next_texts, ahead = self._positions[0]
        return behind + (ahead - behind) * (done - texts) // (next_texts - texts)
