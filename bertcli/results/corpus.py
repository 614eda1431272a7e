"""Results of a run over many texts: its summary, and the manifest of the shards that it has written."""

from collections.abc import Mapping
from dataclasses import field, replace
from typing import Any, Self

from bertcli import __version__
from bertcli.lazy_dataclass import dataclass
from bertcli.results.precision import Precision


@dataclass(frozen=True, slots=True)
class RunSummary:
    """Counts of a run.

    Attributes:
        texts: All texts, failed ones included.
        tokens: Tokens of the texts that have an answer.
        truncated: Texts that were cut.
        skipped: Texts that failed.
        seconds: Duration of the run.
        padded_share: Share of padding in what was computed, from 0 to 1.
        repeated: Texts whose answer was known from an equal text.
        unknown: Tokens that are [UNK].
    """

    texts: int
    tokens: int
    truncated: int
    skipped: int
    seconds: float
    padded_share: float
    repeated: int = 0
    unknown: int = 0

    @property
    def tokens_per_second(self) -> float:
        """Speed of the run."""
        return self.tokens / self.seconds if self.seconds else 0.0


@dataclass(frozen=True, slots=True)
class Shard:
    """A complete file of a folder.

    Attributes:
        file: Its name in the folder.
        rows: Number of rows, failed texts included.
        skipped: Number of failed texts.
        bytes: Size of the file.
        sha256: Hash of the file.
        input_sha256: Hash of the texts and ids that it was made from.
    """

    file: str
    rows: int
    skipped: int
    bytes: int
    sha256: str
    input_sha256: str


@dataclass(frozen=True, slots=True)
class ShardLimits:
    """Size of a shard. It ends with the text that reaches one of the limits.

    Attributes:
        rows: Largest number of texts.
        text_bytes: Bytes of text after which a shard ends, None for no such limit.
        max_text_bytes: A longer text counts as that many bytes, since the model does not see all of it. None if
            text_bytes is None.
    """

    rows: int
    text_bytes: int | None = None
    max_text_bytes: int | None = None

    @property
    def requested_rows(self) -> int | None:
        """The number of rows if the user has set it with --shard-rows, else None."""
        return self.rows if self.text_bytes is None else None


@dataclass(frozen=True, slots=True)
class Manifest:
    """Description of a folder of shards.

    Attributes:
        about: What the rows depend on beside the texts: model, engine, threads, options.
        limits: Size of each shard but the last.
        shards: The complete shards, in the order of the input.
        id_type: Type of the ids, int64 or string, None if not known yet.
        is_complete: True if the whole input has been written.
        version: The version of bertcli that began the run.
        precision: Distance from float32, on a sample of the texts. None in float32, or if no text could be compared.
    """

    about: Mapping[str, Any]
    limits: ShardLimits
    shards: tuple[Shard, ...] = field(default=())
    id_type: str | None = None
    is_complete: bool = False
    version: str = __version__
    precision: Precision | None = None

    @property
    def rows(self) -> int:
        """Number of rows in all shards."""
        return sum(shard.rows for shard in self.shards)

    @property
    def skipped(self) -> int:
        """Number of failed texts in all shards."""
        return sum(shard.skipped for shard in self.shards)

    def with_shard(self, shard: Shard, id_type: str | None) -> Self:
        """Return the manifest with one more shard."""
        return replace(self, shards=(*self.shards, shard), id_type=id_type)
