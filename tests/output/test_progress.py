"""The progress bar shows share, speed and time left, and is drawn only on a terminal that can erase it."""

import io
import re
import sys

import pytest

from bertcli.output.console import ProgressBar
from bertcli.results.corpus import RunSummary

SOME = RunSummary(1200, 24_000, 0, 0, 10.0, 0.05)


class Terminal(io.StringIO):
    """Stream that claims to be a terminal."""

    def isatty(self) -> bool:
        return True


def drawn(monkeypatch: pytest.MonkeyPatch, stream: io.StringIO, total: int | None, term: str = "xterm") -> str:
    """Return the output on stderr after half of the input."""
    for name, value in {"TERM": term, "COLUMNS": "80"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    monkeypatch.setattr(sys, "stderr", stream)
    bar = ProgressBar(total)
    for done in (250, 500):  # the time left needs two reports
        bar.update(SOME, done)
    bar.end()
    return stream.getvalue()


def test_a_known_size_shows_the_share_and_the_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = drawn(monkeypatch, Terminal(), 1000)
    assert re.search(r"50 % · 0:0\d left  1,200 texts", shown)
    assert "1,200 texts  2,400 tokens/s" in shown


def test_an_unknown_size_shows_only_texts_and_speed(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = drawn(monkeypatch, Terminal(), None)
    assert "1,200 texts  2,400 tokens/s" in shown
    assert "%" not in shown and "left" not in shown


@pytest.mark.parametrize(("stream", "term"), [(io.StringIO, "xterm"), (Terminal, "dumb")])
def test_nothing_is_drawn_if_it_could_not_be_erased(
    monkeypatch: pytest.MonkeyPatch, stream: type[io.StringIO], term: str
) -> None:
    assert drawn(monkeypatch, stream(), 1000, term) == ""
