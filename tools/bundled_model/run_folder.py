"""A folder that holds a training run: its settings, its last checkpoint, its curve."""

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
    """How far a run is: the batch of the round that comes next, and what was done so far.

    begun: the share of the training at which the run took its weights over. seconds: spent in training steps.
    """

    round: int
    batch: int = 0
    steps: int = 0
    tokens: int = 0
    seconds: float = 0.0
    begun: float = 0.0

    def after(self, tokens: int, seconds: float) -> "Position":
        """The position one step on."""
        return replace(
            self,
            batch=self.batch + 1,
            steps=self.steps + 1,
            tokens=self.tokens + tokens,
            seconds=self.seconds + seconds,
        )

    def at_least(self, number: int) -> "Position":
        """The position, or the beginning of this round if that is later."""
        return self if self.round >= number else replace(self, round=number, batch=0)

    def next_round(self) -> "Position":
        """The beginning of the round after this one."""
        return replace(self, round=self.round + 1, batch=0)


@dataclass(frozen=True, slots=True)
class RunFolder:
    """The files of a run."""

    path: Path

    @property
    def checkpoint(self) -> Path:
        """Weights, the optimiser's state and the position, replaced as a whole."""
        return self.path / "checkpoint.pt"

    @property
    def curve(self) -> Path:
        """A JSON object a line: the training loss every few steps, the held-out figures every few minutes."""
        return self.path / "curve.jsonl"

    def begin(self, init: Path, settings: Settings) -> None:
        """Make the folder, with what export will need."""
        self.path.mkdir(parents=True, exist_ok=True)
        for name in _COPIED:
            shutil.copyfile(init / name, self.path / name)
        (self.path / "settings.json").write_text(_as_json(settings), encoding="utf-8")

    def check_settings(self, settings: Settings) -> None:
        """A run goes on under the settings that it began with, or its schedule and texts would not join."""
        if (self.path / "settings.json").read_text(encoding="utf-8") != _as_json(settings):
            raise SystemExit(f"{self.path} began under other settings: give those with --settings, or a new folder")

    def save(self, model: BertForPreTraining, optimizer: torch.optim.Optimizer, position: Position) -> None:
        """Write the checkpoint beside the old one, then put it in its place."""
        state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "position": asdict(position)}
        beside = self.checkpoint.with_suffix(".new")
        torch.save(state, beside)
        beside.replace(self.checkpoint)

    def load(self, device: torch.device) -> tuple[dict[str, Any], Position]:
        """The state of model and optimiser, and the position."""
        state = torch.load(self.checkpoint, map_location=device, weights_only=True)
        return state, Position(**state.pop("position"))

    def log(self, point: dict[str, Any]) -> None:
        """Add a point to the curve."""
        with self.curve.open("a", encoding="utf-8") as file:
            file.write(json.dumps(point) + "\n")

    def trim_curve(self, steps: int) -> None:
        """Drop what was written down after the checkpoint that a run goes on from."""
        if self.curve.exists():
            lines = self.curve.read_text(encoding="utf-8").splitlines(keepends=True)
            kept = [line for line in lines if json.loads(line)["step"] <= steps]
            self.curve.write_text("".join(kept), encoding="utf-8")


def _as_json(settings: Settings) -> str:
    return json.dumps(asdict(settings), indent=1) + "\n"
