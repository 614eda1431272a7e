"""Who answered, and the text that a record is about."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class RunInfo:
    """Who answered: the head of every JSON and the caption of every table. model: None where it is of no one model."""

    command: str
    model: str | None
    revision: str | None
    engine: str | None
    device: str | None
    dtype: str | None

    def as_json(self) -> Mapping[str, str | None]:
        """The keys that tell it, in JSON and in what is written beside vectors."""
        return {
            "command": self.command,
            "model": self.model,
            "revision": self.revision,
            "engine": self.engine,
            "device": self.device,
            "dtype": self.dtype,
        }


@dataclass(frozen=True, slots=True)
class TextInfo:
    """The text that a record is about. index: from 0 in the run's input. line: from 1 in its file.

    id: what the input knows it by, where that was asked for. file: where the run has several.

    tokens, input_ids and token_type_ids have one entry a token, special ones included and padding left out;
    token_type_ids has none where the architecture has no token types.
    """

    index: int
    line: int | None
    text: str
    pair: str | None
    tokens: Sequence[str]
    input_ids: Sequence[int]
    token_type_ids: Sequence[int]
    truncated: bool
    id: str | int | None = None
    file: str | None = None


# (seq, hidden), (hidden,) and the like, float32.
FloatArray = Any
