"""Numbers of tokens of many texts, at the speed of a corpus."""

from collections.abc import Sequence
from typing import NamedTuple

from tokenizers import Encoding

from bertcli.errors import BadCheckpoint, BadText
from bertcli.input.records import FailedText, TextRecord
from bertcli.model.pieces import PIECE_CHARACTERS, encode_in_pieces, no_place_to_divide
from bertcli.model.tokenizer import TextInput, TextTokenizer
from bertcli.model.tokenizer_errors import TokenizerError, no_sentence_b, no_tokens, text_failure

# Most words to remember with their number of tokens, and characters of the longest one: about 20 MB.
_MOST_WORDS, _LONGEST_WORD = 200_000, 100
# Share of new words above which texts are tokenized whole: a word alone takes longer than within a text.
_MOST_NEW = 0.6


class TokenCount(NamedTuple):
    """Number of tokens of a text, special tokens included, and of those that are [UNK]."""

    tokens: int
    unknown: int


class TokenCounter:
    """Counts the tokens of texts, whatever their length.

    A tokenizer that divides texts at spaces first, as BERT's does, gives a word the same tokens in every text. So each
    different word is tokenized once, which is several times as fast as tokenizing the texts.

    Args:
        tokenizer: The tokenizer. Its limit and its truncation do not matter.
    """

    def __init__(self, tokenizer: TextTokenizer) -> None:
        self._tokenizer = tokenizer
        # Number of tokens of each word, and of unknown tokens of those that have some.
        self._tokens: dict[str, int] = {}
        self._unknown: dict[str, int] = {}
        self._special: dict[bool, int] = {}

    def count(self, records: Sequence[TextRecord]) -> list[TokenCount | FailedText]:
        """Return the counts of each text.

        A FailedText is returned for a text without tokens of its own; if the tokenizer fails on it; and if the model
        has no embedding for one of its tokens.
        """
        inputs = [self._tokenizer.prepare(record) for record in records]
        counts = self._count_by_words(inputs) if self._tokenizer.splits_at_spaces else None
        if counts is None:
            counts = self._count_together(inputs)
        if counts is None:  # a text fails, or is long
            return [self._count_alone(*parts) for parts in zip(records, inputs, strict=True)]
        return [self._checked(*parts) for parts in zip(records, counts, strict=True)]

    def _count_by_words(self, inputs: Sequence[TextInput]) -> list[TokenCount] | None:
        """Return the counts of texts as the sums of those of their words. None if too few of the words are known."""
        texts = [text for text in inputs if isinstance(text, str) and len(text) <= PIECE_CHARACTERS]
        if len(texts) < len(inputs):
            return None
        divided = [text.split(" ") for text in texts]
        new = [word for word in set().union(*divided) if word not in self._tokens]
        if len(new) > _MOST_NEW * sum(map(len, divided)) or not self._add_words(new):
            return None
        special, tokens_of, unknown_of = self._special_count(is_pair=False), self._tokens.__getitem__, self._unknown
        counts = []
        for words in divided:
            unknown = 0 if unknown_of.keys().isdisjoint(words) else sum(unknown_of.get(word, 0) for word in words)
            counts.append(TokenCount(special + sum(map(tokens_of, words)), unknown))
        self._forget_words(new)
        return counts

    def _add_words(self, words: Sequence[str]) -> bool:
        """Remember the tokens of words. Return False if the tokenizer fails, or has a token that the model lacks."""
        try:
            encodings = self._tokenizer.encode_together(words, add_special_tokens=False)
            counts = list(map(self._counted, encodings))
        except (TokenizerError, BadCheckpoint):
            return False
        for word, (tokens, unknown) in zip(words, counts, strict=True):
            self._tokens[word] = tokens
            if unknown:
                self._unknown[word] = unknown
        return True

    def _forget_words(self, new: Sequence[str]) -> None:
        """Limit the memory that the words take: keep no long ones, and start again if there are too many."""
        if len(self._tokens) > _MOST_WORDS:
            self._tokens, self._unknown = {}, {}
        for word in new:
            if len(word) > _LONGEST_WORD:
                self._tokens.pop(word, None)
                self._unknown.pop(word, None)

    def _count_together(self, inputs: Sequence[TextInput]) -> list[TokenCount] | None:
        """Return the counts of texts, or None if one of them is long, or a pair, or fails."""
        if not all(isinstance(text, str) and len(text) <= PIECE_CHARACTERS for text in inputs):
            return None
        try:
            return list(map(self._counted, self._tokenizer.encode_together(inputs)))
        except (TokenizerError, BadCheckpoint):
            return None

    def _count_alone(self, record: TextRecord, text: TextInput) -> TokenCount | FailedText:
        """Return the counts of a text."""
        parts = (text,) if isinstance(text, str) else text
        try:
            if any(len(part) > PIECE_CHARACTERS for part in parts):
                return self._checked(record, self._count_in_pieces(parts))
            encoding = self._tokenizer.encode(text)
            types = self._tokenizer.type_vocab_size
            if types and max(encoding.type_ids, default=0) >= types:
                return record.failed(no_sentence_b(types))
            return self._checked(record, self._counted(encoding))
        except TokenizerError as error:
            return record.failed(text_failure(error))
        except (BadCheckpoint, BadText) as error:
            return record.failed(error)

    def _count_in_pieces(self, parts: Sequence[str]) -> TokenCount:
        """Return the counts of a long text or pair. Raises TokenizerError, BadCheckpoint, BadText."""
        tokens, unknown = self._special_count(is_pair=len(parts) == 2), 0
        for part in parts:
            found = encode_in_pieces(self._tokenizer.encode_bare, part)
            if found is None:
                raise no_place_to_divide()
            tokens += len(found.ids)
            unknown += self._unknown_among(found.ids)
        return TokenCount(tokens, unknown)

    def _counted(self, encoding: Encoding) -> TokenCount:
        """Return the counts of an encoding. Raises BadCheckpoint."""
        ids = self._tokenizer.checked_ids(encoding.ids)
        return TokenCount(len(ids), self._unknown_among(ids))

    def _unknown_among(self, ids: Sequence[int]) -> int:
        id_ = self._tokenizer.unk_token_id
        return 0 if id_ is None else ids.count(id_)

    def _checked(self, record: TextRecord, count: TokenCount) -> TokenCount | FailedText:
        """Return the count, or the error of a text that has only special tokens."""
        special = self._special_count(is_pair=record.pair is not None)
        return count if count.tokens > special else record.failed(no_tokens())

    def _special_count(self, *, is_pair: bool) -> int:
        """Return the number of special tokens of a text or a pair."""
        if is_pair not in self._special:
            self._special[is_pair] = len(self._tokenizer.encode(("", "") if is_pair else ""))
        return self._special[is_pair]
