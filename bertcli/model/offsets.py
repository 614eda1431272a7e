"""Words and places of tokens in a text. Places are in characters of the text as the user wrote it.

The tokenizer sees the text after a prompt, and with the checkpoint's own mask token instead of [MASK].
"""

from collections.abc import Sequence
from functools import cache

from tokenizers import Encoding

# The first character and the one after the last.
Span = tuple[int, int]


def token_words(encoding: Encoding) -> tuple[tuple[int, int] | None, ...]:
    """Return the (sentence, word) that each token is part of, None for special tokens that the tokenizer added."""
    places = zip(encoding.sequence_ids, encoding.word_ids, strict=True)
    return tuple(None if sentence is None or word is None else _word(sentence, word) for sentence, word in places)


@cache
def _word(sentence: int, word: int) -> tuple[int, int]:
    # Share the tuples: the same few occur in every text, and many texts of a corpus are in memory at once.
    return sentence, word


def token_offsets(
    encoding: Encoding, texts: Sequence[str], prompt_length: int, mask: str, own_mask: str
) -> tuple[Span | None, ...]:
    """Return the place of each token.

    Args:
        encoding: The tokens.
        texts: The text, and sentence B if there is one.
        prompt_length: Number of characters of the prompt before the text.
        mask: What a user writes for a mask.
        own_mask: What the tokenizer has seen instead.

    Returns:
        A span of characters of its sentence for each token. None for special tokens and those of the prompt. Empty if
        the tokenizer does not report places.
    """
    if not isinstance(encoding, Encoding):  # a tokenizer that is written in Python
        return ()
    masks = [_mask_places(text, mask, own_mask) for text in texts]
    found: list[Span | None] = []
    for sentence, (start, end) in zip(encoding.sequence_ids, encoding.offsets, strict=True):
        skipped = prompt_length if sentence == 0 else 0
        if sentence is None or (skipped and end <= skipped):
            found.append(None)
            continue
        start, end = max(start - skipped, 0), end - skipped
        if places := masks[sentence]:
            start, end = (_original_place(place, places, mask, own_mask) for place in (start, end))
        found.append((start, end))
    return tuple(found)


def _mask_places(text: str, mask: str, own_mask: str) -> list[int]:
    """Return where the masks begin in the text that the tokenizer sees. Empty if no place differs."""
    if mask not in text or len(mask) == len(own_mask):
        return []
    places: list[int] = []
    at = text.find(mask)
    while at >= 0:
        places.append(at + len(places) * (len(own_mask) - len(mask)))
        at = text.find(mask, at + len(mask))
    return places


def _original_place(place: int, masks: Sequence[int], mask: str, own_mask: str) -> int:
    """Return the place in the user's text of a place in the text that the tokenizer sees."""
    before = [at for at in masks if at < place]
    if not before:
        return place
    is_inside = place < before[-1] + len(own_mask)
    after = min(place - before[-1], len(mask)) if is_inside else place - before[-1] - len(own_mask) + len(mask)
    return before[-1] - (len(before) - 1) * (len(own_mask) - len(mask)) + after
