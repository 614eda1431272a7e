"""Predict the CPU time of a run from its tokens, compare it with a measured run, and plan a corpus of a billion texts.

The prediction has three terms: the operations of the matrix products, at a share of the speed that a plain float32
product has on this machine now; a constant for each pass of a text through the model; and a constant for each byte of
the weights, which are read and hashed. Times are CPU seconds of one thread, as a Ray actor has it, so other work on the
machine hardly changes them. The target is a prediction within 20 % of the measured time.

The reader of a run on Ray is measured alone: it reads the texts, hashes them, and pickles them for the actors.

    pip install -e '.[bench,ray]'
    python benchmarks/cost.py
"""

import argparse
import pickle
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import torch

from bertcli.checkpoints.config import BertConfig
from bertcli.checkpoints.find import BUNDLED_FOLDER
from bertcli.choices import EngineName
from bertcli.cluster.tasks import cut_into_tasks
from bertcli.commands.corpus import CorpusRun
from bertcli.commands.encode.corpus import corpus_run as encode_run
from bertcli.commands.encode.request import EncodeRequest
from bertcli.commands.fill_mask.corpus import corpus_run as fill_mask_run
from bertcli.commands.fill_mask.request import FillMaskRequest
from bertcli.commands.folder import run_into_folder
from bertcli.commands.options import TextOptions
from bertcli.commands.request import open_sink
from bertcli.input.reader import TextReader
from bertcli.input.records import TextRecord, TextSource
from bertcli.model.ops.base import Linear
from bertcli.model.ops.torch_ops import TorchOps
from bertcli.model.request import SessionRequest
from bertcli.model.session import Session, keep_sessions, open_session
from bertcli.model.tokenizer import TokenizedText
from bertcli.output.destination import OutputOptions
from bertcli.pipeline.shards import SHARD_ROWS
from bertcli.results.corpus import Manifest, ShardLimits
from matmul import encoder_operations
from processes import random_bert_base
from samples import mixed_texts, short_lines, write_lines

# Share of the speed of a plain product that a run reaches in its products, and in what is between them.
EFFICIENCY = 0.82
# Seconds for each pass of a text: reading, tokenizing, batching and writing.
SECONDS_OF_PASS = 4e-4
# Seconds for each byte of the weights.
SECONDS_OF_WEIGHT_BYTE = 2.5e-9
WITHIN = 0.2
# Rows of the plain product, and the number of products to time.
_PRODUCT_ROWS, _PRODUCTS = 512, 100
# The corpus of the plan.
CORPUS_TEXTS, CORPUS_TOKENS = 1_000_000_000, 30
NODES, NODE_CORES = (1, 10, 100), 16
# Bytes of a row beside its vector, and of a row of the fields index and perplexity.
_ROW_BYTES, _PERPLEXITY_BYTES = 20, 12


@dataclass(frozen=True, slots=True)
class Work:
    """Amount of work of a run.

    Attributes:
        passes: Number of times that a text goes through the model.
        operations: Floating-point operations of the matrix products.
        weight_bytes: Bytes of the weights.
    """

    passes: int
    operations: float
    weight_bytes: int = 0

    def seconds(self, speed: float) -> float:
        """Return the predicted CPU seconds of one thread.

        Args:
            speed: Floating-point operations a second of a plain product.
        """
        products = self.operations / (EFFICIENCY * speed)
        return products + SECONDS_OF_PASS * self.passes + SECONDS_OF_WEIGHT_BYTE * self.weight_bytes


def work_of(config: BertConfig, lengths: Sequence[int], *, is_score: bool, weight_bytes: int = 0) -> Work:
    """Return the work of encode, or of fill-mask --score, which runs a text once for each of its tokens.

    Args:
        config: The model.
        lengths: Number of tokens of each text, special tokens included.
        is_score: True for fill-mask --score.
        weight_bytes: Bytes of the weights.
    """
    if not is_score:
        return Work(len(lengths), encoder_operations(config, lengths), weight_bytes)
    variants = [length for length in lengths for _ in range(length - 2)]
    head = 2 * config.hidden_size * (config.hidden_size + config.vocab_size)
    return Work(len(variants), encoder_operations(config, variants) + head * len(variants), weight_bytes)


def predicted_and_measured(model: Path, texts: Sequence[str], scratch: Path, *, is_score: bool) -> tuple[float, float]:
    """Return the predicted and the measured CPU seconds of a run into a folder with one thread."""
    file, folder = write_lines(scratch / "texts.txt", texts), scratch / "out"
    request = SessionRequest(str(model), engine=EngineName.TORCH, device="cpu", threads=1)
    output = OutputOptions(output=f"{folder}/", force=True, quiet=True)
    of_texts = TextOptions(file=[str(file)])
    asked: EncodeRequest | FillMaskRequest
    run: CorpusRun
    if is_score:
        asked = FillMaskRequest(of_texts, request, output, score=True)
        run = fill_mask_run(asked)
    else:
        asked = EncodeRequest(of_texts, request, output)
        run = encode_run(asked)
    with keep_sessions():
        session = open_session(run.session)
        config = session.config
        assert isinstance(config, BertConfig)
        weight_bytes = sum(path.stat().st_size for path in model.glob("*.safetensors"))
        work = work_of(config, _lengths(session, texts), is_score=is_score, weight_bytes=weight_bytes)
        _ = session.engine  # sets the number of threads
        before = product_speed(config)
        start = time.process_time()
        run_into_folder(run, open_sink(asked, of_texts), folder)
        measured = time.process_time() - start
    # Other work on the machine slows both down.
    return work.seconds((before + product_speed(config)) / 2), measured


