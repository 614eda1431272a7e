"""Shards of a run: where each one ends, which depends on the texts alone, and the hash of its texts."""

from collections.abc import Iterable, Iterator
from typing import Any

from bertcli.checkpoints import layout
from bertcli.checkpoints.config import ModelConfig
from bertcli.input.records import FailedText, TextRecord, Window
from bertcli.lazy_dataclass import dataclass
from bertcli.model.engine_choice import BYTES_PER_TOKEN
from bertcli.results.corpus import ShardLimits

SHARD_ROWS = 20_000
# Floating-point operations of a shard: about 30 seconds of two ordinary CPU cores. benchmarks/shards.py measures them.
_CPU_WORK = 3e12
# How much more work a device does in that time, roughly.
_DEVICE_SPEEDS = {"cpu": 1, "cuda": 50, "mps": 5}
# A text counts for the special tokens around it too.
_SPECIAL_TOKEN_BYTES = 3 * BYTES_PER_TOKEN
# Few tokens have more bytes than this.
_MAX_BYTES_PER_TOKEN = 8


def default_limits(config: ModelConfig, device: str, max_tokens: int, passes: float = 1) -> ShardLimits:
    """Return the size of the shards of a run that does not set it, so that a shard takes about 30 seconds at most.

    Args:
        config: The model.
        device: The device, as torch spells it.
        max_tokens: Largest number of tokens in a text.
        passes: Number of times that a text goes through the model.
    """
    work = _CPU_WORK * _DEVICE_SPEEDS[device.partition(":")[0]]
    # Layers that are not BERT's are counted as if they were: 12 hidden^2 values each.
    parameters = layout.layer_parameters(config) or 12 * config.hidden_size**2 * config.num_hidden_layers
    text_bytes = max(1, round(work / (2 * parameters * passes) * BYTES_PER_TOKEN))
    return ShardLimits(SHARD_ROWS, text_bytes, max_tokens * _MAX_BYTES_PER_TOKEN)


@dataclass(frozen=True, slots=True)
class ShardInput:
    """The texts of a shard.

    Attributes:
        rows: Number of texts, failed ones included.
        sha256: Hash of the texts and ids.
    """

    rows: int
    sha256: str


class ShardBoundaries:
    """The ends of all shards of a run, found as the texts pass.

    Every text of the input passes `watch` once and in order, in the thread that reads. The other threads ask about
    texts that have passed.

    Args:
        limits: Size of a shard.
    """

    def __init__(self, limits: ShardLimits) -> None:
        self._limits = limits
        self._last_texts: set[int] = set()
        self._inputs: dict[int, ShardInput] = {}

    def watch(self, windows: Iterable[Window]) -> Iterator[Window]:
        """Yield the windows unchanged, each after all of its texts have been counted and hashed."""
        from hashlib import sha256  # here, since it loads OpenSSL, and only folders of shards need it

        limits = self._limits
        number = rows = size = index = 0
        digest = sha256()
        for window in windows:
            for text in window:
                digest.update(_hashed_bytes(text))
                rows += 1
                size += _counted_bytes(text, limits.max_text_bytes)
                if rows == limits.rows or (limits.text_bytes is not None and size >= limits.text_bytes):
                    self._inputs[number] = ShardInput(rows, digest.hexdigest())
                    self._last_texts.add(index)
                    number, rows, size, digest = number + 1, 0, 0, sha256()
                index += 1
            yield window
        self._inputs[number] = ShardInput(rows, digest.hexdigest())

    def ends_after(self, index: int) -> bool:
        """Return True if a shard ends with this text because it is full.

        Args:
            index: Index of a text that has passed, counted from 0 over the whole input.
        """
        return index in self._last_texts

    def take(self, shard: int) -> ShardInput:
        """Return the input of a shard whose last text has passed. Each can be taken once."""
        return self._inputs.pop(shard)

    def has(self, shard: int) -> bool:
        """Return True if the last text of a shard has passed."""
        return shard in self._inputs


@dataclass(frozen=True, slots=True)
class PartBoundaries:
    """The ends of shards whose texts are computed in parts, each of which has an index of its own.

    Attributes:
        boundaries: The ends of the shards, by the texts of the input.
        parts: Number of parts of each text.
    """

    boundaries: ShardBoundaries
    parts: int

    def ends_after(self, index: int) -> bool:
        """Return True if a shard ends with this part of a text."""
        return (index + 1) % self.parts == 0 and self.boundaries.ends_after(index // self.parts)


def _counted_bytes(text: TextRecord | FailedText, max_text_bytes: int | None) -> int:
    """Return the bytes that a text counts as."""
    if isinstance(text, FailedText):
        return _SPECIAL_TOKEN_BYTES
    size = _utf8_size(text.text) + (0 if text.pair is None else _utf8_size(text.pair))
    return _SPECIAL_TOKEN_BYTES + (size if max_text_bytes is None else min(size, max_text_bytes))


def _utf8_size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def _hashed_bytes(text: TextRecord | FailedText) -> bytes:
    # Part of the manifest's format.
    if isinstance(text, FailedText):
        return repr((text.id, text.error.message, "failed")).encode()
    parts: tuple[Any, ...] = (text.id, text.text, text.pair)
    if (more := (text.versus, text.group, text.target)) != (None, None, None):
        parts += more
    return repr(parts).encode()
