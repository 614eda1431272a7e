"""Whether the texts of a run that is gone on with are those that it was begun with."""

import hashlib
from collections.abc import Callable, Iterable, Iterator

from bertcli.errors import BadInput
from bertcli.input.records import FailedText, TextRecord, Window
from bertcli.output.files.manifest import Manifest


class InputDigests:
    """A SHA-256 of the texts and ids of each shard, taken as they go by."""

    def __init__(self, shard_rows: int) -> None:
        self._shard_rows = shard_rows
        self._done: dict[int, str] = {}

    def watch(self, windows: Iterable[Window]) -> Iterator[Window]:
        """The windows as they are, each after its texts have been counted in."""
        digest, count = hashlib.sha256(), 0
        for window in windows:
            for text in window:
                digest.update(_spelt(text))
                count += 1
                if count % self._shard_rows == 0:
                    self._done[count // self._shard_rows - 1] = digest.hexdigest()
                    digest = hashlib.sha256()
            yield window
        self._done[count // self._shard_rows] = digest.hexdigest()

    def of(self, shard: int) -> str:
        """A shard's, once its last text has gone by. It is given once."""
        return self._done.pop(shard)

    def has(self, shard: int) -> bool:
        """Whether a shard's last text has gone by."""
        return shard in self._done


def after_replay(
    windows: Iterable[Window],
    manifest: Manifest,
    digests: InputDigests,
    on_replayed: Callable[[TextRecord | FailedText], None],
) -> Iterator[Window]:
    """The texts that no shard has yet; those that one has are passed over, and told to on_replayed.

    Raises BadInput where they are not the texts that the shards were made of.
    """
    checked = count = 0
    shards, rows = manifest.shards, manifest.rows
    for window in windows:
        for text in window[: max(0, rows - count)]:
            on_replayed(text)
        new = window[max(0, rows - count) :]
        count += len(window)
        checked = _check(manifest, digests, checked)
        if new and manifest.is_complete:
            raise _changed(manifest, len(shards))
        if new:
            yield new
    if _check(manifest, digests, checked) < len(shards):
        raise _changed(manifest, checked)


def _check(manifest: Manifest, digests: InputDigests, checked: int) -> int:
    """How many shards' texts have been found to be the same."""
    while checked < len(manifest.shards) and digests.has(checked):
        if digests.of(checked) != manifest.shards[checked].input_sha256:
            raise _changed(manifest, checked)
        checked += 1
    return checked


def _changed(manifest: Manifest, shard: int) -> BadInput:
    shards = manifest.shards
    where = f"the texts of {shards[shard].file} are others" if shard < len(shards) else "there are more texts"
    return BadInput(
        f"the input is not what the run was begun with: {where}",
        hint="give the same texts in the same order, or begin anew with --force",
    )


def _spelt(text: TextRecord | FailedText) -> bytes:
    parts = (
        (text.id, text.text, text.pair) if isinstance(text, TextRecord) else (text.id, text.error.message, "unanswered")
    )
    return repr(parts).encode()
