"""Cleaning and splitting of raw texts, which have one sentence, paragraph or dialogue a line."""

import gzip
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tools.bundled_model.settings import Source, Texts

Block = list[str]
_LOST_QUOTE = re.compile(r"(?<=\w)\N{REPLACEMENT CHARACTER}(?=\w)")
_NOT_PROSE = re.compile(r"```|https?://|</?[a-z]+[ >/]")
_ABBREVIATION = re.compile(r"(?:^|[\s(\"'])(?:mr|mrs|ms|dr|st|no|vs|etc|e\.g|i\.e|[a-z])\.$", re.IGNORECASE)
_SENTENCE_END = re.compile(r"(?<=[.!?])([\"'”’)\]]*)\s+")


@dataclass(frozen=True, slots=True)
class Split:
    """The blocks of a source for training, and those that are held out."""

    train: list[Block]
    heldout: list[Block]


def read_lines(path: Path) -> list[str]:
    """Read the lines of a text file, gzipped or not, and clean them. Lines that are not prose are dropped."""
    packed = path.read_bytes()
    text = (gzip.decompress(packed) if path.suffix == ".gz" else packed).decode("utf-8")
    return [line for line in map(clean_line, text.split("\n")) if line]


def clean_line(line: str) -> str:
    """Return the line with single spaces and without replacement characters, or "" if it is not prose.

    >>> clean_line("what\\N{REPLACEMENT CHARACTER}s  up ?")
    "what's up ?"
    """
    line = _LOST_QUOTE.sub("'", line).replace("\N{REPLACEMENT CHARACTER}", " ")
    return "" if _NOT_PROSE.search(line) or not any(map(str.isalpha, line)) else " ".join(line.split())


def cut_blocks(lines: Sequence[str], block_lines: int) -> list[Block]:
    """Cut the lines into blocks of `block_lines` lines. The last one may be shorter."""
    return [list(lines[start : start + block_lines]) for start in range(0, len(lines), block_lines)]


def hold_out(blocks: Sequence[Block], share: float, rng: np.random.Generator) -> Split:
    """Draw a share of the blocks to hold out, at least one. The others are for training."""
    count = max(1, round(len(blocks) * share))
    drawn = set(rng.choice(len(blocks), count, replace=False).tolist())
    return Split(
        train=[block for index, block in enumerate(blocks) if index not in drawn],
        heldout=[block for index, block in enumerate(blocks) if index in drawn],
    )


def documents(blocks: Iterable[Block], source: Source) -> list[str]:
    """Return the documents of a source: the blocks of a book, the lines of any other source."""
    if source.kind == "book":
        return [" ".join(block) for block in blocks]
    return [line for block in blocks for line in block]


def split_sentences(text: str) -> list[str]:
    """Split a text into sentences.

    >>> split_sentences('"Is it far?" asked Mr. Hay. no, it is near.')
    ['"Is it far?"', 'asked Mr. Hay.', 'no, it is near.']
    """
    sentences: list[str] = []
    start = 0
    for end in _SENTENCE_END.finditer(text):
        if not _ABBREVIATION.search(text[start : end.start()]):
            sentences.append(text[start : end.end(1)])
            start = end.end()
    return [*sentences, text[start:]] if start < len(text) else sentences


def limit_repetition(texts: Iterable[Sequence[str]], limit: int) -> list[list[str]]:
    """Keep the first `limit` copies of each sentence, ignoring case. Documents without a sentence are dropped."""
    seen: Counter[str] = Counter()
    kept: list[list[str]] = []
    for sentences in texts:
        kept.append([])
        for sentence in sentences:
            seen[sentence.lower()] += 1
            if seen[sentence.lower()] <= limit:
                kept[-1].append(sentence)
    return [sentences for sentences in kept if sentences]


def split_source(folder: Path, source: Source, settings: Texts, seed: int) -> Split:
    """Read a source and split its blocks. The same seed gives the same split.

    Args:
        folder: The folder with NAME.txt.gz or NAME.txt.
        source: The source.
        settings: The share to hold out.
        seed: Seed of the draw.

    Raises:
        SystemExit: The folder has no file for the source.
    """
    path = next((path for suffix in (".txt.gz", ".txt") if (path := folder / f"{source.name}{suffix}").is_file()), None)
    if path is None:
        raise SystemExit(
            f"{folder} has no {source.name}.txt.gz or {source.name}.txt: name your own sources with --settings"
        )
    blocks = cut_blocks(read_lines(path), source.block_lines)
    rng = np.random.default_rng([seed, *source.name.encode()])
    return hold_out(blocks, settings.heldout, rng)
