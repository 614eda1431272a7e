"""Measure shards of the default size: how long one takes, whether they slow a run down, and what --resume checks.

Each model encodes the same texts into shards of the default size and into one shard, in turn. The check is the one that
`--resume` makes before it continues: the hash of every shard that is there.

    pip install -e '.[bench,parquet]'
    python benchmarks/shards.py --rounds 3
"""

import argparse
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from statistics import median

from bertcli.checkpoints.find import BUNDLED_FOLDER
from bertcli.output.files.manifest import load_manifest
from bertcli.output.files.shards import check_shards
from processes import Run, in_turn, random_bert_base, run_process
from samples import mixed_texts


def encode(model: Path, file: Path, folder: Path, *more: str) -> Run:
    """Encode a file of lines into a folder with the torch engine."""
    command = [sys.executable, "-m", "bertcli", "encode", "-m", model, "-f", file, "--engine", "torch", "--force", "-q"]
    return run_process([*command, "-o", f"{folder}/", *more], folder.parent)


def check_seconds(folder: Path) -> float:
    """Return the seconds that the check of all shards takes."""
    manifest = load_manifest(folder)
    assert manifest is not None
    start = time.perf_counter()
    check_shards(folder, manifest)
    return time.perf_counter() - start


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
            file, folder = scratch / "texts.txt", scratch / "default"
            file.write_text("".join(f"{text}\n" for text in mixed_texts(count)), encoding="utf-8")
            cases = {
                "default": partial(encode, checkpoint, file, folder),
                "one shard": partial(encode, checkpoint, file, scratch / "one", "--shard-rows", str(count)),
            }
            runs = in_turn(options.rounds, cases)
            seconds = median(run.seconds for run in runs["default"])
            pairs = zip(runs["default"], runs["one shard"], strict=True)
            ratio = median(one.seconds / default.seconds for default, one in pairs)
            manifest = load_manifest(folder)
            assert manifest is not None
            shards, checked = len(manifest.shards), check_seconds(folder)
            print(f"{model}: {count:,} texts in {shards} shards, {seconds / shards:.0f} s each (target: at most 30)")
            print(f"{model}: {ratio:.2f} times the speed of a run into one shard (target: 0.98)")
            print(f"{model}: checking all shards takes {checked / seconds:.3%} of the run (target: 2 %)")


if __name__ == "__main__":
    main()
