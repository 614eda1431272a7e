"""Encode 5,000 texts of mixed length with bertcli, sentence-transformers and onnxruntime, and compare the speed.

The speed is also compared with that of a plain matrix product. All models are loaded before the clock starts. The sides
use the same threads and take turns. The peers use their best batch size, found on a part of the texts; bertcli uses its
default. bertcli's time is that of `encode -f FILE -o FILE.npy` without its start-up: reading, tokenising, computing and
writing. onnxruntime's time is that of the forward pass alone, over texts that are already tokenised and sorted by
length. The vectors of all sides are compared before their speed.

    pip install -e '.[bench]'
    python benchmarks/corpus.py --rounds 5
"""

import argparse
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from operator import attrgetter
from pathlib import Path
from statistics import median

import numpy as np
import onnxruntime
import torch
import transformers
from sentence_transformers import SentenceTransformer

from bertcli.analysis.embeddings.encode import EncodeOptions, encode
from bertcli.analysis.embeddings.pooling import pool
from bertcli.choices import Pooling
from bertcli.commands.encode.outputs import sort_window
from bertcli.model.batching import Batch, batches
from bertcli.model.ops.base import FloatArray
from bertcli.model.resources import limit_onednn_cache
from bertcli.model.session import Session
from bertcli.model.tokenizer import TokenizedText
from bertcli.output.files.arrays import NpyWriter
from bertcli.pipeline.scheduler import Plan
from bertcli.results.corpus import RunSummary
from checkpoints import save_float32_bundled
from matmul import share_of_matmul
from samples import mixed_texts, write_lines
from sessions import open_lines, open_run, open_torch_session, without_failed
from timing import fastest_size, in_turn, median_ratio, seconds

PROBE = 500
BATCH_SIZES = (1, 8, 16, 32, 64, 128)
INPUTS = ("input_ids", "attention_mask", "token_type_ids")
# Batch sizes to try, in tokens, padding included.
ONNX_BATCHES = (512, 1024, 2048, 4096)


def encode_file(session: Session, file: Path, out: Path) -> RunSummary:
    """Do the work of `encode -f FILE -o OUT.npy` with an open model, and return the summary of the run."""
    options = EncodeOptions()
    plan = Plan(sort_window=sort_window(options), ids_only=True)
    with open_run(session, open_lines(file), plan) as run, out.open("wb") as stream:
        writer = NpyWriter(stream, session.config.hidden_size, attrgetter("embedding"))
        for record in without_failed(run.answers(partial(encode, session, options=options))):
            writer.write(record)
        writer.finish()
    return run.summary()


def tokenized(session: Session, file: Path) -> list[TokenizedText]:
    """Read and tokenise the texts of a file."""
    windows = open_lines(file).windows()
    texts = (text for window in windows for text in session.tokenizer.tokenize_window(window, ids_only=True))
    return [text for text in texts if isinstance(text, TokenizedText)]


class Body(torch.nn.Module):
    """The module to export: named inputs, and last_hidden_state as the only output."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.model = transformers.BertModel.from_pretrained(folder, dtype=torch.float32, add_pooling_layer=False)

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor, token_type_ids: torch.Tensor
    ) -> torch.Tensor:
        output: torch.Tensor = self.model(input_ids, attention_mask, token_type_ids).last_hidden_state
        return output


class OnnxPeer:
    """The same checkpoint, exported to ONNX in float32 and run on onnxruntime's CPU provider."""

    def __init__(self, folder: Path, scratch: Path) -> None:
        path = scratch / "model.onnx"
        example = tuple(torch.ones(2, 8, dtype=torch.long) for _ in INPUTS)
        axes = {0: torch.export.Dim("batch"), 1: torch.export.Dim("seq")}
        torch.onnx.export(
            Body(folder).eval(),
            example,
            path,
            input_names=INPUTS,
            dynamic_shapes=dict.fromkeys(INPUTS, axes),
            dynamo=True,
            verbose=False,
        )
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        self._session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    def vectors(self, made: Sequence[Batch]) -> list[FloatArray]:
        """Return the mean-pooled vectors of each batch."""
        return [self._vectors(batch) for batch in made]

    def _vectors(self, batch: Batch) -> FloatArray:
        arrays = (batch.input_ids, batch.attention_mask.astype(np.int64), batch.token_type_ids)
        states = self._session.run(None, dict(zip(INPUTS, arrays, strict=True)))[0]
        return pool(states, batch.attention_mask, None, Pooling.MEAN)


def main() -> None:
    """Run the benchmark and print the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="number of rounds (5)")
    parser.add_argument("--texts", type=int, default=5000, help="number of texts (5000)")
    options = parser.parse_args()
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    limit_onednn_cache()
    with tempfile.TemporaryDirectory() as scratch:
        measure(Path(scratch), mixed_texts(options.texts), options.rounds)


def measure(scratch: Path, texts: Sequence[str], rounds: int) -> None:
    """Compare the vectors of all sides, then their speed."""
    folder = save_float32_bundled(scratch / "checkpoint")
    file, out = write_lines(scratch / "texts.txt", texts), scratch / "vectors.npy"
    session = open_torch_session(folder)
    summary = encode_file(session, file, out)
    peer = SentenceTransformer(str(folder), device="cpu")  # uses mean pooling for a checkpoint without a recipe
    size = fastest_size(BATCH_SIZES, lambda size: peer.encode(texts[:PROBE], batch_size=size))
    onnx = OnnxPeer(folder, scratch)
    ready = tokenized(session, file)
    pad = partial(batches, pad_token_id=session.tokenizer.pad_token_id)
    tokens = fastest_size(ONNX_BATCHES, lambda tokens: onnx.vectors(list(pad(ready[:PROBE], tokens))))
    made = list(pad(ready, tokens))
    np.testing.assert_allclose(np.load(out), peer.encode(texts, batch_size=size), 1e-4, 1e-5)
    in_order = np.argsort([text.record.index for batch in made for text in batch.texts])
    np.testing.assert_allclose(np.load(out), np.concatenate(onnx.vectors(made))[in_order], 1e-4, 1e-5)
    cases: dict[str, Callable[[], float]] = {
        "bertcli": lambda: seconds(lambda: encode_file(session, file, out)),
        "sentence-transformers": lambda: seconds(lambda: peer.encode(texts, batch_size=size)),
        "onnxruntime": lambda: seconds(lambda: onnx.vectors(made)),
    }
    report(session, in_turn(rounds, cases, is_warm=True), [len(text) for text in ready], summary, size)


def report(
    session: Session, times: dict[str, list[float]], lengths: Sequence[int], summary: RunSummary, size: int
) -> None:
    """Print median times, the medians of the ratios of each round, and bertcli's share of a matrix product's speed."""
    ours = times["bertcli"]
    print(f"{torch.get_num_threads()} threads, torch {torch.__version__}, onnxruntime {onnxruntime.__version__}")
    print(f"{summary.texts:,} texts, {summary.tokens:,} tokens, {summary.padded_share:.1%} padding")
    print(f"bertcli {median(ours):.2f} s, {summary.tokens / median(ours):,.0f} tokens/s")
    for name, note in (("sentence-transformers", "target: 1.5"), ("onnxruntime", "its forward pass alone")):
        ratio = median_ratio(times[name], ours)
        print(f"{name} {median(times[name]):.2f} s: bertcli is {ratio:.2f} times as fast ({note})")
    print(f"sentence-transformers' best batch size: {size}")
    share = share_of_matmul(session, lengths, median(ours))
    print(f"{share:.0%} of the speed of a plain float32 matrix product (target: 65 %)")


if __name__ == "__main__":
    main()
