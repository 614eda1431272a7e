"""Measure the time and memory of single commands, and compare fill-mask with transformers' pipeline.

Each command is a process of its own. The commands take turns for several rounds, so that a busy moment of the machine
affects all of them alike. The program prints medians, and the speed of fill-mask relative to the pipeline's process on
the same checkpoint.

    python benchmarks/startup.py --rounds 9
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from bertcli.checkpoints.find import BUNDLED_FOLDER
from processes import median_run, random_bert_base, run_process
from timing import in_turn

SENTENCE, MASKED = "Hello, how are you?", "how [MASK] you"
AS_TABLE = ("--format", "table")  # as on a terminal; a pipe would get TSV, which does not need rich
# float32, as in bertcli. By default transformers computes in the dtype of the checkpoint file.
PIPELINE = """
import sys
from transformers import pipeline
print(pipeline("fill-mask", model=sys.argv[1], dtype="float32")(sys.argv[2]))
"""


def cases(bert_base: Path) -> dict[str, Sequence[str | Path]]:
    """Return the commands by the names that are printed."""
    bertcli = Path(sys.executable).with_name("bertcli")
    found: dict[str, Sequence[str | Path]] = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "bertcli --help": [bertcli, "--help"],
        "bertcli shapes": [bertcli, "shapes", SENTENCE, *AS_TABLE],
        "python -c 'import torch'": [sys.executable, "-c", "import torch"],
    }
    for size, folder in (("bundled", BUNDLED_FOLDER), ("bert-base", bert_base)):
        found |= {
            f"bertcli fill-mask, {size}": [bertcli, "fill-mask", "-m", folder, MASKED, *AS_TABLE],
            f"bertcli encode, {size}": [bertcli, "encode", "-m", folder, SENTENCE, *AS_TABLE],
            f"bertcli attn, {size}": [bertcli, "attn", "-m", folder, SENTENCE, *AS_TABLE],
            f"pipeline fill-mask, {size}": [sys.executable, "-c", PIPELINE, folder, MASKED],
        }
    return found


def main() -> None:
    """Run the benchmark and print the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9, help="number of rounds (9)")
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as scratch:
        commands = cases(random_bert_base(Path(scratch)))
        runs = in_turn(
            rounds, {name: partial(run_process, command, Path(scratch)) for name, command in commands.items()}
        )
    medians = {name: median_run(of_one) for name, of_one in runs.items()}
    print(f"{'median of ' + str(rounds):32} {'seconds':>8} {'peak MiB':>9}")
    for name, run in medians.items():
        print(f"{name:32} {run.seconds:8.3f} {run.peak_mib:9.0f}")
    for size in ("bundled", "bert-base"):
        ours, pipeline = medians[f"bertcli fill-mask, {size}"], medians[f"pipeline fill-mask, {size}"]
        print(
            f"fill-mask, {size}: {pipeline.seconds / ours.seconds:.1f} times as fast as the pipeline's process, "
            f"with {ours.peak_mib / pipeline.peak_mib:.0%} of its peak memory"
        )


if __name__ == "__main__":
    main()
