"""Train on prepared documents: python -m tools.bundled_model.train DATA RUN. The same command resumes a run."""

import signal
from argparse import ArgumentParser
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import mean
from time import monotonic
from types import FrameType

import numpy as np
import torch
from tokenizers import Tokenizer
from torch.nn.utils import clip_grad_norm_

from tools.bundled_model.batches import Batch, Corpus, load_corpus, make_batches, round_examples
from tools.bundled_model.masking import mask_for_training, special_ids
from tools.bundled_model.measure import answer, heldout_batches, summarize
from tools.bundled_model.model import load_model, losses, make_optimizer, rate_share, set_rates
from tools.bundled_model.prepare import BUNDLED
from tools.bundled_model.run_folder import Position, RunFolder
from tools.bundled_model.settings import Settings, add_settings_option

# Seconds. A longer step was paused from outside (SIGSTOP), and the pause is not training time.
_LONGEST_STEP = 30.0


@dataclass
class Stop:
    """The reasons to stop before the end of the training: a time limit, a number of steps, SIGTERM or SIGINT."""

    minutes: float | None = None
    steps: int | None = None
    _asked: bool = False
    _begun: float = field(default_factory=monotonic)

    def __post_init__(self) -> None:
        signal.signal(signal.SIGTERM, self._ask)
        signal.signal(signal.SIGINT, self._ask)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self._asked = True

    def now(self, steps: int) -> bool:
        """Return True if it is time to stop. `steps` is the number of steps since the program started."""
        late = self.minutes is not None and monotonic() - self._begun >= 60 * self.minutes
        return self._asked or late or (self.steps is not None and steps >= self.steps)


@dataclass
class Every:
    """A timer that is due once every `minutes` minutes."""

    minutes: float
    _last: float = field(default_factory=monotonic)

    def due(self) -> bool:
        """Return True, and start again, if the minutes have passed since it was last due."""
        if monotonic() - self._last < 60 * self.minutes:
            return False
        self._last = monotonic()
        return True


@dataclass(frozen=True, slots=True)
class Step:
    """The record of one training step.

    masked and next_sentence are losses; next_sentence is None if the batch has no pair. rate is the learning rate as a
    share of its peak. done is the share of the training that is done after the step.
    """

    masked: float
    next_sentence: float | None
    rate: float
    done: float
    tokens: int
    seconds: float


