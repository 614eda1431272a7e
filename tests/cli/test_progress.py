"""Tests of the progress bar: on a terminal it shows during a run and disappears at the end."""

import os
import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.cli.terminal import spawn

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")


def test_the_bar_shows_texts_and_speed_below_messages(tiny: tuple[str, str], folder: Path) -> None:
    os.mkfifo(folder / "in.txt")
    process = spawn(["encode", "-f", "in.txt", *tiny, "--on-error", "skip", "-o", "out.npy"], folder)
    with (folder / "in.txt").open("w") as pipe:
        pipe.write("how are you\n" * 1500)
        pipe.flush()
        process.expect(r"1,500 texts  [\d,]+ tokens/s")
        pipe.write("\nhow are you\n")
        pipe.flush()
        process.expect("bertcli: skipped: in.txt, line 1,501: the text is empty\r\n")
        process.expect(r"1,502 texts  [\d,]+ tokens/s")
    rest = ESCAPES.sub("", process.read())
    process.wait()
    assert process.exitstatus == 1
    skipped, counts, speed = [line.strip() for line in rest.split("\n") if line.strip()][-3:]
    assert skipped.endswith("bertcli: error: skipped 1 failed text")
    assert counts == "bertcli: 1,502 rows, 7,505 tokens, 0 truncated, 1 skipped"
    assert speed.startswith("bertcli: ") and speed.endswith(" % padding")


def run_with_bar(arguments: Sequence[str], path: Path, lines: str, shown: str) -> None:
    """Run a command that reads a pipe. The bar must show a pattern before the pipe is closed."""
    os.mkfifo(path)
    process = spawn([*arguments, "-f", path.name], path.parent)
    with path.open("w") as pipe:
        pipe.write(lines)
        pipe.flush()
        process.expect(shown)
    process.read()
    process.wait()
    assert process.exitstatus == 0


def test_a_pair_counts_as_one_text(tiny: tuple[str, str], folder: Path) -> None:
    fields = ["--field", "a", "--versus", "b"]
    pairs = '{"a": "how are you", "b": "how is you"}\n' * 6
    arguments = ["fill-mask", *tiny, "--score", *fields, "-o", "out.json"]
    run_with_bar(arguments, folder / "in.jsonl", pairs, r"6 texts  [\d,]+ tokens/s")


def test_a_quiet_run_shows_no_bar(tiny: tuple[str, str], folder: Path) -> None:
    (folder / "in.txt").write_text("how are you\n" * 10)
    process = spawn(["encode", "-f", "in.txt", *tiny, "-q", "-o", "out/"], folder)
    shown = process.read()
    process.wait()
    assert (process.exitstatus, shown) == (0, "")


@pytest.mark.parametrize(
    "arguments",
    [
        ("fill-mask", "-o", "out.jsonl"),
        ("fill-mask", "--score", "-o", "out.tsv"),
        ("attn", "--aggregate", "-o", "out.json"),
        ("shapes", "--lengths", "-o", "out.json"),
    ],
    ids=" ".join,
)
def test_every_command_shows_the_bar(tiny: tuple[str, str], folder: Path, arguments: tuple[str, ...]) -> None:
    run_with_bar([*arguments, *tiny], folder / "in.txt", "how [MASK] you\n" * 40, r"40 texts  [\d,]+ tokens/s")
    assert (folder / arguments[-1]).stat().st_size > 0
