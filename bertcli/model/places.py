"""Places of tokens in a text as the user wrote it: without the prompt, and with [MASK] as the user spelled it."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from unicodedata import category

from bertcli.lazy_dataclass import dataclass
from bertcli.model.tokenizer import MASK, TextTokenizer, TokenizedText

# The first character and the one after the last.
Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class TokenPlace:
    """The place of a token in a text.

    Attributes:
        sentence: 0 for sentence A, 1 for sentence B.
        span: Where it starts and ends in its sentence, in characters from 0. None if the tokenizer does not report it.
    """

    sentence: int
    span: Span | None


def token_places(text: TokenizedText, tokenizer: TextTokenizer) -> list[TokenPlace | None]:
    """Return the place of each token; None for [CLS], [SEP], PAD and the tokens of the prompt.

    A place may begin with the space before a word, as the tokenizer reports it.

    Args:
        text: The text, with its tokens and their offsets.
        tokenizer: The tokenizer that made the text.
    """
    record, prompt = text.record, len(tokenizer.prompt)
    mask = tokenizer.special_tokens.mask
    sentences = [WrittenSentence(record.text, mask, prompt), WrittenSentence(record.pair or "", mask)]
    found: list[TokenPlace | None] = []
    for position, (word, (start, end)) in enumerate(zip(text.words, text.offsets, strict=True)):
        if word is None or tokenizer.is_cls_sep_or_pad(text.input_ids[position]):
            found.append(None)
        elif not tokenizer.has_offsets:
            is_prompt = position < tokenizer.prompt_token_count
            found.append(None if is_prompt else TokenPlace(word[0], None))
        elif word[0] == 0 and start < prompt and end <= prompt:
            found.append(None)
        else:
            sentence = sentences[word[0]]
            found.append(TokenPlace(word[0], (sentence.start(start), sentence.end(end))))
    return found


def token_spans(text: TokenizedText, tokenizer: TextTokenizer) -> Sequence[Span | None]:
    """Return where each token starts and ends in its sentence; None for special tokens and those of the prompt.

    The list is empty if the tokenizer does not report places.
    """
    if not tokenizer.has_offsets:
        return ()
    return [None if place is None else place.span for place in token_places(text, tokenizer)]


def with_marks(written: str, spans: Sequence[Span | None]) -> Iterator[Span | None]:
    """Yield places in a sentence, each with the marks that follow: accents and the like, which a tokenizer may remove.

    Args:
        written: The sentence.
        spans: The places, in the order of the sentence. None for an unknown place.
    """
    for span, following in zip_longest(spans, spans[1:]):
        if span is None:
            yield None
            continue
        start, end = span
        limit = len(written) if following is None else following[0]
        while end < limit and category(written[end]).startswith("M"):
            end += 1
        yield start, end


def without_spaces(written: str, span: Span) -> Span:
    """Return a place without the spaces at its ends, or all of it if it has nothing but spaces."""
    start, end = span
    found = written[start:end]
    if not found.strip():
        return span
    return end - len(found.lstrip()), start + len(found.rstrip())


class Utf16Places:
    """Finds characters of a text in UTF-16, in which JavaScript counts: two units for a character beyond U+FFFF.

    Args:
        text: The text.
    """

    def __init__(self, text: str) -> None:
        self._doubles = [] if text.isascii() else [at for at, character in enumerate(text) if character > "\uffff"]

    def span(self, span: Span) -> Span:
        """Return a place in UTF-16 units."""
        start, end = (place + bisect_left(self._doubles, place) for place in span)
        return start, end


class WrittenSentence:
    """A sentence as the user wrote it, which finds the places in it of what the tokenizer was given.

    Args:
        written: The sentence.
        mask: The mask token that replaced each [MASK].
        prompt: Number of characters before the sentence.
    """

    def __init__(self, written: str, mask: str, prompt: int = 0) -> None:
        self._prompt, self._mask = prompt, len(mask)
        masks = [] if mask == MASK else [found.start() for found in re.finditer(re.escape(MASK), written)]
        self._written = masks
        self._given = [start + number * (self._mask - len(MASK)) for number, start in enumerate(masks)]

    @property
    def is_given_as_written(self) -> bool:
        """True if the tokenizer was given the sentence alone, as the user wrote it."""
        return not self._prompt and not self._written

    def start(self, place: int) -> int:
        """Return where a token begins that begins at a place of the tokenizer's input."""
        return self._place(place, within_mask=0)

    def end(self, place: int) -> int:
        """Return where a token ends that ends at a place of the tokenizer's input."""
        return self._place(place, within_mask=len(MASK))

    def _place(self, place: int, within_mask: int) -> int:
        place = max(place - self._prompt, 0)
        count = bisect_right(self._given, place)  # masks that begin there or before
        if not count:
            return place
        written, after_start = self._written[count - 1], place - self._given[count - 1]
        if after_start < self._mask:
            return written + (within_mask if after_start else 0)
        return written + len(MASK) + after_start - self._mask
