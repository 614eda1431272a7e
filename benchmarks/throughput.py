"""Compare encode with sentence-transformers, and fill-mask with transformers' pipeline, on many texts.

Both sides use the same checkpoint and the same threads, load their models before the clock starts, and take turns. The
peers use their best batch size, found on a part of the texts; bertcli uses its default. The results are compared before
the speed.

    pip install -e '.[bench]'
    python benchmarks/throughput.py --rounds 5
"""

import argparse
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np
import torch
import transformers
from sentence_transformers import SentenceTransformer

from bertcli.analysis.embeddings.encode import EncodeOptions, encode
from bertcli.analysis.masks.predictions import predict_masks
from bertcli.commands.encode.outputs import sort_window
from bertcli.pipeline.scheduler import Plan
from bertcli.results.embeddings import EncodeRecord
from bertcli.results.masks import FillMaskRecord
from checkpoints import save_float32_bundled
from matmul import share_of_matmul
from samples import masked_lines, mixed_texts, write_lines
from sessions import open_lines, open_run, open_torch_session, stream_answers, without_failed
from timing import fastest_size, in_turn, median_ratio, seconds

BATCH_SIZES = (1, 8, 16, 32, 64, 128)
PROBE = 300


class Bertcli:
    """The work of both commands, from a file of lines to records."""

    def __init__(self, folder: Path) -> None:
        self.session = open_torch_session(folder)

    def encode(self, file: Path) -> Sequence[EncodeRecord]:
        """Return the records of `encode --pooling mean`."""
        options = EncodeOptions()
        plan = Plan(sort_window=sort_window(options), starts_small=True)
        with open_run(self.session, open_lines(file), plan) as run:
            return list(without_failed(run.answers(partial(encode, self.session, options=options))))

    def fill_mask(self, file: Path) -> Sequence[FillMaskRecord]:
        """Return the records of `fill-mask`."""
        return list(stream_answers(self.session, file, partial(predict_masks, self.session, top_k=5)))


def report(title: str, peer: str, times: dict[str, list[float]], wanted: float) -> None:
    """Print the median times, and the median of the ratios of each round."""
    ratio = median_ratio(times[peer], times["bertcli"])
    print(
        f"{title}: bertcli {median(times['bertcli']):.2f} s, {peer} {median(times[peer]):.2f} s: "
        f"{ratio:.2f} times as fast (target: {wanted})"
    )


def measure_encode(bertcli: Bertcli, folder: Path, scratch: Path, rounds: int, count: int) -> None:
    """Compare encode with sentence-transformers on texts of mixed length."""
    texts = mixed_texts(count)
    file = write_lines(scratch / "texts.txt", texts)
    peer = SentenceTransformer(str(folder), device="cpu")  # uses mean pooling for a checkpoint without a recipe
    size = fastest_size(BATCH_SIZES, lambda size: peer.encode(texts[:PROBE], batch_size=size))
    records, vectors = bertcli.encode(file), peer.encode(texts, batch_size=size)
    np.testing.assert_allclose(np.array([record.embedding for record in records]), vectors, 1e-4, 1e-5)
    times = in_turn(
        rounds,
        {
            "bertcli": lambda: seconds(lambda: bertcli.encode(file)),
            "sentence-transformers": lambda: seconds(lambda: peer.encode(texts, batch_size=size)),
        },
        is_warm=True,
    )
    report(f"encode, {count:,} texts, batch size of the peer {size}", "sentence-transformers", times, 1.2)
    lengths = [len(record.text.tokens) for record in records]
    share = share_of_matmul(bertcli.session, lengths, median(times["bertcli"]))
    print(f"encode: {sum(lengths):,} tokens, {share:.0%} of the speed of a plain float32 matrix product")


def measure_fill_mask(bertcli: Bertcli, folder: Path, scratch: Path, rounds: int, count: int) -> None:
    """Compare fill-mask with the pipeline on lines with one mask each, five candidates for each."""
    lines = masked_lines(count)
    file = write_lines(scratch / "lines.txt", lines)
    peer = transformers.pipeline("fill-mask", model=str(folder), dtype=torch.float32, device="cpu")
    size = fastest_size(BATCH_SIZES, lambda size: peer(lines[:PROBE], batch_size=size))
    ours, theirs = bertcli.fill_mask(file)[:PROBE], peer(lines[:PROBE], batch_size=size)
    for record, answer in zip(ours, theirs, strict=True):
        found = [prediction.score for prediction in record.masks[0].predictions]
        # torch's float32 softmax over a whole vocabulary differs from float64 by up to 2e-5, bertcli's by up to 2e-6.
        np.testing.assert_allclose(found, [candidate["score"] for candidate in answer], 0, 3e-5)
    times = in_turn(
        rounds,
        {
            "bertcli": lambda: seconds(lambda: bertcli.fill_mask(file)),
            "pipeline": lambda: seconds(lambda: peer(lines, batch_size=size)),
        },
        is_warm=True,
    )
    report(f"fill-mask, {count:,} lines, batch size of the peer {size}", "pipeline", times, 3)


def main() -> None:
    """Run the benchmark and print the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="number of rounds (5)")
    parser.add_argument(
        "--texts", type=int, nargs=2, default=[2000, 10_000], help="texts of encode and of fill-mask (2000 10000)"
    )
    parser.add_argument("--only", choices=["encode", "fill-mask"], help="run only this comparison")
    options = parser.parse_args()
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    with tempfile.TemporaryDirectory() as scratch:
        folder = save_float32_bundled(Path(scratch) / "checkpoint")
        bertcli = Bertcli(folder)
        print(f"{torch.get_num_threads()} threads, torch {torch.__version__}, transformers {transformers.__version__}")
        if options.only != "fill-mask":
            measure_encode(bertcli, folder, Path(scratch), options.rounds, options.texts[0])
        if options.only != "encode":
            measure_fill_mask(bertcli, folder, Path(scratch), options.rounds, options.texts[1])


if __name__ == "__main__":
    main()
