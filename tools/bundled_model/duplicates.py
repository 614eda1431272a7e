"""Removal of training lines that nearly repeat a held-out line, since they would make held-out figures meaningless."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from tools.bundled_model.texts import Block

_WORD = re.compile(r"\w+")
Run = tuple[str, ...]


def word_runs(line: str, length: int) -> set[Run]:
    """Return every run of `length` words in a line, ignoring case and punctuation.

    >>> sorted(word_runs("The cat, the mat.", 2))
    [('cat', 'the'), ('the', 'cat'), ('the', 'mat')]
    """
    words = _WORD.findall(line.lower())
    return {tuple(words[start : start + length]) for start in range(len(words) - length + 1)}


class HeldoutIndex:
    """Index of the runs of words in held-out lines. Lines shorter than a run are too common to compare.

    Args:
        lines: The held-out lines.
        run_words: Number of words in a run.
        share: Share of common runs from which on two lines are near-duplicates.
    """

    def __init__(self, lines: Iterable[str], run_words: int, share: float) -> None:
        self._run_words = run_words
        self._share = share
        self._lines_with: defaultdict[Run, list[int]] = defaultdict(list)
        self._sizes: list[int] = []
        for number, line in enumerate(lines):
            runs = word_runs(line, run_words)
            self._sizes.append(len(runs))
            for run in runs:
                self._lines_with[run].append(number)

    def has_near(self, line: str) -> bool:
        """Return True if a held-out line shares enough runs with this one, relative to the shorter of the two."""
        runs = word_runs(line, self._run_words)
        common = Counter(number for run in runs & self._lines_with.keys() for number in self._lines_with[run])
        return any(count >= self._share * min(len(runs), self._sizes[number]) for number, count in common.items())


def without_duplicates(blocks: Sequence[Block], heldout: HeldoutIndex) -> list[Block]:
    """Return the blocks without the lines that are near a held-out line.

    A block is cut in two at each gap, since the text after a gap does not continue the text before it.
    """
    kept: list[Block] = []
    for block in blocks:
        kept.append([])
        for line in block:
            if heldout.has_near(line):
                kept.append([])
            else:
                kept[-1].append(line)
    return [block for block in kept if block]
