"""The folder of a training run: its settings, its last checkpoint and its curve."""

import json
import shutil
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from transformers import BertForPreTraining

from tools.bundled_model.settings import Settings

TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "vocab.txt")
_COPIED = ("config.json", *TOKENIZER_FILES)


@dataclass(frozen=True, slots=True)
class Position:
    """The progress of a run.

    round and batch name the next batch. steps, tokens and seconds are totals so far; seconds counts training steps
    only. begun is the share of the training at which the run took over its weights.
    """

    round: int
    batch: int = 0
    steps: int = 0
    tokens: int = 0
    seconds: float = 0.0
    begun: float = 0.0

    def after(self, tokens: int, seconds: float) -> "Position":
        """Return the position after one more step."""
        return replace(
            self,
            batch=self.batch + 1,
            steps=self.steps + 1,
            tokens=self.tokens + tokens,
            seconds=self.seconds + seconds,
        )

    def at_least(self, number: int) -> "Position":
        """Return this position, or the beginning of round `number` if that is later."""
        return self if self.round >= number else replace(self, round=number, batch=0)

    def next_round(self) -> "Position":
        """Return the beginning of the next round."""
        return replace(self, round=self.round + 1, batch=0)


@dataclass(frozen=True, slots=True)
class RunFolder:
    """The files of a run."""

    path: Path

    @property
    def checkpoint(self) -> Path:
        """The file with the weights, the optimiser's state and the position. It is replaced as a whole."""
        return self.path / "checkpoint.pt"

    @property
    def curve(self) -> Path:
        """The JSON-lines file with the training loss every few steps and the held-out figures every few minutes."""
        return self.path / "curve.jsonl"

    def begin(self, init: Path, settings: Settings) -> None:
        """Make the folder and copy the files that export needs from `init`."""
        self.path.mkdir(parents=True, exist_ok=True)
        for name in _COPIED:
            shutil.copyfile(init / name, self.path / name)
        (self.path / "settings.json").write_text(_as_json(settings), encoding="utf-8")

    def check_settings(self, settings: Settings) -> None:
        """Check that the run was started with these settings; its schedule and texts depend on them.

        Raises:
            SystemExit: The run has other settings.
        """
        if (self.path / "settings.json").read_text(encoding="utf-8") != _as_json(settings):
            raise SystemExit(
                f"{self.path} was started with other settings: pass those with --settings, or name a new folder"
            )

    def save(self, model: BertForPreTraining, optimizer: torch.optim.Optimizer, position: Position) -> None:
        """Write the new checkpoint to a temporary file, then replace the old one with it."""
        state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "position": asdict(position)}
        beside = self.checkpoint.with_suffix(".new")
        torch.save(state, beside)
        beside.replace(self.checkpoint)

    def load(self, device: torch.device) -> tuple[dict[str, Any], Position]:
        """Read the checkpoint. Return the states of the model and the optimiser by name, and the position."""
        state = torch.load(self.checkpoint, map_location=device, weights_only=True)
        return state, Position(**state.pop("position"))

    def log(self, point: dict[str, Any]) -> None:
        """Append a point to the curve."""
        with self.curve.open("a", encoding="utf-8") as file:
            file.write(json.dumps(point) + "\n")

    def trim_curve(self, steps: int) -> None:
        """Drop the points after step `steps`: the run resumes there and will log them again."""
        if self.curve.exists():
            lines = self.curve.read_text(encoding="utf-8").splitlines(keepends=True)
            kept = [line for line in lines if json.loads(line)["step"] <= steps]
            self.curve.write_text("".join(kept), encoding="utf-8")


def _as_json(settings: Settings) -> str:
    return json.dumps(asdict(settings), indent=1) + "\n"
