"""Division of a document into windows: neighbours that overlap, or a window around each mask.

A window begins and ends between words. A word that is longer than a window is divided as if each of its tokens were a
word of its own.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise

from bertcli.lazy_dataclass import dataclass
from bertcli.model.documents import Document, DocumentWindow

# A window's first token, and the token after its last.
TokenRange = tuple[int, int]


@dataclass(frozen=True, slots=True)
class OverlappingWindows:
    """Divides documents into neighbours that overlap.

    Attributes:
        is_joined: The answers of all windows make one answer. Each window then owns the tokens that have more context
            in it than in its neighbours. Otherwise it owns all of its tokens.
    """

    is_joined: bool = True

    def divide(self, document: Document) -> Iterator[DocumentWindow]:
        """Yield the windows of a document."""
        before, count = len(document.before), len(document.ids)
        ranges = overlapping_ranges(word_breaks(document, document.window_size), document.window_size, document.overlap)
        owned_start = 0
        for number, ((start, end), following) in enumerate(_with_next(ranges)):
            is_last = following is None
            # The first window owns the tokens before the document's, and the last one those after.
            first = 0 if number == 0 else before + owned_start - start
            owned_end = count if following is None else owned_boundary((start, end), following)
            last = before + owned_end - start + (len(document.after) if is_last else 0)
            size = before + end - start + len(document.after)
            owned = range(first, last) if self.is_joined else range(size)
            yield DocumentWindow(document, number, start, end, owned, is_last)
            owned_start = owned_end


@dataclass(frozen=True, slots=True)
class CentredWindows:
    """Makes a window around each mask of a document. Masks that share a window are answered in it together.

    Attributes:
        mask_token_id: Id of the mask token.
        reserved: Number of tokens to leave free in each window, for words of several pieces.
    """

    mask_token_id: int
    reserved: int = 0

    def divide(self, document: Document) -> Iterator[DocumentWindow]:
        """Yield the windows of a document, in the order of its masks."""
        size = document.window_size - self.reserved
        breaks, before = word_breaks(document, size), len(document.before)
        masks = [position for position, id_ in enumerate(document.input_ids) if id_ == self.mask_token_id]
        # A mask in the tokens before the document's is in every window, so the first one is as good as any.
        centred = ((centred_range(breaks, size, max(mask - before, 0)), mask) for mask in masks)
        windows = [(place, [mask for _, mask in group]) for place, group in groupby(centred, lambda each: each[0])]
        for number, ((start, end), inside) in enumerate(windows):
            owned = range(inside[0] - start, inside[-1] + 1 - start)
            yield DocumentWindow(document, number, start, end, owned, number == len(windows) - 1)


def word_breaks(document: Document, size: int) -> array[int]:
    """Return the positions at which a window may begin or end: between words, and inside of too long ones.

    Args:
        document: The document.
        size: Largest number of tokens in a window.
    """
    words = document.words
    starts = [0, *(at + 1 for at, (one, other) in enumerate(pairwise(words)) if one != other), len(words)]
    breaks = array("i", [0])
    for start, end in pairwise(starts):
        breaks.extend(range(start + 1, end + 1) if end - start > size else (end,))
    return breaks


def overlapping_ranges(breaks: Sequence[int], size: int, overlap: int) -> Iterator[TokenRange]:
    """Yield windows that cover all tokens.

    Each is as long as possible. The next one begins at the first word that leaves an overlap of at most the given
    number of tokens. The overlap is shorter if the word that follows would not fit otherwise.

    Args:
        breaks: Positions at which a window may begin or end, from 0 to the number of tokens, at most `size` apart.
        size: Largest number of tokens in a window.
        overlap: Largest number of tokens that a window shares with the one before. It is smaller than size.
    """
    start = 0
    while True:
        at = bisect_right(breaks, start + size) - 1
        end = breaks[at]
        yield start, end
        if at == len(breaks) - 1:
            return
        start = breaks[bisect_left(breaks, max(end - overlap, breaks[at + 1] - size))]


def owned_boundary(window: TokenRange, following: TokenRange) -> int:
    """Return the first token that has more context in the following window than in this one.

    The context of a token in a window is the smaller of the numbers of tokens on its two sides. This window has
    end - 1 - i tokens on the right of token i, and the following one i - start on the left. Up to where these are
    equal, the token belongs to the earlier window.
    """
    return (following[0] + window[1] + 1) // 2


def centred_range(breaks: Sequence[int], size: int, position: int) -> TokenRange:
    """Return the window that has a token in its middle, or is as near to that as the ends of the text allow.

    Args:
        breaks: As for overlapping_ranges.
        size: Largest number of tokens in the window.
        position: Position of the token.
    """
    count = breaks[-1]
    start = max(0, min(position - size // 2, count - size))
    end = min(count, start + size)
    first, last = breaks[bisect_left(breaks, start)], breaks[bisect_right(breaks, end) - 1]
    # A mask may be a piece of a word that begins before the window.
    return (first if first <= position else start), (last if last > position else end)


def _with_next(ranges: Iterator[TokenRange]) -> Iterator[tuple[TokenRange, TokenRange | None]]:
    """Yield each window with the one after it."""
    current = next(ranges)
    for following in ranges:
        yield current, following
        current = following
    yield current, None
