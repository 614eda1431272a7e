"""Compare fill-mask --score with minicons: pseudo-log-likelihoods of many sentences, on the same checkpoint.

Both models are loaded before the clock starts. The sides use the same threads and take turns. minicons uses its best
batch size, found on a part of the sentences, and computes only the sums. bertcli also computes each token's rank and
the model's own choice. The sums are compared before the speed.

    pip install -e '.[bench]'
    python benchmarks/masks.py --rounds 3
"""

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import numpy as np
import torch
import transformers
from minicons.scorer import MaskedLMScorer

from bertcli.commands.fill_mask.request import FillMaskRequest
from bertcli.commands.fill_mask.scores import score
from bertcli.commands.opening import record_plan
from bertcli.commands.options import TextOptions
from bertcli.output.destination import OutputOptions
from checkpoints import save_float32_bundled
from samples import sentences, write_lines
from sessions import open_torch_session, stream_answers
from timing import fastest_size, in_turn, median_ratio, seconds

BATCH_SIZES = (1, 2, 4, 8, 16)
PROBE = 60


class Bertcli:
    """The work of `fill-mask --score -f FILE`, from lines to records."""

    def __init__(self, folder: Path) -> None:
        self._session = open_torch_session(folder)
        request = FillMaskRequest(TextOptions(), self._session.request, OutputOptions(), score=True)
        self._analysis = score(request, self._session)

    def sums(self, file: Path) -> list[float]:
        """Return the score of each line."""
        analysis = self._analysis
        plan = record_plan(batch_tokens=analysis.batch_tokens)
        records = stream_answers(self._session, file, analysis.compute, analysis.check, plan)
        return [record.score.sum for record in records if record.score is not None]


class Minicons:
    """The work of minicons' sequence_score."""

    def __init__(self, folder: Path) -> None:
        self._scorer = MaskedLMScorer(str(folder), "cpu", dtype=torch.float32)

    def sums(self, texts: Sequence[str], batch_size: int) -> list[float]:
        """Return the score of each text."""
        found: list[float] = []
        for start in range(0, len(texts), batch_size):
            # Tokenise here: given texts, minicons 0.3 calls a tokenizer method that transformers 5 has removed.
            batch = self._scorer.tokenizer(list(texts[start : start + batch_size]), padding=True)
            found += self._scorer.sequence_score(batch, reduction=lambda scores: scores.sum(0).item())
        return found


def main() -> None:
    """Run the benchmark and print the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="number of rounds (3)")
    parser.add_argument("--sentences", type=int, default=1000, help="number of sentences (1000)")
    options = parser.parse_args()
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    texts = sentences(options.sentences)
    with tempfile.TemporaryDirectory() as scratch:
        folder = save_float32_bundled(Path(scratch) / "checkpoint")
        file = write_lines(Path(scratch) / "texts.txt", texts)
        bertcli, minicons = Bertcli(folder), Minicons(folder)
        size = fastest_size(BATCH_SIZES, lambda size: minicons.sums(texts[:PROBE], size))
        np.testing.assert_allclose(bertcli.sums(file)[:PROBE], minicons.sums(texts[:PROBE], size), 1e-5, 1e-4)
        times = in_turn(
            options.rounds,
            {
                "bertcli": lambda: seconds(lambda: bertcli.sums(file)),
                "minicons": lambda: seconds(lambda: minicons.sums(texts, size)),
            },
            is_warm=True,
        )
    ratio = median_ratio(times["minicons"], times["bertcli"])
    print(f"{torch.get_num_threads()} threads, torch {torch.__version__}, transformers {transformers.__version__}")
    print(
        f"fill-mask --score, {len(texts):,} sentences: bertcli {median(times['bertcli']):.1f} s, minicons at its best "
        f"batch size ({size}) {median(times['minicons']):.1f} s: {ratio:.2f} times as fast (target: 2)"
    )


if __name__ == "__main__":
    main()
