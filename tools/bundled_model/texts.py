"""Texts as they come, one sentence, paragraph or dialogue a line: cleaned, cut into blocks, split into sentences."""

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
    """The blocks of a source, as they are trained on and as they are held out."""

    train: list[Block]
    heldout: list[Block]


def read_lines(path: Path) -> list[str]:
    """The clean lines of a file, gzipped or not."""
    packed = path.read_bytes()
    text = (gzip.decompress(packed) if path.suffix == ".gz" else packed).decode("utf-8")
    return [line for line in map(clean_line, text.split("\n")) if line]


def clean_line(line: str) -> str:
    """One line with plain spaces and without lost characters; empty where it is no prose.

    >>> clean_line("what\\N{REPLACEMENT CHARACTER}s  up ?")
    "what's up ?"
    """
    line = _LOST_QUOTE.sub("'", line).replace("\N{REPLACEMENT CHARACTER}", " ")
    return "" if _NOT_PROSE.search(line) or not any(map(str.isalpha, line)) else " ".join(line.split())


def cut_blocks(lines: Sequence[str], block_lines: int) -> list[Block]:
    """Runs of so many lines; the last one may be shorter."""
    return [list(lines[start : start + block_lines]) for start in range(0, len(lines), block_lines)]


def hold_out(blocks: Sequence[Block], share: float, rng: np.random.Generator) -> Split:
    """Whole blocks drawn to be held out, at least one; all others are for training."""
    count = max(1, round(len(blocks) * share))
    drawn = set(rng.choice(len(blocks), count, replace=False).tolist())
    return Split(
        train=[block for index, block in enumerate(blocks) if index not in drawn],
        heldout=[block for index, block in enumerate(blocks) if index in drawn],
    )


def documents(blocks: Iterable[Block], source: Source) -> list[str]:
    """What is read in one go: a block of a book, else a line."""
    if source.kind == "book":
        return [" ".join(block) for block in blocks]
    return [line for block in blocks for line in block]


def split_sentences(text: str) -> list[str]:
    """The sentences of a text.

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
    """Documents as sentences, each sentence kept the first `limit` times that it comes, whatever its case."""
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
    """A source's blocks, read from NAME.txt.gz or NAME.txt and split; the same ones for the same seed."""
    path = next((path for suffix in (".txt.gz", ".txt") if (path := folder / f"{source.name}{suffix}").is_file()), None)
    if path is None:
        raise SystemExit(f"{folder} has no {source.name}.txt.gz: name your own sources in a settings file")
    blocks = cut_blocks(read_lines(path), source.block_lines)
    rng = np.random.default_rng([seed, *source.name.encode()])
    return hold_out(blocks, settings.heldout, rng)
