"""Compare the start-up time with a model in the hub's cache and with one in a folder, and list a cache of fifty models.

Each command is a process of its own. The commands take turns for several rounds, so that a busy moment of the machine
affects all of them alike.

    python benchmarks/models.py --rounds 9
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from processes import median_run, random_bert_base, run_process
from timing import in_turn

COMMIT = "0123456789abcdef0123456789abcdef01234567"
MODELS = 50


def fill_cache(home: Path, checkpoint: Path) -> None:
    """Fill a cache with fifty models, which are links to the files of the checkpoint."""
    for number in range(MODELS):
        folder = home / "hub" / f"models--bench--bert-{number}"
        snapshot = folder / "snapshots" / COMMIT
        snapshot.mkdir(parents=True)
        (folder / "refs").mkdir()
        (folder / "refs" / "main").write_text(COMMIT)
        for file in checkpoint.iterdir():
            (snapshot / file.name).symlink_to(file)


def cases(checkpoint: Path) -> dict[str, Sequence[str | Path]]:
    """Return the commands by the names that are printed."""
    bertcli = Path(sys.executable).with_name("bertcli")
    known = "from bertcli.checkpoints.find import model_names; model_names()"
    return {
        "python -c pass": [sys.executable, "-c", "pass"],
        "model_names()": [sys.executable, "-c", known],
        "models": [bertcli, "models", "--format", "table"],
        "shapes, published": [bertcli, "shapes", "-m", "bert-large-cased", "--batch", "2", "--seq", "128"],
        "shapes, folder": [bertcli, "shapes", "-m", checkpoint, "how are you"],
        "shapes, cache": [bertcli, "shapes", "-m", "bench/bert-7", "how are you"],
        "fill-mask, folder": [bertcli, "fill-mask", "-m", checkpoint, "how [MASK] you"],
        "fill-mask, cache": [bertcli, "fill-mask", "-m", "bench/bert-7", "how [MASK] you"],
    }


def main() -> None:
    """Run the benchmark and print the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9, help="number of rounds (9)")
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as scratch:
        checkpoint = random_bert_base(Path(scratch))
        fill_cache(Path(scratch) / "home", checkpoint)
        os.environ["HF_HOME"] = str(Path(scratch) / "home")
        runs = in_turn(
            rounds,
            {name: partial(run_process, command, Path(scratch)) for name, command in cases(checkpoint).items()},
        )
    print(f"{'median of ' + str(rounds):20} {'seconds':>8} {'peak MiB':>9}")
    for name, of_one in runs.items():
        run = median_run(of_one)
        print(f"{name:20} {run.seconds:8.3f} {run.peak_mib:9.0f}")


if __name__ == "__main__":
    main()
