"""Compare the texts per second of two one-thread actors with those of one, on a local Ray.

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

from bertcli.choices import EngineName
from bertcli.cluster.connection import connected, results
from bertcli.cluster.plan import ActorPlan
from bertcli.cluster.tasks import ShardResult
from bertcli.cluster.workers import InputReader, ShardEncoder, ShardWork
from bertcli.commands.encode.corpus import corpus_run
from bertcli.commands.encode.request import EncodeRequest
from bertcli.commands.options import RayOptions, TextOptions
from bertcli.model.request import SessionRequest
from bertcli.model.session import open_session
from bertcli.output.destination import OutputOptions
from bertcli.results.corpus import Manifest, ShardLimits
from samples import mixed_texts, write_lines
from timing import in_turn, median_ratio

WANTED = 1.6
# Number of shards before the clock starts.
UNTIL_WARM = 4


def cluster_work(file: Path, folder: Path, engine: EngineName, shard_rows: int) -> ShardWork:
    """Return the work of `encode -f FILE -o FOLDER --ray`, with actors of one thread."""
    model = SessionRequest(engine=engine, device="cpu", threads=1)
    texts = TextOptions(file=[str(file)])
    request = EncodeRequest(texts, model, OutputOptions(output=f"{folder}/"), ray=RayOptions(on_ray=True))
    run = corpus_run(request)
    return ShardWork(
        source=run.source,
        on_error=texts.on_error,
        session=run.session,
        command=run.command,
        info=run.info(open_session(run.session)),
        manifest=Manifest({}, ShardLimits(shard_rows)),
        folder=folder,
        working_folder=str(folder),
    )


def texts_per_second(ray: Any, work: ShardWork, actors: int) -> float:
    """Return the texts per second of `actors` one-thread actors, once they are warm."""
    rows, start = 0, 0.0
    found = results(ray, InputReader(work), partial(ShardEncoder, work), ActorPlan(actors, 1))
    for number, result in enumerate(found, 1):
        assert isinstance(result, ShardResult)
        rows += result.shard.rows if number > UNTIL_WARM else 0
        start = time.perf_counter() if number == UNTIL_WARM else start
    return rows / (time.perf_counter() - start)


def main() -> None:
    """Run the benchmark and print the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="number of rounds (3)")
    parser.add_argument("--texts", type=int, default=4000, help="number of texts (4000)")
    parser.add_argument("--shard-rows", type=int, default=250, help="texts of a shard (250)")
    parser.add_argument("--engine", type=EngineName, default=EngineName.TORCH, help="engine, as for bertcli (torch)")
    options = parser.parse_args()
    if options.texts <= UNTIL_WARM * options.shard_rows:
        parser.error(
            f"{UNTIL_WARM} shards are written before the clock starts: use more --texts, or fewer --shard-rows"
        )
    with tempfile.TemporaryDirectory() as scratch, connected(None) as ray:
        file, folder = write_lines(Path(scratch) / "in.txt", mixed_texts(options.texts)), Path(scratch) / "out"
        folder.mkdir()
        work = cluster_work(file, folder, options.engine, options.shard_rows)
        names = {1: "one actor", 2: "two actors"}
        cases = {name: partial(texts_per_second, ray, work, actors) for actors, name in names.items()}
        found = in_turn(options.rounds, cases, is_warm=True)
    one, two = (found[name] for name in names.values())
    for name, rates in found.items():
        print(f"{name:12} {median(rates):8,.0f} texts/s  ({', '.join(f'{rate:,.0f}' for rate in rates)})")
    ratio = median_ratio(two, one)
    print(f"{'ratio':12} {ratio:8.2f}  (target: {WANTED})")


if __name__ == "__main__":
    main()
