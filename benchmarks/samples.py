"""Texts for the benchmarks: everyday words drawn with a fixed seed, so that everyone measures the same texts."""

import random
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from bertcli.checkpoints.find import BUNDLED_FOLDER

# Ranges of lengths in words, with their weights: most texts are a sentence, some a paragraph, a few a page.
_LENGTHS = ((5, 15, 50), (15, 40, 35), (40, 120, 12), (120, 300, 3))


def mixed_texts(count: int) -> list[str]:
    """Return texts of mixed length."""
    draw = random.Random(0)
    spans = draw.choices([span[:2] for span in _LENGTHS], [span[2] for span in _LENGTHS], k=count)
    return [_sentence(draw, draw.randint(*span)) for span in spans]


def masked_lines(count: int) -> list[str]:
    """Return lines of 5 to 25 words, one of which is [MASK]."""
    draw = random.Random(1)
    return [_masked(draw, _sentence(draw, draw.randint(5, 25))) for _ in range(count)]


def sentences(count: int) -> list[str]:
    """Return sentences of 4 to 16 words."""
    draw = random.Random(2)
    return [_sentence(draw, draw.randint(4, 16)) for _ in range(count)]


def short_lines(count: int) -> Iterator[str]:
    """Yield lines of 3 to 14 words, one at a time, so that a million of them take no memory."""
    draw = random.Random(0)
    for _ in range(count):
        yield " ".join(draw.choices(_vocabulary(), k=draw.randint(3, 14)))


def write_lines(path: Path, texts: Iterable[str]) -> Path:
    """Write the texts, one a line, and return the path."""
    with path.open("w", encoding="utf-8") as file:
        file.writelines(f"{text}\n" for text in texts)
    return path


def _sentence(draw: random.Random, words: int) -> str:
    return " ".join(draw.choices(_vocabulary(), k=words)) + "."


def _masked(draw: random.Random, sentence: str) -> str:
    words = sentence.split()
    words[draw.randrange(len(words))] = "[MASK]"
    return " ".join(words)


@cache
def _vocabulary() -> list[str]:
    """Return the 5,000 most frequent whole words of the bundled vocabulary, which is sorted by frequency."""
    lines = (BUNDLED_FOLDER / "vocab.txt").read_text(encoding="utf-8").split("\n")
    return [word for word in lines if word.isascii() and word.isalpha() and len(word) > 1][:5000]
