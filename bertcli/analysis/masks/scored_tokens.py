"""The tokens of a text that --score scores: all of them, those of a part of the text, or those of given words."""

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from itertools import groupby

from bertcli.analysis.masks.variants import content_positions
from bertcli.choices import ScoreOnly
from bertcli.errors import BadText, WrongUsage
from bertcli.input.records import FailedText, TextRecord
from bertcli.lazy_dataclass import dataclass
from bertcli.model.session import Session
from bertcli.model.tokenizer import TextTokenizer, TokenizedText
from bertcli.model.tokenizer_errors import TokenizerError
from bertcli.quoting import is_utf8


@dataclass(frozen=True, slots=True)
class ScoredTokens:
    """Choice of the tokens to score. [CLS], [SEP] and masks are never scored.

    Attributes:
        only: SHARED for the tokens that a text shares with the one that it is compared with, aligned as in CrowS-Pairs
            (Nangia et al. 2020); B for those of sentence B; None for all.
        words: The words to score, as the user spells them, or None for all.
        spellings: The spellings of each of the words, as the tokenizer divides and decodes it.
    """

    only: ScoreOnly | None = None
    words: Sequence[str] | None = None
    spellings: Sequence[tuple[str, ...]] = ()

    def positions(self, session: Session, text: TokenizedText) -> list[int]:
        """Return the positions of the tokens to score. In a window, these are only tokens that it owns."""
        positions = content_positions(session, text)
        if text.window is not None:
            positions = [position for position in positions if position in text.window.owned]
        positions = [position for position in positions if text.input_ids[position] != session.mask_token_id]
        if self.only == ScoreOnly.B:
            positions = [position for position in positions if _is_in_b(text, position)]
        elif self.only == ScoreOnly.SHARED:
            other = _tokenize_versus(session, text)
            shared = set() if isinstance(other, FailedText) else _shared_positions(text, other)
            positions = [position for position in positions if position in shared]
        if self.words is not None:
            named = set(self._named_positions(session.tokenizer, text))
            positions = [position for position in positions if position in named]
        return positions

    def check(self, session: Session, text: TokenizedText) -> FailedText | None:
        """Return the text as failed if it has no token to score, else None."""
        if self.positions(session, text):
            return None
        other = _tokenize_versus(session, text) if self.only == ScoreOnly.SHARED else None
        return other if isinstance(other, FailedText) else text.record.failed(self._missing(text))

    def _missing(self, text: TokenizedText) -> BadText:
        """Return the error for a text without a token to score."""
        if self.words is not None:
            return BadText(
                f"the text has no token to score in the words of --only-words: {', '.join(self.words)}",
                hint="name words of the text, or skip such texts with --on-error skip",
            )
        if self.only == ScoreOnly.SHARED:
            return BadText("the two texts share no token", hint="leave --only shared out to compare all tokens")
        if self.only == ScoreOnly.B and text.record.pair is None:
            return BadText("the text has no sentence B", hint="give it with --pair or --pairs, or leave --only b out")
        return missing_token()

    def _named_positions(self, tokenizer: TextTokenizer, text: TokenizedText) -> Iterator[int]:
        words = _words(text)
        decoded = [tokenizer.decode([text.input_ids[at] for at in positions]).strip() for positions in words]
        for spelling in self.spellings:
            for start in range(len(words) - len(spelling) + 1):
                if tuple(decoded[start : start + len(spelling)]) == spelling:
                    yield from (at for positions in words[start : start + len(spelling)] for at in positions)


EVERY_TOKEN = ScoredTokens()


def parse_scored_words(tokenizer: TextTokenizer, words: Sequence[str]) -> list[tuple[str, ...]]:
    """Return the spellings of each word, as the tokenizer divides and decodes it.

    Raises:
        WrongUsage: A word is empty, or the vocabulary cannot spell it.
    """
    return [_spellings(tokenizer, word.strip()) for word in words]


def missing_token() -> BadText:
    """Return the error for a text without a token to score."""
    return BadText("the text has no token to score, only special tokens", hint="use a text with words")


def _is_in_b(text: TokenizedText, position: int) -> bool:
    word = text.words[position]
    return word is not None and word[0] == 1


def _shared_positions(text: TokenizedText, other: TokenizedText) -> set[int]:
    """Return the positions of the tokens that a text shares with the other one, as difflib aligns their ids."""
    first, versus = list(text.input_ids), list(other.input_ids)
    # difflib may align two texts differently if they change places.
    if text.record.is_versus:
        first, versus = versus, first
    shared: set[int] = set()
    for block in SequenceMatcher(None, first, versus).get_matching_blocks():
        start = block.b if text.record.is_versus else block.a
        shared.update(range(start, start + block.size))
    return shared


def _words(text: TokenizedText) -> list[list[int]]:
    """Return the positions of each word of a text."""
    grouped = groupby(range(len(text)), key=lambda position: text.words[position])
    return [list(positions) for word, positions in grouped if word is not None]


def _tokenize_versus(session: Session, text: TokenizedText) -> TokenizedText | FailedText:
    """Return the tokens of the text to compare with."""
    record = text.record
    assert record.versus is not None
    (found,) = session.tokenizer.tokenize([TextRecord(record.index, record.versus, record.pair, record.line)])
    if isinstance(found, TokenizedText):
        return found
    # A text that needs windows cannot be aligned; the request refuses them.
    assert isinstance(found, FailedText)
    return record.failed(found.error)


def _spellings(tokenizer: TextTokenizer, word: str) -> tuple[str, ...]:
    if not word:
        raise WrongUsage("one of the words is empty", hint="separate words with commas: --only-words are,is")
    if not is_utf8(word):
        raise WrongUsage(f"the word {word!r} is not UTF-8", hint="check the encoding of the terminal")
    try:
        encoding = tokenizer.encode_bare(f" {word}")
    except TokenizerError as error:
        raise WrongUsage(f"the word {word!r} cannot be tokenized: {error}", hint="use another word") from None
    numbered = groupby(zip(encoding.word_ids, encoding.ids, strict=True), key=lambda each: each[0])
    found = [[id_ for _, id_ in pieces] for number, pieces in numbered if number is not None]
    if not found or any(tokenizer.unk_token_id in ids for ids in found):
        raise WrongUsage(f"the word {word!r} is not in the vocabulary", hint="use words that the model knows")
    return tuple(tokenizer.decode(ids).strip() for ids in found)
