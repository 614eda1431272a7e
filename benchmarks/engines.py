"""Find the amount of work that makes up for importing torch: run both engines, as processes, over more and more text.

`--engine auto` switches from numpy to torch at that point. The program prints the work in floating-point operations of
the encoder, as bertcli estimates it from the size of the text, and the median seconds of each engine.

    python benchmarks/engines.py --rounds 5
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from bertcli.checkpoints import layout
from bertcli.checkpoints.config import read_config
from bertcli.checkpoints.find import BUNDLED_FOLDER
from bertcli.choices import EngineName
from bertcli.model.engine_choice import encoder_work
from processes import median_run, random_bert_base, run_process
from samples import mixed_texts, write_lines
from timing import in_turn

TEXTS = {"bundled": (50, 100, 200, 400, 800), "bert-base": (5, 10, 20, 40, 80)}


def work_of(folder: Path, file: Path) -> float:
    """Return bertcli's estimate of the work for a file, in floating-point operations."""
    return encoder_work(file.stat().st_size, layout.layer_parameters(read_config(folder)))


def main() -> None:
    """Run the benchmark and print the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="number of rounds (5)")
    parser.add_argument("--texts", type=int, nargs="+", help="numbers of texts for both models (a range for each)")
    options = parser.parse_args()
    bertcli = Path(sys.executable).with_name("bertcli")
    with tempfile.TemporaryDirectory() as scratch:
        folders = {"bundled": BUNDLED_FOLDER, "bert-base": random_bert_base(Path(scratch))}
        print(f"{'model':10} {'texts':>6} {'work':>8} {'numpy':>7} {'torch':>7}")
        for model, folder in folders.items():
            for count in options.texts or TEXTS[model]:
                file = write_lines(Path(scratch) / f"{count}.txt", mixed_texts(count))
                commands: dict[str, Sequence[str | Path]] = {
                    engine: [bertcli, "encode", "-m", folder, "-f", file, "--engine", engine, "--format", "tsv"]
                    for engine in (EngineName.NUMPY, EngineName.TORCH)
                }
                cases = {name: partial(run_process, command, Path(scratch)) for name, command in commands.items()}
                medians = {name: median_run(runs).seconds for name, runs in in_turn(options.rounds, cases).items()}
                work = work_of(folder, file)
                print(f"{model:10} {count:6} {work:8.1e} {medians['numpy']:7.2f} {medians['torch']:7.2f}", flush=True)


if __name__ == "__main__":
    main()
