"""The settings of all programs, read from one TOML file; settings.toml explains each."""

import tomllib
from argparse import ArgumentParser
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

DEFAULT_FILE = Path(__file__).with_name("settings.toml")
Kind = Literal["dialogue", "book", "lines"]


@dataclass(frozen=True, slots=True)
class Source:
    """One file of texts. late_share: the share from Training.late_from on; None: the same as before."""

    name: str
    kind: Kind
    block_lines: int
    share: float
    late_share: float | None = None

    @property
    def has_pairs(self) -> bool:
        """Whether a sentence goes on where the one before it ended, so that there is a next sentence to predict."""
        return self.kind != "lines"


@dataclass(frozen=True, slots=True)
class Texts:
    """How texts are cleaned and split."""

    heldout: float
    duplicate_words: int
    duplicate_share: float
    sentence_limit: int
    source: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class Examples:
    """How documents are cut into examples."""

    length: int
    early_length: int
    early_until: float
    short: float
    short_from: int
    single: float
    long_length: int
    long: float
    long_late: float
    long_from: float


@dataclass(frozen=True, slots=True)
class Masking:
    """Which tokens are hidden, and how."""

    train: float
    evaluate: float
    as_mask: float
    as_random: float


@dataclass(frozen=True, slots=True)
class Training:
    """The optimiser, its schedule, and how often something is written down."""

    tokens: int
    rounds: int
    late_from: float
    batch_tokens: int
    body_rate: float
    head_rate: float
    betas: tuple[float, float]
    eps: float
    weight_decay: float
    warmup: float
    warmup_again: float
    floor: float
    clip: float
    log_steps: int
    checkpoint_minutes: float
    measure_minutes: float
    measure_batches: int


@dataclass(frozen=True, slots=True)
class Settings:
    """All of them."""

    seed: int
    texts: Texts
    examples: Examples
    masking: Masking
    training: Training


def parse_settings(raw: dict[str, Any]) -> Settings:
    """The settings that a TOML document holds; one that is missing or unknown is a TypeError that names it."""
    sources = tuple(Source(**source) for source in raw["texts"]["source"])
    return Settings(
        seed=raw["seed"],
        texts=Texts(**{**raw["texts"], "source": sources}),
        examples=Examples(**raw["examples"]),
        masking=Masking(**raw["masking"]),
        training=Training(**{**raw["training"], "betas": tuple(raw["training"]["betas"])}),
    )


def read_settings(path: Path = DEFAULT_FILE) -> Settings:
    """The settings in a file."""
    with path.open("rb") as file:
        return parse_settings(tomllib.load(file))


def add_settings_option(parser: ArgumentParser) -> None:
    """--settings FILE, which every program has."""
    # argparse puts a default through `type` only where it is text.
    default = str(DEFAULT_FILE)
    parser.add_argument("--settings", type=_settings_file, default=default, metavar="FILE", help="not settings.toml")


def _settings_file(path: str) -> Settings:
    return read_settings(Path(path))