def product_speed(config: BertConfig) -> float:
    """Return the floating-point operations a CPU second of a float32 product of the model's size, by oneDNN."""
    hidden, inner = config.hidden_size, config.intermediate_size
    a, ops = torch.randn(_PRODUCT_ROWS, hidden), TorchOps("cpu", "float32")
    laid_out = ops.prepare_linear(Linear(torch.randn(inner, hidden), torch.zeros(inner)))
    ops.linear(a, laid_out)
    start = time.process_time()
    for _ in range(_PRODUCTS):
        ops.linear(a, laid_out)
    return 2.0 * _PRODUCT_ROWS * hidden * inner * _PRODUCTS / (time.process_time() - start)


def _lengths(session: Session, texts: Sequence[str]) -> list[int]:
    records = [TextRecord(index, text) for index, text in enumerate(texts)]
    return [len(text) for text in session.tokenizer.tokenize(records) if isinstance(text, TokenizedText)]


def reader_speed(scratch: Path, count: int) -> tuple[float, float]:
    """Return the texts a CPU second of the reader alone, and the bytes of a text as it sends them to actors.

    Args:
        scratch: Folder for the input.
        count: Number of texts. They have about 30 tokens.
    """
    file = write_lines(scratch / "lines.txt", _ordinary_texts(count))
    reader, sent = TextReader(TextSource(file=[file])), 0
    start = time.process_time()
    for task in cut_into_tasks(reader.windows(), Manifest({}, ShardLimits(SHARD_ROWS)), reader.bytes_before):
        sent += len(pickle.dumps(task))
    return count / (time.process_time() - start), sent / count


def _ordinary_texts(count: int) -> Iterator[str]:
    """Yield texts of about 30 tokens: each is four short lines."""
    lines = short_lines(4 * count)
    for _ in range(count):
        yield " ".join(next(lines) for _ in range(4))


def print_plan(config: BertConfig, name: str, speed: float, texts_per_second: float, sent_bytes: float) -> None:
    """Print the days of a billion texts on some numbers of nodes, and what the reader and the network carry.

    Args:
        config: The model.
        name: Its name.
        speed: Floating-point operations a second of a plain product with one thread.
        texts_per_second: Speed of the reader.
        sent_bytes: Bytes of a text on its way to an actor.
    """
    for command, is_score in (("encode", False), ("fill-mask --score", True)):
        seconds = work_of(config, [CORPUS_TOKENS], is_score=is_score).seconds(speed)
        written = _PERPLEXITY_BYTES if is_score else 4 * config.hidden_size + _ROW_BYTES
        print(
            f"{command}, {name}: {1 / seconds:,.1f} texts/s of a core; 16 actors need "
            f"{16 / seconds / texts_per_second:.1%} of the reader, which is enough for "
            f"{texts_per_second * seconds:,.0f} actors; {CORPUS_TEXTS * written / 1e12:.2f} TB of output"
        )
        for nodes in NODES:
            rate = nodes * NODE_CORES / seconds
            reached = min(rate, texts_per_second)
            limit = " (the reader is the limit)" if reached < rate else ""
            hours, sent, written_by_node = (
                CORPUS_TEXTS / reached / 3600, reached * sent_bytes / 1e6, reached * written / nodes / 1e6,
            )  # fmt: skip
            print(
                f"  {nodes:3} nodes of {NODE_CORES} cores: {hours:8,.1f} h{limit}; the reader sends {sent:.2f} MB/s, "
                f"each node writes {written_by_node:.3f} MB/s"
            )


def main() -> None:
    """Run the benchmark and print the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="number of rounds (3)")
    parser.add_argument("--texts", type=int, default=1200, help="texts of mixed length of the largest run (1200)")
    parser.add_argument("--reader-texts", type=int, default=200_000, help="texts for the reader (200000)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        base = random_bert_base(scratch)
        mixed, short = mixed_texts(options.texts), list(short_lines(3 * options.texts))
        cases = {
            "encode, mixed texts, bundled": (BUNDLED_FOLDER, mixed, False),
            "encode, short texts, bundled": (BUNDLED_FOLDER, short, False),
            "fill-mask --score, short texts, bundled": (BUNDLED_FOLDER, short[: options.texts // 4], True),
            "encode, mixed texts, bert-base's size": (base, mixed[: options.texts // 10], False),
        }
        predicted_and_measured(BUNDLED_FOLDER, mixed[:50], scratch, is_score=False)  # loads libraries
        for case, (model, texts, is_score) in cases.items():
            found = [predicted_and_measured(model, texts, scratch, is_score=is_score) for _ in range(options.rounds)]
            ratio = median(predicted / measured for predicted, measured in found)
            verdict = "within" if abs(ratio - 1) <= WITHIN else "NOT within"
            print(
                f"{case}: predicted {ratio:.2f} of {median(each[1] for each in found):.1f} s, {verdict} 20 %",
                flush=True,
            )
        texts_per_second, sent_bytes = reader_speed(scratch, options.reader_texts)
        print(f"reader alone: {texts_per_second:,.0f} texts a CPU second, {sent_bytes:.0f} bytes a text to the actors")
        for name_, folder in {"bundled": BUNDLED_FOLDER, "bert-base's size": base}.items():
            session = open_session(SessionRequest(str(folder), engine=EngineName.TORCH, device="cpu", threads=1))
            config, _ = session.config, session.engine
            assert isinstance(config, BertConfig)
            print_plan(config, name_, product_speed(config), texts_per_second, sent_bytes)


if __name__ == "__main__":
    main()
