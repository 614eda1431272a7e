"""Compare bertcli's attention statistics with transformers' eager attentions and the same statistics in numpy.

Each side is a process of its own. It loads the model and computes one text before it is measured: the seconds for the
texts, and the peak memory above that of the loaded model. The sides take turns for several rounds. At the end, the
program compares the peak memory for a corpus with that for a corpus ten times as large.

    python benchmarks/attention.py --rounds 3
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np
import psutil

from processes import in_turn, median_run, random_bert_base, run_process
from samples import mixed_texts

OURS, THEIRS = "bertcli", "transformers"
LONG_TEXTS, MIXED_TEXTS, BATCH = 6, 200, 8
LONG_WORDS = 600  # more than 512 tokens; both sides truncate to 512
MIB = 1 << 20


def long_texts() -> list[str]:
    """Return texts that fill all of bert-base's positions."""
    words = " ".join(mixed_texts(2000)).split()
    return [" ".join(words[at * LONG_WORDS : (at + 1) * LONG_WORDS]) for at in range(LONG_TEXTS)]


def ours(folder: Path) -> Callable[[Sequence[str]], object]:
    """Return a function that runs bertcli's aggregation on the torch engine, which is used for large inputs."""
    from bertcli.analysis.attention.heads import (
        AttnOptions,
        batch_tokens,
        compute_statistics,
        summarize_texts,
    )
    from bertcli.input.records import TextRecord
    from bertcli.model.request import SessionRequest
    from bertcli.model.session import open_session

    session = open_session(SessionRequest(str(folder), engine="torch", device="cpu", truncate=True))
    options = AttnOptions(range(session.config.num_hidden_layers), range(session.config.num_attention_heads))

    def run(texts: Sequence[str]) -> object:
        window = [TextRecord(index, text) for index, text in enumerate(texts)]
        compute = partial(compute_statistics, session, options=options)
        answers = session.answers([window], compute, batch_tokens=batch_tokens(session))
        return list(summarize_texts(answers, options))

    return run


def theirs(folder: Path) -> Callable[[Sequence[str]], object]:
    """Return a function that does what a careful script does: batches of similar length, eager attention, numpy."""
    import torch
    import transformers

    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.BertModel.from_pretrained(folder, attn_implementation="eager", dtype=torch.float32).eval()

    def run(texts: Sequence[str]) -> object:
        totals = 0.0
        longest_first = sorted(texts, key=len, reverse=True)
        size = 1 if texts and len(texts[0].split()) >= LONG_WORDS else BATCH
        for start in range(0, len(texts), size):
            inputs = tokenizer(
                longest_first[start : start + size], padding=True, truncation=True, max_length=512, return_tensors="pt"
            )
            with torch.no_grad():
                attentions = model(**inputs, output_attentions=True).attentions
            totals = totals + np.stack([_statistics(layer.numpy(), inputs) for layer in attentions])
        return totals

    return run


def _statistics(a: np.ndarray, inputs: dict) -> np.ndarray:
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


def child(way: str, folder: Path, kind: str) -> None:
    """Measure one side and print the seconds and the memory as JSON."""
    run = {OURS: ours, THEIRS: theirs}[way](folder)
    texts = long_texts() if kind == "long" else mixed_texts(MIXED_TEXTS)
    run(["how are you"])
    loaded = psutil.Process().memory_info().rss
    start = time.perf_counter()
    run(texts)
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"seconds": seconds, "mib": (peak - loaded) / MIB}))


def measured(way: str, folder: Path, kind: str) -> dict[str, float]:
    """Run `child` in a process of its own and return its measurements."""
    command = [sys.executable, __file__, "--child", way, str(folder), kind]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def peak_of_corpus(texts: int, scratch: Path) -> float:
    """Return the peak memory in MiB of `attn --aggregate` over `texts` lines, on the bundled model."""
    lines = scratch / f"{texts}.txt"
    lines.write_text("".join(f"{text}\n" for text in mixed_texts(texts)), encoding="utf-8")
    bertcli = Path(sys.executable).with_name("bertcli")
    command = [bertcli, "attn", "-f", lines, "--aggregate", "--engine", "torch", "--truncate"]
    return median_run([run_process(command, scratch)]).peak_mib


def main() -> None:
    """Run the benchmark and print the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="number of rounds (3)")
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.child:
        child(asked.child[0], Path(asked.child[1]), asked.child[2])
        return
    with tempfile.TemporaryDirectory() as scratch:
        folder = random_bert_base(Path(scratch))
        cases = {
            f"{kind} {way}": partial(measured, way, folder, kind)
            for kind in ("mixed", "long")
            for way in (OURS, THEIRS)
        }
        found = in_turn(asked.rounds, cases, is_warm=True)
        for kind, what in (("mixed", f"{MIXED_TEXTS} texts of mixed length"), ("long", f"{LONG_TEXTS} of 512 tokens")):
            print(f"{what}, bert-base's size")
            for unit in ("seconds", "mib"):
                mine, other = (median(run[unit] for run in found[f"{kind} {way}"]) for way in (OURS, THEIRS))
                print(f"  {unit:8} bertcli {mine:8.1f}   transformers {other:8.1f}   {other / mine:.1f} times")
        few, many = (peak_of_corpus(count, Path(scratch)) for count in (1000, 10000))
    print(f"peak of --aggregate: 1,000 texts {few:.0f} MiB, 10,000 texts {many:.0f} MiB: {many / few:.3f} times")


if __name__ == "__main__":
    main()
