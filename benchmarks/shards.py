"""Measure shards of the default size: how long one takes, whether they slow a run down, and what --resume checks.

Each model encodes the same texts into shards of the default size and into one shard, in turn. The check is the one that
`--resume` makes before it continues: the hash of every shard that is there.

    pip install -e '.[bench,parquet]'
    python benchmarks/shards.py --rounds 3
"""

import argparse
import sys
import tempfile
from functools import partial
from pathlib import Path
from statistics import median

from bertcli.checkpoints.find import BUNDLED_FOLDER
from bertcli.output.files.manifest import load_manifest
from bertcli.output.files.shards import check_shards
from processes import Run, random_bert_base, run_process
from samples import mixed_texts, write_lines
from timing import in_turn, median_ratio, seconds


def encode(model: Path, file: Path, folder: Path, *more: str) -> Run:
    """Encode a file of lines into a folder with the torch engine."""
    command = [sys.executable, "-m", "bertcli", "encode", "--engine", "torch", "--force", "-q", *more]
    return run_process([*command, "-m", model, "-f", file, "-o", f"{folder}/"], folder.parent)


def main() -> None:
    """Run the benchmark and print the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="number of rounds (3)")
    parser.add_argument("--texts", type=int, nargs=2, default=[20_000, 3000], help="texts of each model (20000 3000)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        models = {"bundled": BUNDLED_FOLDER, "bert-base's size": random_bert_base(scratch)}
        for (model, checkpoint), count in zip(models.items(), options.texts, strict=True):
            file, folder = write_lines(scratch / "texts.txt", mixed_texts(count)), scratch / "default"
            cases = {
                "default": partial(encode, checkpoint, file, folder),
                "one shard": partial(encode, checkpoint, file, scratch / "one", "--shard-rows", str(count)),
            }
            runs = in_turn(options.rounds, cases)
            default, one_shard = ([run.seconds for run in of_one] for of_one in runs.values())
            whole, ratio = median(default), median_ratio(one_shard, default)
            manifest = load_manifest(folder)
            assert manifest is not None
            shards, checked = len(manifest.shards), seconds(partial(check_shards, folder, manifest))
            print(f"{model}: {count:,} texts in {shards} shards, {whole / shards:.0f} s each (target: at most 30)")
            print(f"{model}: {ratio:.2f} times the speed of a run into one shard (target: 0.98)")
            print(f"{model}: checking all shards takes {checked / whole:.3%} of the run (target: 2 %)")


if __name__ == "__main__":
    main()
