"""Measure how long commands take to end after Ctrl-C or SIGTERM.

Each run is a process of its own over a long input. It gets its signal at a random moment, drawn with a fixed seed. The
program prints the minimum, median and maximum of the seconds between the signal and the end of the process, and checks
the exit code, the standard error, and that no unfinished file is left.

    python benchmarks/interrupts.py --rounds 20
    python benchmarks/interrupts.py --rounds 20 --size bert-base
"""

import argparse
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bertcli.checkpoints.find import BUNDLED_FOLDER
from processes import random_bert_base
from samples import masked_lines, mixed_texts, write_lines

# The earliest and the latest moment of the signal, in seconds after the start of the process.
_MOMENTS = (0.2, 5.0)
_LONGEST_END = 120.0
_SIGNALS = {"int": signal.SIGINT, "term": signal.SIGTERM}
_EXIT_CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}
# Lines of input: enough for at least a minute, so that no run ends before its signal.
_LINES = 200_000
# Texts of the page, which has all of their attention: several seconds of work.
_PAGE_TEXTS = 300


@dataclass(frozen=True, slots=True)
class Case:
    """A command: its arguments without the model, and the file that it writes to, if any."""

    arguments: Sequence[str]
    output: str | None = None


def cases(scratch: Path) -> dict[str, Case]:
    """Write the inputs, and return the commands by the names that are printed."""
    texts = write_lines(scratch / "texts.txt", mixed_texts(_LINES))
    masked = write_lines(scratch / "masked.txt", masked_lines(_LINES))
    text = write_lines(scratch / "text.txt", mixed_texts(_PAGE_TEXTS))
    encode = ["encode", "-f", str(texts)]
    return {
        "encode to a folder": Case([*encode, "-o", "out/"], "out"),
        "encode to .npy": Case([*encode, "-o", "out.npy"], "out.npy"),
        "encode to .npz": Case([*encode, "-o", "out.npz"], "out.npz"),
        "encode to stdout": Case([*encode, "--format", "jsonl"]),
        "fill-mask": Case(["fill-mask", "-f", str(masked)]),
        "fill-mask --score": Case(["fill-mask", "-f", str(texts), "--score"]),
        "attn": Case(["attn", "-f", str(texts)]),
        "attn --aggregate": Case(["attn", "-f", str(texts), "--aggregate"]),
        "attn --html": Case(["attn", "-f", str(text), "--html", "out.html"], "out.html"),
    }


def seconds_to_end(
    case: Case, options: Sequence[str], number: signal.Signals, moment: float, cwd: Path
) -> float | None:
    """Run a command, send it a signal, and return the seconds until it ends. Return None if it ended before.

    Raises:
        RuntimeError: The exit code or the messages are wrong, or an unfinished file is left.
    """
    command: list[str | Path] = [Path(sys.executable).with_name("bertcli"), *case.arguments, *options]
    with (cwd / "stderr.txt").open("w+") as errors:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=errors, cwd=cwd)
        try:
            process.wait(moment)
        except subprocess.TimeoutExpired:
            process.send_signal(number)
        else:
            return None
        sent = time.perf_counter()
        code = process.wait(_LONGEST_END)
        seconds = time.perf_counter() - sent
        errors.seek(0)
        messages = errors.read()
    left = [path.name for path in cwd.rglob("*.part")]
    if code != _EXIT_CODES[number] or "Traceback" in messages or "terminate" in messages or left:
        raise RuntimeError(f"{command} ended with {code} and left {left}: {messages}")
    if case.output is not None:
        shutil.rmtree(cwd / case.output, ignore_errors=True)
    return seconds


def main() -> None:
    """Run the benchmark and print the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20, help="number of interrupts of each command (20)")
    parser.add_argument("--size", choices=("bundled", "bert-base"), default="bundled", help="the model (bundled)")
    parser.add_argument("--signal", choices=tuple(_SIGNALS), default="int", help="the signal (int)")
    parser.add_argument("--only", default="", help="run only commands whose name contains this")
    parser.add_argument("options", nargs="*", help="options for every command, after --")
    arguments = parser.parse_args()
    # A shell lets background commands ignore Ctrl-C, and the processes would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    draw = random.Random(0)
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        model = BUNDLED_FOLDER if arguments.size == "bundled" else random_bert_base(scratch)
        options = ["-m", str(model), *arguments.options]
        print(f"{'seconds until the end':24} {'min':>6} {'median':>6} {'max':>6}  runs")
        for title, case in cases(scratch).items():
            if arguments.only not in title:
                continue
            cwd = scratch / "work"
            cwd.mkdir(exist_ok=True)
            moments = [draw.uniform(*_MOMENTS) for _ in range(arguments.rounds)]
            runs = [seconds_to_end(case, options, _SIGNALS[arguments.signal], moment, cwd) for moment in moments]
            ended = [seconds for seconds in runs if seconds is not None]
            if ended:
                print(f"{title:24} {min(ended):6.2f} {median(ended):6.2f} {max(ended):6.2f}  {len(ended)}", flush=True)


if __name__ == "__main__":
    main()
