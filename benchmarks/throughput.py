"""Compare encode with sentence-transformers, and fill-mask with transformers' pipeline, on many texts.

Both sides use the same checkpoint and the same threads, load their models before the clock starts, and take turns. The
peers use their best batch size, found on a part of the texts; bertcli uses its default. The results are compared before
the speed.

    pip install -e '.[bench]'
    python benchmarks/throughput.py --rounds 5
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
import transformers
from sentence_transformers import SentenceTransformer

from bertcli.analysis.embeddings.encode import EncodeOptions, encode
from bertcli.analysis.masks.predictions import predict_masks
from bertcli.checkpoints import layout
from bertcli.input.reader import TextReader
from bertcli.input.records import TextSource
from bertcli.model.ops.base import Linear
from bertcli.model.ops.torch_ops import TorchOps
from bertcli.model.request import SessionRequest
from bertcli.model.session import Session, open_session
from bertcli.results.embeddings import EncodeRecord
from bertcli.results.masks import FillMaskRecord
from checkpoints import save_float32_bundled
from processes import in_turn
from samples import masked_lines, mixed_texts

BATCH_SIZES = (1, 8, 16, 32, 64, 128)
PROBE = 300


class Bertcli:
    """The work of both commands, from a file of lines to records."""

    def __init__(self, folder: Path) -> None:
        self.session: Session = open_session(SessionRequest(model=str(folder), engine="torch"))

    def encode(self, file: Path) -> Sequence[EncodeRecord]:
        """Return the records of `encode --pooling mean`."""
        return self._answers(file, partial(encode, self.session, options=EncodeOptions()))

    def fill_mask(self, file: Path) -> Sequence[FillMaskRecord]:
        """Return the records of `fill-mask`."""
        return self._answers(file, partial(predict_masks, self.session, top_k=5))

    def _answers(self, file: Path, compute: Callable[[Any], Sequence[Any]]) -> list[Any]:
        return list(self.session.answers(TextReader(TextSource(file=file)).windows(), compute))


def seconds(work: Callable[[], object]) -> float:
    """Return the seconds that the work takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def best_batch_size(work: Callable[[int], object]) -> int:
    """Return the batch size with which the peer is fastest."""
    return min(BATCH_SIZES, key=lambda size: min(seconds(lambda: work(size)) for _ in range(2)))


def encoder_operations(session: Session, lengths: Iterable[int]) -> float:
    """Return the floating-point operations of the encoder's matrix products, without padding.

    A layer takes 2 operations for each parameter of its matrices and each token, and 4 n^2 hidden for the products of
    queries, keys and values over n tokens.

    Args:
        session: The session, for the model's configuration.
        lengths: Number of tokens of each text.
    """
    config = session.config
    matrices = sum(np.prod(shape) for shape in layout.layer_layout(config, 0).values() if len(shape) == 2)
    return float(sum(config.num_hidden_layers * (2 * matrices * n + 4 * n * n * config.hidden_size) for n in lengths))


def matmul_speed(rows: int, hidden: int, inner: int) -> float:
    """Return the best floating-point operations a second of a float32 product, (rows, hidden) by (hidden, inner).

    torch has two libraries for it, and the faster one counts: on some processors MKL reaches less than half the speed
    of oneDNN.
    """
    a, b, out = torch.randn(rows, hidden), torch.randn(hidden, inner), torch.empty(rows, inner)
    ops = TorchOps("cpu", "float32")
    laid_out = ops.prepare_linear(Linear(b.T.contiguous(), torch.zeros(inner)))
    products: Sequence[Callable[[], object]] = (
        lambda: torch.matmul(a, b, out=out),
        lambda: ops.linear(a, laid_out),
    )
    fastest = min(seconds(product) for product in products for _ in range(200))
    return 2.0 * rows * hidden * inner / fastest


def report(what: str, peer: str, times: dict[str, list[float]], wanted: float) -> None:
    """Print the median times, and the median of the ratios of each round."""
    ratio = median(theirs / ours for ours, theirs in zip(times["bertcli"], times[peer], strict=True))
    print(
        f"{what}: bertcli {median(times['bertcli']):.2f} s, {peer} {median(times[peer]):.2f} s: "
        f"{ratio:.2f} times as fast (target: {wanted})"
    )


def measure_encode(bertcli: Bertcli, folder: Path, scratch: Path, rounds: int) -> None:
    """Compare encode with sentence-transformers on 2,000 texts of mixed length."""
    texts = mixed_texts(2000)
    file = scratch / "texts.txt"
    file.write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")
    peer = SentenceTransformer(str(folder), device="cpu")  # uses mean pooling for a checkpoint without a recipe
    size = best_batch_size(lambda size: peer.encode(texts[:PROBE], batch_size=size))
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
    report(f"encode, 2,000 texts, batch size of the peer {size}", "sentence-transformers", times, 1.2)
    lengths = [len(record.text.tokens) for record in records]
    config = bertcli.session.config
    share = encoder_operations(bertcli.session, lengths) / median(times["bertcli"])
    share /= matmul_speed(bertcli.session.batch_tokens, config.hidden_size, config.intermediate_size)
    print(f"encode: {sum(lengths):,} tokens, {share:.0%} of the speed of a plain float32 matrix product")


def measure_fill_mask(bertcli: Bertcli, folder: Path, scratch: Path, rounds: int) -> None:
    """Compare fill-mask with the pipeline on 10,000 lines with one mask each, five candidates for each."""
    lines = masked_lines(10_000)
    file = scratch / "lines.txt"
    file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    peer = transformers.pipeline("fill-mask", model=str(folder), dtype=torch.float32, device="cpu")
    size = best_batch_size(lambda size: peer(lines[:PROBE], batch_size=size))
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
    report(f"fill-mask, 10,000 lines, batch size of the peer {size}", "pipeline", times, 3)


def main() -> None:
    """Run the benchmark and print the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="number of rounds (5)")
    parser.add_argument("--only", choices=["encode", "fill-mask"], help="run only this comparison")
    options = parser.parse_args()
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    with tempfile.TemporaryDirectory() as scratch:
        folder = save_float32_bundled(Path(scratch) / "checkpoint")
        bertcli = Bertcli(folder)
        print(f"{torch.get_num_threads()} threads, torch {torch.__version__}, transformers {transformers.__version__}")
        if options.only != "fill-mask":
            measure_encode(bertcli, folder, Path(scratch), options.rounds)
        if options.only != "encode":
            measure_fill_mask(bertcli, folder, Path(scratch), options.rounds)


if __name__ == "__main__":
    main()
