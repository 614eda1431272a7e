"""The bar on a terminal: there while a run goes on, gone when it is over, and nowhere else."""

import re
import sys
from pathlib import Path

import pexpect

from tests.cli.process import environment

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")


def on_terminal(arguments: list[str], folder: Path) -> tuple[int, str]:
    """The exit code, and everything that a terminal of 80 columns was sent."""
    process = pexpect.spawn(
        sys.executable,
        ["-m", "bertcli", *arguments],
        cwd=str(folder),
        env=environment(),
        dimensions=(24, 80),
        encoding="utf-8",
        timeout=120,
    )
    shown = process.read()
    process.wait()
    return process.exitstatus, shown


def test_a_run_that_takes_a_while_shows_rows_speed_share_and_time(tiny: tuple[str, str], folder: Path) -> None:
    # A batch of one text, so that it takes some seconds.
    (folder / "in.txt").write_text("how are you\n\n" * 3000)
    more = ["--batch-tokens", "5", "--on-error", "skip"]
    code, shown = on_terminal(["encode", "-f", "in.txt", *tiny, *more, "-o", "out.npy"], folder)
    assert code == 1
    plain = ESCAPES.sub("", shown)
    assert re.search(r"\d+% left \d:\d\d:\d\d [\d,]+ rows  [\d,]+ tokens/s", plain), plain[-2000:]
    # What is said in the meantime stands on lines of its own.
    assert "bertcli: error: line 2: the text is empty\n" in plain
    skipped, summary = [line for line in plain.split("\n") if line.strip()][-2:]
    assert skipped.endswith("bertcli: error: skipped 3,000 texts without an answer")
    assert summary.startswith("bertcli: 6,000 rows, 15,000 tokens, 0 truncated, 3,000 skipped, ")


def test_a_quiet_run_and_one_that_is_short_show_none(tiny: tuple[str, str], folder: Path) -> None:
    (folder / "in.txt").write_text("how are you\n" * 10)
    for more in ([], ["-q"]):
        code, shown = on_terminal(["encode", "-f", "in.txt", *tiny, *more, "--force", "-o", "out.npy"], folder)
        assert (code, shown) == (0, "")
