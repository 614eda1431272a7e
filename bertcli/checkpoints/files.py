"""Which files hold which part of a checkpoint: what a cached one has to have, and what is downloaded of one."""

from collections.abc import Callable, Collection, Iterable, Iterator
from enum import Flag, auto
from pathlib import Path

from bertcli.checkpoints.architectures import ARCHITECTURES
from bertcli.checkpoints.config import CONFIG_FILE
from bertcli.checkpoints.tokenizer_files import TOKENIZER_FILE, TOKENIZER_SETTINGS
from bertcli.checkpoints.weight_files import INDEX, WEIGHT_FILES, shard_names
from bertcli.errors import BadCheckpoint


class Files(Flag):
    """The parts of a checkpoint, each of them some files."""

    CONFIG = auto()
    TOKENIZER = auto()
    WEIGHTS = auto()
    ALL = CONFIG | TOKENIZER | WEIGHTS


WORDS = {Files.CONFIG: "config.json", Files.TOKENIZER: "tokenizer", Files.WEIGHTS: "weights"}
# What a vocabulary is of no use without.
_BESIDE = {"vocab.json": ("merges.txt",)}
# The names of the files that an index of shards tells of.
Shards = Callable[[str], Iterable[str]]


def files_of(part: Files, names: Collection[str], shards: Shards) -> list[str]:
    """The files that hold one part, of those that there are by name; none where any of them is missing.

    Of several kinds the one that is read is chosen: safetensors before pickles, whole before sharded.
    """
    if part is Files.CONFIG:
        return [name for name in (CONFIG_FILE,) if name in names]
    choices = _tokenizers(names) if part is Files.TOKENIZER else _weights(names, shards)
    return next((files for files in choices if set(files) <= set(names)), [])


def fingerprint(folder: Path) -> str:
    """The SHA-256 of every file that a checkpoint is opened with, in hexadecimal."""
    from hashlib import file_digest, sha256

    names = {path.name for path in folder.iterdir() if path.is_file()}
    total = sha256()
    for part in Files.ALL:
        for name in sorted(files_of(part, names, lambda index: shard_names(folder / index))):
            with (folder / name).open("rb") as file:
                total.update(f"{name} {file_digest(file, 'sha256').hexdigest()}\n".encode())
    return total.hexdigest()


def missing_files(folder: Path, needs: Files) -> list[Files]:
    """The parts that are needed and are not in the folder, or not whole."""
    names = {path.name for path in folder.iterdir() if path.is_file()}  # no link to a blob that is gone
    try:
        return [part for part in needs if not files_of(part, names, lambda index: shard_names(folder / index))]
    except BadCheckpoint:  # an index that cannot be read
        return [Files.WEIGHTS]


def _tokenizers(names: Collection[str]) -> Iterator[list[str]]:
    vocabularies = dict.fromkeys(architecture.vocabulary.file for architecture in ARCHITECTURES.values())
    settings = [name for name in TOKENIZER_SETTINGS if name in names]
    for name in (TOKENIZER_FILE, *vocabularies):
        yield [name, *_BESIDE.get(name, ()), *settings]


def _weights(names: Collection[str], shards: Shards) -> Iterator[list[str]]:
    for name in WEIGHT_FILES:
        yield [name]
        index = f"{name}{INDEX}"
        if index in names:
            yield [index, *shards(index)]
