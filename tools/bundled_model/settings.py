"""The settings of all programs, read from one TOML file. settings.toml explains each of them."""

import tomllib
from argparse import ArgumentParser
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

DEFAULT_FILE = Path(__file__).with_name("settings.toml")
Kind = Literal["dialogue", "book", "lines"]


@dataclass(frozen=True, slots=True)
class Source:
    """A file of texts. late_share is its share from Training.late_from on; None means the same as `share`."""

    name: str
    kind: Kind
    block_lines: int
    share: float
    late_share: float | None = None

    @property
    def has_pairs(self) -> bool:
        """True if each sentence continues the one before it, so that there is a next sentence to predict."""
        return self.kind != "lines"


@dataclass(frozen=True, slots=True)
class Texts:
    """Settings for holding out, near-duplicates and repetition."""

    heldout: float
    duplicate_words: int
    duplicate_share: float
    sentence_limit: int
    source: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class Examples:
    """Settings for cutting documents into examples."""

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
    """Settings for hiding tokens."""

    train: float
    evaluate: float
    as_mask: float
    as_random: float


@dataclass(frozen=True, slots=True)
class Training:
    """Settings of the optimiser, its schedule and its log."""

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
    """All settings."""

    seed: int
    texts: Texts
    examples: Examples
    masking: Masking
    training: Training


def parse_settings(raw: dict[str, Any]) -> Settings:
    """Return the settings of a TOML document.

    Raises:
        KeyError: A section, or the seed, is missing.
        TypeError: A setting of a section is missing or unknown.
    """
    sources = tuple(Source(**source) for source in raw["texts"]["source"])
    return Settings(
        seed=raw["seed"],
        texts=Texts(**{**raw["texts"], "source": sources}),
        examples=Examples(**raw["examples"]),
        masking=Masking(**raw["masking"]),
        training=Training(**{**raw["training"], "betas": tuple(raw["training"]["betas"])}),
    )


def read_settings(path: Path = DEFAULT_FILE) -> Settings:
    """Read a settings file."""
    with path.open("rb") as file:
        return parse_settings(tomllib.load(file))


def add_settings_option(parser: ArgumentParser) -> None:
    """Add the option --settings, which every program has."""
    # argparse applies `type` to a default only if it is a string.
    default = str(DEFAULT_FILE)
    parser.add_argument(
        "--settings",
        type=_settings_file,
        default=default,
        metavar="FILE",
        help="settings to use instead of settings.toml",
    )


def _settings_file(path: str) -> Settings:
    return read_settings(Path(path))
