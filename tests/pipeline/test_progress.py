"""Progress of a run: it counts the texts of the input, however many texts are computed for each."""

import threading
from pathlib import Path

import pytest

from bertcli.input.reader import TextReader
from bertcli.input.records import TextSource
from bertcli.pipeline import progress
from bertcli.pipeline.progress import ProgressReporter, RunCounts
from bertcli.results.corpus import RunSummary


class _Display:
    """Display that keeps what it has shown last."""

    is_shown = True

    def __init__(self) -> None:
        self.summary: RunSummary | None = None
        self.has_shown = threading.Event()

    def show(self, summary: RunSummary, done: int, total: int | None) -> None:
        self.summary = summary
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
