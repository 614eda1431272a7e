"""Compare bertcli's attention statistics with transformers' eager attentions and the same statistics in numpy.

bertcli runs in float32, and in bfloat16 if the processor multiplies it. transformers runs in float32. Each side is a
process of its own. It loads the model and computes one text before it is measured: the seconds for the texts, and the
peak memory above that of the loaded model. The sides take turns for several rounds. Their statistics are compared
before their speed. At the end, the program compares the peak memory for a corpus with that for a corpus ten times as
large.

    python benchmarks/attention.py --rounds 3
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import psutil

from bertcli.choices import DtypeName, Statistic
from bertcli.model.ops.base import FloatArray
from processes import random_bert_base, run_process
from samples import mixed_texts, write_lines
from sessions import fast_dtypes
from timing import in_turn, median_ratio, seconds

THEIRS = "transformers, float32"
# Relative and absolute tolerance of bertcli's statistics.
TOLERANCES = {DtypeName.FLOAT32: (1e-4, 1e-5), DtypeName.BFLOAT16: (0.05, 0.01)}
BATCH = 8
LONG_WORDS = 600  # more than 512 tokens; both sides truncate to 512
MIB = 1 << 20


def long_texts(count: int) -> list[str]:
    """Return texts that fill all of bert-base's positions."""
    words = " ".join(mixed_texts(count * LONG_WORDS // 5)).split()
    return [" ".join(words[at * LONG_WORDS : (at + 1) * LONG_WORDS]) for at in range(count)]


def ours(folder: Path, dtype: DtypeName) -> Callable[[Path], FloatArray]:
    """Return a function that runs `attn --aggregate` on the torch engine, which is used for large inputs."""
    from bertcli.analysis.attention.heads import AttnOptions, compute_statistics, summarize_texts
    from bertcli.commands.attn.analysis import aggregate_plan
    from bertcli.results.attention import AttnSummary
    from sessions import open_torch_session, stream_answers

    session = open_torch_session(folder, truncate=True, dtype=dtype)
    options = AttnOptions(range(session.config.num_hidden_layers), range(session.config.num_attention_heads))

    def run(file: Path) -> FloatArray:
        compute = partial(compute_statistics, session, options=options)
        texts = stream_answers(session, file, compute, plan=aggregate_plan(session, options))
        (summary,) = summarize_texts(texts, options)
        assert isinstance(summary, AttnSummary)
        return np.array([[getattr(head, name) for name in Statistic] for head in summary.heads], np.float32)

    return run


def theirs(folder: Path) -> Callable[[Path], FloatArray]:
    """Return a function that does what a careful script does: batches of similar length, eager attention, numpy."""
    import torch
    import transformers

    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.BertModel.from_pretrained(folder, attn_implementation="eager", dtype=torch.float32).eval()

    def run(file: Path) -> FloatArray:
        texts = file.read_text(encoding="utf-8").splitlines()
        longest_first = sorted(texts, key=len, reverse=True)
        size = 1 if len(texts[0].split()) >= LONG_WORDS else BATCH
        sums, queries = np.zeros(()), 0
        for start in range(0, len(texts), size):
            inputs = tokenizer(
                longest_first[start : start + size], padding=True, truncation=True, max_length=512, return_tensors="pt"
            )
            with torch.no_grad():
                attentions = model(**inputs, output_attentions=True).attentions
            sums = sums + np.stack([_statistics(layer.numpy(), inputs) for layer in attentions])
            queries += int(inputs["attention_mask"].sum())
        # In each text, one query has no previous token, and one has no next.
        has_neighbour = [name in (Statistic.PREVIOUS, Statistic.NEXT) for name in Statistic]
        means = sums / np.where(has_neighbour, queries - len(texts), queries)
        return means.reshape(-1, len(Statistic)).astype(np.float32)

    return run


def _statistics(a: FloatArray, inputs: Mapping[str, Any]) -> FloatArray:
    """Compute the statistics of one layer.

    Args:
        a: Attention weights, (batch, heads, query, key).
        inputs: The tokenizer's output, with input_ids and attention_mask, (batch, seq).

    Returns:
        Sums over queries, (heads, 9).
    """
    real = inputs["attention_mask"].numpy().astype(np.float32)[:, None]
    ids = inputs["input_ids"].numpy()
    kinds = np.stack([ids == 101, ids == 102, (ids > 998) & (ids < 1013)], -1).astype(np.float32)[:, None]
    positions = np.arange(a.shape[-1], dtype=np.float32)
    with np.errstate(divide="ignore", invalid="ignore"):
        entropy = -np.where(a > 0, a * np.log(a), 0).sum(-1)
    on_kinds = a @ kinds
    each = [
        entropy,
        np.einsum("bhii->bhi", a),
        np.pad(np.diagonal(a, -1, -2, -1), ((0, 0), (0, 0), (1, 0))),
        np.pad(np.diagonal(a, 1, -2, -1), ((0, 0), (0, 0), (0, 1))),
        *(on_kinds[..., kind] for kind in range(3)),
        (a * np.abs(positions[:, None] - positions)).sum(-1),
        a.max(-1),
    ]
    return np.stack([(values * real).sum((0, -1)) for values in each], -1)


def child(way: str, folder: Path, file: Path, warm_up: Path) -> None:
    """Measure one side and print the seconds, the memory and the statistics as JSON."""
    run = theirs(folder) if way == THEIRS else ours(folder, DtypeName(way))
    run(warm_up)
    loaded = psutil.Process().memory_info().rss
    statistics: list[FloatArray] = []
    duration = seconds(lambda: statistics.append(run(file)))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"seconds": duration, "mib": (peak - loaded) / MIB, "statistics": statistics[0].tolist()}))


