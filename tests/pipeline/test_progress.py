"""Progress of a run: it counts the texts of the input, however many texts are computed for each."""

import threading
from pathlib import Path

import pytest

from bertcli.input.reader import TextReader
from bertcli.input.records import TextSource
from bertcli.pipeline import progress
from bertcli.pipeline.progress import ProgressReporter, RunCounts
from bertcli.pipeline.resume import skip_finished
from bertcli.pipeline.shards import ShardBoundaries
from bertcli.results.corpus import Manifest, RunSummary, Shard, ShardLimits
from tests.input.files import write_two_windows


class _Display:
    """Display that keeps what it has shown last."""

    is_shown = True

    def __init__(self) -> None:
        self.summary: RunSummary | None = None
        self.done = -1
        self.has_shown = threading.Event()

    def show(self, summary: RunSummary, done: int, total: int | None) -> None:
        self.summary, self.done = summary, done
        self.has_shown.set()

    def end(self) -> None:
        pass


@pytest.mark.parametrize(("parts", "texts"), [(1, 7), (2, 3)])
def test_the_parts_of_a_text_count_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, parts: int, texts: int
) -> None:
    monkeypatch.setattr(progress, "_FIRST_REPORT", 0.0)
    (tmp_path / "texts.txt").write_text("a\nb\n")
    display = _Display()
    reporter = ProgressReporter(TextReader(TextSource(file=tmp_path / "texts.txt")), RunCounts(done=7), display, parts)
    reporter.start()
    assert display.has_shown.wait(60)
    reporter.stop()
    assert display.summary is not None
    assert display.summary.texts == texts


@pytest.mark.parametrize(("finished", "begins"), [(0, 0), (3, 30), (4, 40), (6, 70)])
@pytest.mark.parametrize("parts", [1, 2])
def test_the_progress_of_a_resumed_run_begins_behind_the_finished_shards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, finished: int, begins: int, parts: int
) -> None:
    monkeypatch.setattr(progress, "_FIRST_REPORT", 0.0)
    source, limits = write_two_windows(tmp_path), ShardLimits(max(1, finished))
    boundaries = ShardBoundaries(limits)
    list(boundaries.watch(TextReader(source).windows()))
    shards = (Shard("shard-0", finished, 0, 0, "", boundaries.take(0).sha256),) if finished else ()
    display, reader = _Display(), TextReader(source)
    reporter = ProgressReporter(reader, RunCounts(), display, parts)
    left = skip_finished(boundaries.watch(reader.windows()), Manifest({}, limits, shards), boundaries)
    assert next(reporter.watch(parts * window for window in left))
    reporter.start()
    assert display.has_shown.wait(60)
    reporter.stop()
    assert display.done == begins
