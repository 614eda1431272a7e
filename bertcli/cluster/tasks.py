"""The texts of a shard on their way to who encodes them, and what comes back: plain data, the same on every machine."""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from bertcli import errors
from bertcli.errors import BertcliError
from bertcli.input.records import FailedText, TextRecord, Window
from bertcli.output.files.manifest import Manifest, Shard
from bertcli.output.files.parquet import INT64, STRING
from bertcli.pipeline.resume import InputDigests, after_replay
from bertcli.pipeline.scheduler import Tally


@dataclass(frozen=True, slots=True)
class ShardTask:
    """The texts of a shard. number: the shard's, from 0. id_type: of its ids, if known. read_bytes: of the input."""

    number: int
    texts: Window
    input_sha256: str
    id_type: str | None
    read_bytes: int

    def packed(self) -> str:
        """As JSON."""
        texts = [_packed_text(text) for text in self.texts]
        return json.dumps([self.number, texts, self.input_sha256, self.id_type, self.read_bytes])


@dataclass(frozen=True, slots=True)
class ShardResult:
    """A shard that is written. unanswered: its texts without an answer. tally: what came of them.

    notes: what the user should know of how it went.
    """

    shard: Shard
    id_type: str | None
    unanswered: tuple[FailedText, ...]
    tally: Tally
    read_bytes: int
    notes: tuple[str, ...] = ()

    def packed(self) -> str:
        """As JSON."""
        unanswered = [_packed_text(text) for text in self.unanswered]
        tally = asdict(self.tally)
        return json.dumps([asdict(self.shard), self.id_type, unanswered, tally, self.read_bytes, self.notes])

    @classmethod
    def of(cls, packed: str) -> Self:
        """From JSON. Raises the error that stands in its place."""
        shard, id_type, unanswered, tally, read_bytes, notes = _opened(packed)
        texts = [_text(values) for values in unanswered]
        failed = tuple(text for text in texts if isinstance(text, FailedText))
        return cls(Shard(**shard), id_type, failed, Tally(**tally), read_bytes, tuple(notes))


def parcel_of(packed: str) -> ShardTask:
    """From JSON. Raises the error that stands in its place."""
    number, texts, input_sha256, id_type, read_bytes = _opened(packed)
    return ShardTask(number, [_text(values) for values in texts], input_sha256, id_type, read_bytes)


def packed_error(error: BertcliError | OSError) -> str:
    """An error in the place of what it has prevented."""
    return json.dumps({"error": _packed_error(error)})


def shard_tasks(windows: Iterable[Window], manifest: Manifest, read_bytes: Callable[[], int]) -> Iterator[ShardTask]:
    """The texts that no shard has yet, a shard in each. Raises BadInput where those that one has are others."""
    digests = InputDigests(manifest.shard_rows)
    cutting = _Cutting(len(manifest.shards), manifest.id_type)
    behind = 0  # the bytes of the windows whose texts have all gone by
    for window in after_replay(digests.watch(windows), manifest, digests, lambda text: None):
        for text in window:
            cutting.add(text)
            if len(cutting.held) == manifest.shard_rows:
                yield cutting.parcel(digests, behind)
        behind = read_bytes()
    if cutting.held or not cutting.number:
        yield cutting.parcel(digests, behind)


@dataclass
class _Cutting:
    """What is held of the next shard. id_type: of the ids so far."""

    number: int
    id_type: str | None
    held: Window = field(default_factory=list)

    def add(self, text: TextRecord | FailedText) -> None:
        if self.id_type is None and text.id is not None:
            self.id_type = INT64 if isinstance(text.id, int) else STRING
        self.held.append(text)

    def parcel(self, digests: InputDigests, read_bytes: int) -> ShardTask:
        number, texts = self.number, self.held
        self.number, self.held = number + 1, []
        return ShardTask(number, texts, digests.of(number), self.id_type, read_bytes)


def _opened(packed: str) -> Any:
    content = json.loads(packed)
    if isinstance(content, dict):
        raise _error(content["error"])
    return content


def _packed_text(text: TextRecord | FailedText) -> list[Any]:
    if isinstance(text, FailedText):
        return [text.index, text.line, _packed_error(text.error), text.id, text.file]
    return [text.index, text.text, text.pair, text.line, text.id, text.file]


def _text(values: list[Any]) -> TextRecord | FailedText:
    if len(values) == 5:
        index, line, error, id_, file = values
        found = _error(error)
        assert isinstance(found, BertcliError)
        return FailedText(index, line, found, id_, file)
    return TextRecord(*values)


def _packed_error(error: BertcliError | OSError) -> list[Any]:
    if isinstance(error, BertcliError):
        return [type(error).__name__, error.message, error.hint]
    return ["OSError", error.errno, error.strerror or str(error), error.filename]


def _error(values: list[Any]) -> BertcliError | OSError:
    name, *rest = values
    if name == "OSError":
        number, reason, filename = rest
        return OSError(number, reason, filename) if number else OSError(reason)
    found = getattr(errors, name)(rest[0], hint=rest[1])
    assert isinstance(found, BertcliError)
    return found
