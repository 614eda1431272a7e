"""Compare the texts a second of two one-thread actors with those of one, on a local Ray.

The clock of a run starts when its actors have loaded their models and written a shard or two each. It stops after the
last shard. The two set-ups take turns on the same texts. The target is 1.6 times the speed.

    pip install -e '.[bench,ray]'
    python benchmarks/ray_actors.py --rounds 3
"""

import argparse
import tempfile
import time
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from bertcli.choices import Pooling
from bertcli.cli.options import CorpusOptions, ModelOptions, OutputOptions, RayOptions, TextOptions
from bertcli.cluster.connection import connected, results
from bertcli.cluster.plan import ActorPlan
from bertcli.cluster.tasks import ShardResult
from bertcli.cluster.workers import OpenEncoder, Reading, Work
from bertcli.commands.encode import EncodeRequest
from bertcli.model.request import SessionRequest
from bertcli.output.files.shards import Manifest
from processes import in_turn
from samples import mixed_texts

WANTED = 1.6
# Number of shards before the clock starts.
UNTIL_WARM = 4


def work(file: Path, folder: Path, engine: str, shard_rows: int) -> Work:
    """Return the work of `encode -f FILE -o FOLDER --ray`."""
    request = EncodeRequest(
        TextOptions(file=[str(file)]),
        ModelOptions(),
        OutputOptions(output=f"{folder}/"),
        pool=Pooling.MEAN,
        normalize=False,
        tokens=False,
        layers=None,
        pooler=False,
        similarity=False,
        corpus=CorpusOptions(),
        ray=RayOptions(on_ray=True),
    )
    session = SessionRequest(engine=engine, device="cpu", threads=1)
    return Work(request, session, Manifest({}, shard_rows), folder, str(folder))


def texts_a_second(ray: Any, task: Work, actors: int) -> float:
    """Return the texts a second of `actors` one-thread actors, once they are warm."""
    rows, start = 0, 0.0
    for number, packed in enumerate(results(ray, Reading(task), OpenEncoder(task), ActorPlan(actors, 1)), 1):
        encoded = ShardResult.of(packed)
        rows += encoded.shard.rows if number > UNTIL_WARM else 0
        start = time.perf_counter() if number == UNTIL_WARM else start
    return rows / (time.perf_counter() - start)


def main() -> None:
    """Run the benchmark and print the results."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--texts", type=int, default=4000)
    parser.add_argument("--shard-rows", type=int, default=250)
    parser.add_argument("--engine", default="torch")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch, connected(None) as ray:
        file, folder = Path(scratch) / "in.txt", Path(scratch) / "out"
        folder.mkdir()
        file.write_text("".join(f"{text}\n" for text in mixed_texts(options.texts)), encoding="utf-8")
        task = work(file, folder, options.engine, options.shard_rows)
        names = {1: "one actor", 2: "two actors"}
        cases = {name: partial(texts_a_second, ray, task, actors) for actors, name in names.items()}
        found = in_turn(options.rounds, cases, is_warm=True)
    one, two = (found[name] for name in names.values())
    for name, rates in found.items():
        print(f"{name:12} {median(rates):8,.0f} texts/s  ({', '.join(f'{rate:,.0f}' for rate in rates)})")
    ratio = median(second / first for first, second in zip(one, two, strict=True))
    print(f"{'ratio':12} {ratio:8.2f}  (target: {WANTED})")


if __name__ == "__main__":
    main()
