"""Resume: the check that a resumed run reads the original input, and the skipping of texts in finished shards."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from bertcli.errors import BadInput
from bertcli.input.records import FailedText, TextRecord, Window
from bertcli.pipeline.shards import ShardBoundaries, ShardInput
from bertcli.results.corpus import Manifest


def skip_finished(
    windows: Iterable[Window],
    manifest: Manifest,
    boundaries: ShardBoundaries,
    watchers: Sequence[Callable[[TextRecord | FailedText], None]] = (),
) -> Iterator[Window]:
    """Yield the texts that no shard has yet.

    Args:
        windows: The texts from the beginning of the input, watched by boundaries.
        manifest: The finished shards.
        boundaries: The ends of the shards, and the hashes of their texts.
        watchers: Called with each text that a shard already has.

    Raises:
        BadInput: The texts are not those that the shards were made from.
    """
    checked = count = 0
    shards, rows = manifest.shards, manifest.rows
    for window in windows:
        checked = _check_inputs(manifest, boundaries, checked)
        for watch in watchers:
            for text in window[: max(0, rows - count)]:
                watch(text)
        new = window[max(0, rows - count) :]
        count += len(window)
        if new and manifest.is_complete:
            raise _changed_input(manifest, len(shards))
        if new:
            yield new
    if _check_inputs(manifest, boundaries, checked) < len(shards):
        raise _changed_input(manifest, checked)


def _check_inputs(manifest: Manifest, boundaries: ShardBoundaries, checked: int) -> int:
    """Check the input of further shards, as far as it has been read, and return the number of shards checked so far.

    Args:
        manifest: The finished shards.
        boundaries: The ends of the shards, and the hashes of their texts.
        checked: Number of shards checked before.

    Raises:
        BadInput: The texts of a shard have changed.
    """
    while checked < len(manifest.shards) and boundaries.has(checked):
        shard = manifest.shards[checked]
        if boundaries.take(checked) != ShardInput(shard.rows, shard.input_sha256):
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