class Trainer:
    """A run with its model in memory.

    Args:
        data: The folder that prepare wrote.
        run: The run. If it has a checkpoint, it is resumed.
        settings: The settings, which must be those the run was started with.
        device: The device to train on.
        init: The folder of the weights that a new run starts from.
        begun: Share of the training to skip.
    """

    def __init__(
        self, data: Path, run: RunFolder, settings: Settings, device: torch.device, init: Path, begun: float
    ) -> None:
        self.run = run
        self.settings = settings
        self.device = device
        if not run.checkpoint.exists():
            run.begin(init, settings)
        run.check_settings(settings)
        self.special = special_ids(Tokenizer.from_file(str(run.path / "tokenizer.json")))
        self.corpus: Corpus = load_corpus(data, "train", settings)
        self.heldout = heldout_batches(load_corpus(data, "heldout", settings), settings, self.special)
        self.model = load_model(init, settings.seed)[0].to(device).train()
        self.optimizer = make_optimizer(self.model, settings.training)
        self.position = Position(round=int(begun * settings.training.rounds), begun=begun)
        if run.checkpoint.exists():
            state, self.position = run.load(device)
            self.position = self.position.at_least(int(begun * settings.training.rounds))
            run.trim_curve(self.position.steps)
            self.model.load_state_dict(state["model"])
            self.optimizer.load_state_dict(state["optimizer"])

    def train(self, stop: Stop) -> None:
        """Train to the end or until it is time to stop, then save a checkpoint."""
        training = self.settings.training
        save, measure = Every(training.checkpoint_minutes), Every(training.measure_minutes)
        recent: list[Step] = []
        first = self.position.steps
        for batch, done in self._batches():
            recent.append(self._step(batch, done))
            if self.position.steps % training.log_steps == 0:
                self._log(recent)
                recent.clear()
            if measure.due():
                self._measure()
            if save.due():
                self._save()
            if stop.now(self.position.steps - first):
                break
        else:
            self._measure()
        self._save()

    def _batches(self) -> Iterator[tuple[Batch, float]]:
        """Yield the remaining batches, each with the share of the training that is done after it."""
        rounds = self.settings.training.rounds
        while self.position.round < rounds:
            batches = self._round()
            for index in range(self.position.batch, len(batches)):
                yield batches[index], (self.position.round + (index + 1) / len(batches)) / rounds
            self.position = self.position.next_round()

    def _round(self) -> list[Batch]:
        number = self.position.round
        examples = round_examples(self.corpus, self.settings, number)
        rng = np.random.default_rng([self.settings.seed, number])
        return make_batches(examples, self.settings.training.batch_tokens, self.special, rng)

    def _step(self, batch: Batch, done: float) -> Step:
        """Take one step of the optimiser.

        The masked tokens depend only on the position, so a resumed run masks the same ones.
        """
        began = monotonic()
        training = self.settings.training
        rng = np.random.default_rng([self.settings.seed, self.position.round, self.position.batch])
        masked = mask_for_training(batch.input_ids, self.special, self.settings.masking, rng)
        rate = rate_share(done, self.position.begun, training)
        set_rates(self.optimizer, rate)
        loss = losses(self.model, batch, masked, self.device)
        (loss.masked + loss.next_sentence).backward()  # type: ignore[no-untyped-call]
        clip_grad_norm_(self.model.parameters(), training.clip)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        has_pairs = bool((batch.next_labels >= 0).any())
        next_sentence = loss.next_sentence.item() if has_pairs else None
        seconds = min(monotonic() - began, _LONGEST_STEP)
        self.position = self.position.after(batch.input_ids.size, seconds)
        return Step(loss.masked.item(), next_sentence, rate, done, batch.input_ids.size, seconds)

    def _log(self, steps: list[Step]) -> None:
        pairs = [step.next_sentence for step in steps if step.next_sentence is not None]
        point = {
            "step": self.position.steps,
            "done": round(steps[-1].done, 5),
            "tokens": self.position.tokens,
            "loss": round(mean(step.masked for step in steps), 4),
            "next_sentence_loss": round(mean(pairs), 4) if pairs else None,
            "rate": round(steps[-1].rate, 5),
            "tokens_per_second": round(sum(step.tokens for step in steps) / sum(step.seconds for step in steps)),
        }
        self.run.log(point)
        print("  ".join(f"{name} {value}" for name, value in point.items()), flush=True)

    def _measure(self) -> None:
        batches = self.heldout[: self.settings.training.measure_batches]
        figures = summarize("heldout", answer(self.model, batches, self.special, self.settings, self.device))
        self.run.log({"step": self.position.steps, "heldout": asdict(figures)})
        print(f"held out: {figures}", flush=True)

    def _save(self) -> None:
        self.run.save(self.model, self.optimizer, self.position)


def main(arguments: list[str] | None = None) -> None:
    """Run the program."""
    parser = ArgumentParser(prog="train", description=__doc__)
    parser.add_argument("data", type=Path, help="folder that prepare wrote")
    parser.add_argument("run", type=Path, help="folder of the run; a run with a checkpoint is resumed")
    parser.add_argument(
        "--init",
        type=Path,
        default=BUNDLED,
        help="folder of the weights that a new run starts from (default: the bundled model)",
    )
    parser.add_argument(
        "--begin",
        type=float,
        default=0.0,
        metavar="SHARE",
        help="share of the training to skip: 0.4 starts a new run at 40 %%, or moves an existing run ahead to 40 %%",
    )
    parser.add_argument("--minutes", type=float, help="save and stop after this many minutes")
    parser.add_argument("--steps", type=int, help="save and stop after this many steps")
    parser.add_argument("--device", type=torch.device, default=torch.device("cpu"), help="cpu or cuda (default: cpu)")
    add_settings_option(parser)
    options = parser.parse_args(arguments)
    torch.set_flush_denormal(True)
    run = RunFolder(options.run)
    trainer = Trainer(options.data, run, options.settings, options.device, options.init, options.begin)
    trainer.train(Stop(options.minutes, options.steps))


if __name__ == "__main__":
    main()
