"""Resume: the check that a resumed run reads the original input, and the skipping of texts in finished shards."""

import hashlib
from collections.abc import Callable, Iterable, Iterator

from bertcli.errors import BadInput
from bertcli.input.records import FailedText, TextRecord, Window
from bertcli.results.corpus import Manifest


class InputDigests:
    """SHA-256 of the texts and ids of each shard, computed as the texts pass."""

    def __init__(self, shard_rows: int) -> None:
        self._shard_rows = shard_rows
        self._finished: dict[int, str] = {}

    def watch(self, windows: Iterable[Window]) -> Iterator[Window]:
        """Yield the windows unchanged, each after its texts have been hashed."""
        digest, count = hashlib.sha256(), 0
        for window in windows:
            for text in window:
                digest.update(_hashed_bytes(text))
                count += 1
                if count % self._shard_rows == 0:
                    self._finished[count // self._shard_rows - 1] = digest.hexdigest()
                    digest = hashlib.sha256()
            yield window
        self._finished[count // self._shard_rows] = digest.hexdigest()

    def take(self, shard: int) -> str:
        """Return the digest of a shard whose last text has passed. Each can be taken once."""
        return self._finished.pop(shard)

    def has(self, shard: int) -> bool:
        """Return True if the last text of a shard has passed."""
        return shard in self._finished


def skip_finished(
    windows: Iterable[Window],
    manifest: Manifest,
    digests: InputDigests,
    on_replayed: Callable[[TextRecord | FailedText], None] | None = None,
) -> Iterator[Window]:
    """Yield the texts that no shard has yet.

    Args:
        windows: The texts from the beginning of the input, watched by digests.
        manifest: The finished shards.
        digests: The hashes of the texts.
        on_replayed: Called with each text that a shard already has.

    Raises:
        BadInput: The texts are not those that the shards were made from.
    """
    checked = count = 0
    shards, rows = manifest.shards, manifest.rows
    for window in windows:
        if on_replayed is not None:
            for text in window[: max(0, rows - count)]:
                on_replayed(text)
        new = window[max(0, rows - count) :]
        count += len(window)
        checked = _check_digests(manifest, digests, checked)
        if new and manifest.is_complete:
            raise _changed_input(manifest, len(shards))
        if new:
            yield new
    if _check_digests(manifest, digests, checked) < len(shards):
        raise _changed_input(manifest, checked)


def _check_digests(manifest: Manifest, digests: InputDigests, checked: int) -> int:
    """Check the input of further shards, as far as it has been read, and return the number of shards checked so far.

    Args:
        manifest: The finished shards.
        digests: The hashes of the texts.
        checked: Number of shards checked before.

    Raises:
        BadInput: The texts of a shard have changed.
    """
    while checked < len(manifest.shards) and digests.has(checked):
        if digests.take(checked) != manifest.shards[checked].input_sha256:
            raise _changed_input(manifest, checked)
        checked += 1
    return checked


def _changed_input(manifest: Manifest, shard: int) -> BadInput:
    shards = manifest.shards
    where = f"the texts of {shards[shard].file} differ" if shard < len(shards) else "there are more texts"
    return BadInput(
        f"the input has changed since the run was started: {where}",
        hint="give the same texts in the same order, or start over with --force",
    )


def _hashed_bytes(text: TextRecord | FailedText) -> bytes:
    # Part of the manifest's format: "unanswered" marks a failed text.
    parts = (
        (text.id, text.text, text.pair) if isinstance(text, TextRecord) else (text.id, text.error.message, "unanswered")
    )
    return repr(parts).encode()
