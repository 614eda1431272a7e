"""Encode 5,000 texts of mixed length with bertcli and its peers, in float32 and bfloat16, and compare the speed.

The peers are sentence-transformers, onnxruntime, OpenVINO, and a plain matrix product. All models are loaded before the
clock starts. The sides use the same threads and take turns. The peers use their best batch size, found on a part of the
texts; bertcli uses its default. bertcli's time is that of `encode -f FILE -o FILE.npy` without its start-up: reading,
tokenizing, computing and writing. The time of onnxruntime and OpenVINO is that of the forward pass alone, over texts
that are already tokenized and sorted by length. The vectors of all sides are compared before their speed.
bfloat16 is left out if the processor emulates it.

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
import torch
import transformers
from sentence_transformers import SentenceTransformer

from bertcli.analysis.embeddings.encode import EncodeOptions, encode
from bertcli.analysis.embeddings.pooling import normalize
from bertcli.choices import DtypeName
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
from exported import OnnxPeer, OpenVinoPeer, Peer, export_onnx
from matmul import processor_name, share_of_matmul
from samples import mixed_texts, write_lines
from sessions import fast_dtypes, open_lines, open_run, open_torch_session, without_failed
from timing import fastest_size, in_turn, median_ratio, seconds

PROBE = 500
BATCH_SIZES = (1, 8, 16, 32, 64, 128)
# Batch sizes of the exported model to try, in tokens, padding included.
PEER_BATCHES = (512, 1024, 2048, 4096)


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
    """Read and tokenize the texts of a file."""
    windows = open_lines(file).windows()
    texts = (text for window in windows for text in session.tokenizer.tokenize_window(window, ids_only=True))
    return [text for text in texts if isinstance(text, TokenizedText)]


def fastest_batches(peer: Peer, texts: Sequence[TokenizedText], pad_token_id: int) -> list[Batch]:
    """Return the texts in batches of the size that is fastest for a peer, found on a part of the texts."""
    pad = partial(batches, pad_token_id=pad_token_id)
    tokens = fastest_size(PEER_BATCHES, lambda tokens: peer.vectors(list(pad(texts[:PROBE], tokens))))
    return list(pad(texts, tokens))


def pooled_by(peer: Peer, made: Sequence[Batch]) -> FloatArray:
    """Return the vectors of a peer in the order of the texts."""
    in_order = np.argsort([text.record.index for batch in made for text in batch.texts])
    vectors: FloatArray = np.concatenate(peer.vectors(made))[in_order]
    return vectors


def lowest_cosine(found: FloatArray, expected: FloatArray) -> float:
    """Return the lowest cosine between a vector and the one that it should be."""
    return float((normalize(found) * normalize(expected)).sum(-1).min())


def main() -> None:
    """Run the benchmark and print the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="number of rounds (5)")
    parser.add_argument("--texts", type=int, default=5000, help="number of texts (5000)")
    options = parser.parse_args()
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    # As bertcli sets it for the dtype that needs more: all dtypes run in this process.
    limit_onednn_cache(is_reduced=DtypeName.BFLOAT16 in fast_dtypes())
    with tempfile.TemporaryDirectory() as scratch:
        measure(Path(scratch), mixed_texts(options.texts), options.rounds)


def measure(scratch: Path, texts: Sequence[str], rounds: int) -> None:
    """Compare the vectors of all sides, then their speed."""
    folder = save_float32_bundled(scratch / "checkpoint")
    file, out = write_lines(scratch / "texts.txt", texts), scratch / "vectors.npy"
    dtypes = fast_dtypes()
    sessions = {dtype: open_torch_session(folder, dtype=dtype) for dtype in dtypes}
    session = sessions[DtypeName.FLOAT32]
    summary = encode_file(session, file, out)
    expected = np.load(out)
    sentence_transformers = SentenceTransformer(str(folder), device="cpu")  # mean pooling, for want of a recipe
    size = fastest_size(BATCH_SIZES, lambda size: sentence_transformers.encode(texts[:PROBE], batch_size=size))
    np.testing.assert_allclose(expected, sentence_transformers.encode(texts, batch_size=size), 1e-4, 1e-5)
    ready = tokenized(session, file)
    exported = export_onnx(folder, scratch / "model.onnx")
    peers: dict[str, Peer] = {"onnxruntime": OnnxPeer(exported)}
    peers |= {f"OpenVINO, {dtype}": OpenVinoPeer(exported, dtype) for dtype in dtypes}
    cases: dict[str, Callable[[], float]] = {
        f"bertcli, {dtype}": partial(seconds, partial(encode_file, sessions[dtype], file, out)) for dtype in dtypes
    }
    cases["sentence-transformers"] = partial(seconds, partial(sentence_transformers.encode, texts, batch_size=size))
    for name, peer in peers.items():
        made = fastest_batches(peer, ready, session.tokenizer.pad_token_id)
        check_vectors(name, pooled_by(peer, made), expected)
        cases[name] = partial(seconds, partial(peer.vectors, made))
    for dtype in dtypes[1:]:
        encode_file(sessions[dtype], file, out)
        check_vectors(f"bertcli, {dtype}", np.load(out), expected)
    report(session, in_turn(rounds, cases, is_warm=True), [len(text) for text in ready], summary)


def check_vectors(name: str, found: FloatArray, expected: FloatArray) -> None:
    """Compare the vectors of one side with bertcli's in float32. Print the lowest cosine in bfloat16."""
    if "bfloat16" in name:
        print(f"{name}: lowest cosine to float32 {lowest_cosine(found, expected):.5f}")
    else:
        np.testing.assert_allclose(found, expected, 1e-4, 1e-5)


def report(session: Session, times: dict[str, list[float]], lengths: Sequence[int], summary: RunSummary) -> None:
    """Print the median time of each side, and bertcli's speed relative to it: the median of the rounds' ratios."""
    print(f"{torch.get_num_threads()} threads, torch {torch.__version__}, {processor_name()}")
    print(f"{summary.texts:,} texts, {summary.tokens:,} tokens, {summary.padded_share:.1%} padding")
    dtypes = fast_dtypes()
    print(f"{'':24} {'seconds':>8} {'tokens/s':>9}   time relative to bertcli in {' and '.join(dtypes)}")
    for name, of_side in times.items():
        ratios = "  ".join(f"{median_ratio(of_side, times[f'bertcli, {dtype}']):8.2f}" for dtype in dtypes)
        print(f"{name:24} {median(of_side):8.2f} {summary.tokens / median(of_side):9,.0f}   {ratios}")
    share = share_of_matmul(session, lengths, median(times["bertcli, float32"]))
    print(f"float32: {share:.0%} of the speed of a plain matrix product (target: 65 %)")


if __name__ == "__main__":
    main()
