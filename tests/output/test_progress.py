"""The bar: how far, how fast, how long yet; and nothing where it could not be taken back."""

import io
import sys

import pytest

from bertcli.output.progress import ProgressBar
from bertcli.results.texts import RunSummary

SOME = RunSummary(1200, 24_000, 0, 0, 10.0, 0.05)


class Terminal(io.StringIO):
    """Something that says it is one."""

    def isatty(self) -> bool:
        return True


def drawn(monkeypatch: pytest.MonkeyPatch, stream: io.StringIO, total: int | None, term: str = "xterm") -> str:
    """What is sent to stderr while half of the input is done."""
    for name, value in {"TERM": term, "COLUMNS": "80"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    monkeypatch.setattr(sys, "stderr", stream)
    bar = ProgressBar(total)
    bar.update(SOME, 500)
    bar.end()
    return stream.getvalue()


def test_of_files_the_share_and_the_time_left_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = drawn(monkeypatch, Terminal(), 1000)
    assert "50%" in shown and "left" in shown
    assert "1,200 rows  2,400 tokens/s" in shown


def test_of_a_pipe_they_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = drawn(monkeypatch, Terminal(), None)
    assert "1,200 rows  2,400 tokens/s" in shown
    assert "%" not in shown and "left" not in shown


@pytest.mark.parametrize(("stream", "term"), [(io.StringIO, "xterm"), (Terminal, "dumb")])
def test_nothing_is_drawn_where_it_would_stay(
    monkeypatch: pytest.MonkeyPatch, stream: type[io.StringIO], term: str
) -> None:
    assert drawn(monkeypatch, stream(), 1000, term) == ""
