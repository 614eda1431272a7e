"""Files that each part of a checkpoint needs: required of a cached checkpoint, and downloaded for a new one."""

from collections.abc import Callable, Collection, Iterable, Iterator
from enum import Flag, auto
from pathlib import Path

from bertcli.checkpoints.architectures import ARCHITECTURES
from bertcli.checkpoints.config import CONFIG_FILE
from bertcli.checkpoints.tokenizer_files import TOKENIZER_FILE, TOKENIZER_SETTINGS
from bertcli.checkpoints.weight_files import INDEX, WEIGHT_FILES, shard_names
from bertcli.errors import BadCheckpoint


class Files(Flag):
    """Parts of a checkpoint, each stored in one or several files."""

    CONFIG = auto()
    TOKENIZER = auto()
    WEIGHTS = auto()
    ALL = CONFIG | TOKENIZER | WEIGHTS


PART_NAMES = {Files.CONFIG: "config.json", Files.TOKENIZER: "tokenizer", Files.WEIGHTS: "weights"}
# Files that a vocabulary needs beside it.
_COMPANIONS = {"vocab.json": ("merges.txt",)}
# Returns the names of the shards that an index file lists.
Shards = Callable[[str], Iterable[str]]


def files_of(part: Files, names: Collection[str], shards: Shards) -> list[str]:
    """Choose the files that hold one part of a checkpoint.

    If there are several kinds, choose the one that will be read: safetensors before pickles, whole before sharded.

    Args:
        part: One part.
        names: Names of the files that exist.
        shards: Returns the shards of an index.

    Returns:
        The files' names; empty if any of them is missing.
    """
    if part is Files.CONFIG:
        return [name for name in (CONFIG_FILE,) if name in names]
    choices = _tokenizers(names) if part is Files.TOKENIZER else _weights(names, shards)
    return next((files for files in choices if set(files) <= set(names)), [])


def fingerprint(folder: Path) -> str:
    """Return one SHA-256 over all files of a checkpoint that bertcli reads, in hexadecimal."""
    from hashlib import file_digest, sha256

    names = {path.name for path in folder.iterdir() if path.is_file()}
    total = sha256()
    for part in Files.ALL:
        for name in sorted(files_of(part, names, lambda index: shard_names(folder / index))):
            with (folder / name).open("rb") as file:
                total.update(f"{name} {file_digest(file, 'sha256').hexdigest()}\n".encode())
    return total.hexdigest()


def missing_files(folder: Path, needs: Files) -> list[Files]:
    """Return the needed parts that are missing or incomplete in a folder."""
    names = {path.name for path in folder.iterdir() if path.is_file()}  # excludes broken links to deleted blobs
    try:
        return [part for part in needs if not files_of(part, names, lambda index: shard_names(folder / index))]
    except BadCheckpoint:  # a damaged index
        return [Files.WEIGHTS]


def _tokenizers(names: Collection[str]) -> Iterator[list[str]]:
    vocabularies = dict.fromkeys(architecture.vocabulary.file for architecture in ARCHITECTURES.values())
    settings = [name for name in TOKENIZER_SETTINGS if name in names]
    for name in (TOKENIZER_FILE, *vocabularies):
        yield [name, *_COMPANIONS.get(name, ()), *settings]


def _weights(names: Collection[str], shards: Shards) -> Iterator[list[str]]:
    for name in WEIGHT_FILES:
        yield [name]
        index = f"{name}{INDEX}"
        if index in names:
            yield [index, *shards(index)]