def run_child(way: str, folder: Path, file: Path, warm_up: Path) -> Mapping[str, Any]:
    """Run `child` in a process of its own and return what it prints."""
    command: list[str | Path] = [sys.executable, __file__, "--child", way, folder, file, warm_up]
    found: Mapping[str, Any] = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return found


def peak_of_corpus(texts: int, scratch: Path) -> float:
    """Return the peak memory in MiB of `attn --aggregate` over `texts` lines, on the bundled model."""
    lines = write_lines(scratch / f"{texts}.txt", mixed_texts(texts))
    options = ["--aggregate", "--engine", "torch", "--truncate"]
    return run_process([sys.executable, "-m", "bertcli", "attn", *options, "-f", lines], scratch).peak_mib


def main() -> None:
    """Run the benchmark and print the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="number of rounds (3)")
    parser.add_argument("--texts", type=int, nargs=2, default=[200, 6], help="mixed and long texts (200 6)")
    parser.add_argument("--corpus", type=int, default=1000, help="texts of the smaller corpus (1000)")
    parser.add_argument("--child", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child(options.child[0], *map(Path, options.child[1:]))
        return
    mixed, long = options.texts
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        folder, warm_up = random_bert_base(scratch), write_lines(scratch / "warm_up.txt", ["how are you"])
        files = {
            f"{mixed:,} texts of mixed length": write_lines(scratch / "mixed.txt", mixed_texts(mixed)),
            f"{long:,} texts of 512 tokens": write_lines(scratch / "long.txt", long_texts(long)),
        }
        for title, file in files.items():
            ways = [*map(str, fast_dtypes()), THEIRS]
            sides = {way: partial(run_child, way, folder, file, warm_up) for way in ways}
            found = in_turn(options.rounds, sides, is_warm=True)
            statistics = {side: runs[0]["statistics"] for side, runs in found.items()}
            for dtype in fast_dtypes():
                np.testing.assert_allclose(statistics[dtype], statistics[THEIRS], *TOLERANCES[dtype])
            print(f"{title}, bert-base's size")
            for side, runs in found.items():
                took, mib = (median(run[unit] for run in runs) for unit in ("seconds", "mib"))
                ratio = median_ratio([run["seconds"] for run in found[THEIRS]], [run["seconds"] for run in runs])
                name = side if side == THEIRS else f"bertcli, {side}"
                print(f"  {name:22} {took:8.1f} s {mib:8.0f} MiB   {ratio:.2f} times as fast as transformers")
        few, many = (peak_of_corpus(count, scratch) for count in (options.corpus, 10 * options.corpus))
    print(
        f"peak of --aggregate: {options.corpus:,} texts {few:.0f} MiB, {10 * options.corpus:,} texts {many:.0f} MiB: "
        f"{many / few:.3f} times"
    )


if __name__ == "__main__":
    main()
