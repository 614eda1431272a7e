"""Texts to token ids and back, with a checkpoint's own tokenizer."""

from array import array
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cache, cached_property
from threading import Lock

from tokenizers import Encoding, Tokenizer

from bertcli.checkpoints.architectures import SpecialTokens
from bertcli.checkpoints.config import ModelConfig
from bertcli.errors import BadCheckpoint, BadText
from bertcli.input.records import FailedText, TextRecord, Window
from bertcli.lazy_dataclass import dataclass
from bertcli.model.documents import DocumentWindow, Word, word_places
from bertcli.model.pieces import MAX_CHARACTERS, PIECE_CHARACTERS, min_tokens, splits_at_spaces
from bertcli.model.tokenizer_errors import (
    TokenizerError,
    TokenizerPanic,
    catch_tokenizer_errors,
    no_sentence_b,
    no_tokens,
    text_failure,
)

TextInput = str | tuple[str, str]
# Users may write this for a mask, whatever the checkpoint calls it.
MASK = "[MASK]"
# Texts that show if a tokenizer works: no text, words, characters outside ASCII, and pairs.
_PROBES: tuple[TextInput, ...] = ("", ("", ""), "a b.", "é ☃ 中", ("a", "b"))


@dataclass(frozen=True, slots=True)
class TokenizedText:
    """One text as the model sees it, special tokens included.

    token_type_ids is empty if the architecture has no token types. truncated_masks is the number of masks that
    truncation removed. words gives the (sentence, word) that each token is part of, or None for special tokens that the
    tokenizer added. offsets gives the place of each token in what the tokenizer was given: see bertcli.model.places.
    unknown is the number of tokens that are [UNK]. window is the place of the tokens in their document if they are only
    a part of the text.
    """

    record: TextRecord
    input_ids: Sequence[int]
    token_type_ids: tuple[int, ...]
    tokens: tuple[str, ...]
    truncated: bool = False
    truncated_masks: int = 0
    words: tuple[Word, ...] = ()
    offsets: tuple[tuple[int, int], ...] = ()
    unknown: int = 0
    window: DocumentWindow | None = None

    def __len__(self) -> int:
        return len(self.input_ids)

    @property
    def ends_text(self) -> bool:
        """True if no later window has tokens of the same text."""
        return self.window is None or self.window.is_last


@dataclass(frozen=True, slots=True)
class LongText:
    """A text with more tokens than the limit, which is to be read in windows."""

    record: TextRecord


Tokenized = TokenizedText | LongText | FailedText


class TextTokenizer:
    """A checkpoint's tokenizer, with a limit on the tokens of a text."""

    def __init__(
        self,
        tokenizer: Tokenizer,
        special_tokens: SpecialTokens,
        config: ModelConfig,
        limit: int,
        truncate: bool,
        prompt: str = "",
        reads_windows: bool = False,
        overlap: int | None = None,
    ) -> None:
        """Wrap a tokenizer.

        Args:
            tokenizer: The tokenizer.
            special_tokens: Spellings of the special tokens.
            config: The model's config.
            limit: Maximum number of tokens of a text, special tokens included.
            truncate: Cut longer texts. Otherwise they fail.
            prompt: Text to put before each text.
            reads_windows: Return longer texts as LongText, to be read in windows.
            overlap: Number of tokens that a window shares with the next, None for the default.
        """
        self._tokenizer, self.special_tokens, self._config = tokenizer, special_tokens, config
        self.limit, self._truncate, self.prompt = limit, truncate, prompt
        self._reads_windows, self.overlap = reads_windows, overlap
        # True if the texts are not lower-cased because the vocabulary has capitals, and no file says so.
        self.has_guessed_case = False
        # False if the command needs whole texts. The error about a long text then does not name --long windows.
        self.offers_windows = True
        # None, and False, for a tokenizer that is written in Python.
        self.normalizer, self.has_offsets = getattr(tokenizer, "normalizer", None), isinstance(tokenizer, Tokenizer)
        self.splits_at_spaces = splits_at_spaces(tokenizer)
        self._tokenizing = Lock()  # truncation is a state of the tokenizer, which threads share
        tokenizer.no_truncation()
        tokenizer.no_padding()
        self.pad_token_id = tokenizer.token_to_id(special_tokens.pad) or 0
        self.mask_token_id = tokenizer.token_to_id(special_tokens.mask)
        self.cls_token_id = tokenizer.token_to_id(special_tokens.cls)
        self.sep_token_id = tokenizer.token_to_id(special_tokens.sep)
        self.unk_token_id = tokenizer.token_to_id(special_tokens.unk)
        # Encoding.tokens would show a mask with the space before it, and the original text for an unknown token.
        self._token = cache(lambda id_: tokenizer.id_to_token(id_) or "")
        self._token_text = cache(lambda id_: self.decode([id_]).strip())
        self._cls_sep_pad_ids = {self.cls_token_id, self.sep_token_id, tokenizer.token_to_id(special_tokens.pad)}

    def check_usable(self) -> None:
        """Check that the tokenizer works on a few short texts, and that the model knows its special tokens.

        A text that needs a token which the vocabulary lacks is an error of that text only, so it is not reported here.

        Raises:
            TokenizerPanic: The tokenizer panics.
            BadCheckpoint: The model has no embedding for a special token.
        """
        special_ids = self._cls_sep_pad_ids | {self.mask_token_id}
        self.checked_ids([id_ for id_ in special_ids if id_ is not None])
        for probe in _PROBES:
            try:
                ids = self.encode(probe).ids
                with catch_tokenizer_errors():
                    self._tokenizer.decode(ids, skip_special_tokens=False)
            except TokenizerPanic:
                raise
            except TokenizerError:
                continue
            if not any(probe):
                self.checked_ids(ids)

    @cached_property
    def prompt_token_count(self) -> int:
        """Number of tokens of the prompt at the beginning of a text, [CLS] included."""
        if not self.prompt:
            return 0
        encoding = self.encode(self.prompt)
        ends_with_sep = bool(len(encoding)) and encoding.sequence_ids[-1] is None
        return len(encoding) - ends_with_sep

    @cached_property
    def continuing_prefix(self) -> str:
        """The mark of pieces that continue a word, such as BERT's ##, "" if the vocabulary does not mark them."""
        return getattr(getattr(self._tokenizer, "model", None), "continuing_subword_prefix", None) or ""

    @property
    def type_vocab_size(self) -> int:
        """Number of token types of the model, 0 if it has none."""
        return self._config.type_vocab_size

    @property
    def vocabulary_size(self) -> int:
        """Number of tokens in the vocabulary, added tokens included."""
        return int(self._tokenizer.get_vocab_size())

    def token_id(self, token: str) -> int | None:
        """Return the id of a token, spelled as in the vocabulary, or None."""
        id_ = self._tokenizer.token_to_id(token)
        return None if id_ is None else self.checked_ids([id_])[0]

    def token(self, id_: int) -> str:
        """Return the token of an id, spelled as in the vocabulary, or "" if the id is an embedding without a token."""
        return self._token(id_)

    def token_text(self, id_: int) -> str:
        """Return a token as it reads in a text, without the mark that some vocabularies put before a word."""
        return self._token_text(id_)

    def vocabulary(self) -> Mapping[str, int]:
        """Return every token with its id."""
        return dict(self._tokenizer.get_vocab())

    def is_cls_sep_or_pad(self, id_: int) -> bool:
        """Return True for the ids of [CLS], [SEP] and PAD."""
        return id_ in self._cls_sep_pad_ids

    def encode_text(self, text: str) -> list[int]:
        """Return the ids of a text, without special tokens.

        Raises:
            BadText: The tokenizer fails on the text.
            BadCheckpoint: The model has no embedding for a token of the text.
        """
        try:
            return list(self.encode_bare(text).ids)
        except TokenizerError as error:
            raise text_failure(error) from None

    def encode_word(self, word: str) -> list[int]:
        """Return the ids of a word in the middle of a text.

        A token written as in the vocabulary, such as ##ing, gets the one id of that token.
        """
        # Some vocabularies have separate tokens for a word after a space and for the same letters inside a word. The
        # other vocabularies ignore the space.
        pieces = self.encode_text(f" {word}")
        if [self.token_text(id_) for id_ in pieces] == [word] or (id_ := self.token_id(word)) is None:
            return pieces
        return [id_]

    def decode(self, ids: Sequence[int]) -> str:
        """Return the text of token ids, special tokens included. Raises BadCheckpoint if the tokenizer fails."""
        try:
            with catch_tokenizer_errors():
                return str(self._tokenizer.decode(list(ids), skip_special_tokens=False))
        except TokenizerError as error:
            raise BadCheckpoint(
                f"the tokenizer cannot be used, because it fails to decode the model's tokens: {error}",
                hint="copy the tokenizer's files again",
            ) from None

    def decode_text(self, ids: Sequence[int]) -> str:
        """Return the text of token ids, without [CLS], [SEP] and PAD."""
        return self.decode([id_ for id_ in ids if id_ not in self._cls_sep_pad_ids])

    def tokenize(self, records: Sequence[TextRecord], *, ids_only: bool = False) -> list[Tokenized]:
        """Tokenize texts.

        Args:
            records: The texts.
            ids_only: Leave out tokens, words and offsets, and token_type_ids if there is no sentence B, to save memory.

        Returns:
            For each text its tokens. A LongText if it is too long and windows are read. A FailedText if it has no
            tokens, or too many of them; if the tokenizer fails on it; or if the model has no embedding for a token.
        """
        prefixes = [self.prepare(record, PIECE_CHARACTERS) for record in records]
        with self._tokenizing:
            encodings = self._encode_batch(prefixes)
            found = (self._finish(*parts) for parts in zip(records, prefixes, encodings, strict=True))
            return [_ids_only(text) for text in found] if ids_only else list(found)

    def tokenize_window(self, window: Window, *, ids_only: bool = False) -> Iterator[Tokenized]:
        """Yield the texts of a window tokenized, in order, as tokenize does. Failed texts are passed through."""
        records = [text for text in window if not isinstance(text, FailedText)]
        tokenized = iter(self.tokenize(records, ids_only=ids_only))
        for text in window:
            yield text if isinstance(text, FailedText) else next(tokenized)

    def prepare(self, record: TextRecord, characters: int | None = None) -> TextInput:
        """Return the input of the tokenizer for a record: all of it, or the given number of characters of each part.

        The prompt comes before the text, and its characters are not counted.
        """
        text = self.prompt + self._with_mask_token(record.text, characters)
        return text if record.pair is None else (text, self._with_mask_token(record.pair, characters))

    def _with_mask_token(self, text: str, characters: int | None) -> str:
        """Replace [MASK] by the checkpoint's own mask token, then cut the text to the given number of characters."""
        return text.replace(MASK, self.special_tokens.mask)[:characters]

    def _encode_batch(self, inputs: Sequence[TextInput]) -> Sequence[Encoding | None]:
        """Encode texts together. None is returned if that fails, for a text that may be the reason."""
        with suppress(TokenizerError), catch_tokenizer_errors():
            return self._tokenizer.encode_batch(inputs)
        return [None] * len(inputs)

    def encode_together(self, texts: Sequence[TextInput], *, add_special_tokens: bool = True) -> Sequence[Encoding]:
        """Encode texts without the places of their tokens, which is faster. Raises TokenizerError."""
        encode = getattr(self._tokenizer, "encode_batch_fast", None) or self._tokenizer.encode_batch
        with catch_tokenizer_errors():
            return encode(texts, add_special_tokens=add_special_tokens)

    def encode(self, text: TextInput) -> Encoding:
        """Encode a text or a pair with special tokens. Raises TokenizerError."""
        with catch_tokenizer_errors():
            return self._tokenizer.encode_batch([text])[0]

    def encode_bare(self, text: str) -> Encoding:
        """Encode a text without special tokens. Raises TokenizerError, and BadCheckpoint as encode_text does."""
        with catch_tokenizer_errors():
            encoding = self._tokenizer.encode(text, add_special_tokens=False)
        self.checked_ids(encoding.ids)
        return encoding

    def _finish(self, record: TextRecord, prefix: TextInput, encoding: Encoding | None) -> Tokenized:
        """Finish one text.

        Args:
            prefix: The beginning of the text, or all of it if it is short.
            encoding: The encoding of the prefix. None if it was encoded together with other texts, and one of them
                failed.
        """
        try:
            return self._checked(record, prefix, self.encode(prefix) if encoding is None else encoding)
        except TokenizerError as error:
            return record.failed(text_failure(error))
        except BadCheckpoint as error:  # an id without an embedding
            return record.failed(error)

    def _checked(self, record: TextRecord, prefix: TextInput, encoding: Encoding) -> Tokenized:
        whole = self.prepare(record)
        certain = min_tokens(_parts(prefix), _parts(whole), encoding)
        if any(count <= self.limit for count in certain):
            characters = sum(map(len, _parts(whole)))
            if characters > MAX_CHARACTERS and self._reads_windows:
                return LongText(record)
            if characters > MAX_CHARACTERS:
                message = f"the text has {characters:,} characters, and the limit is {MAX_CHARACTERS:,}"
                return record.failed(BadText(message, hint="split it into shorter texts"))
            prefix, encoding = whole, self.encode(whole)
        if len(encoding) <= self.limit:
            if self._has_own_tokens(record, encoding):
                return self._tokenized(record, encoding)
            problem = no_tokens()
        elif self._reads_windows:
            return LongText(record)
        elif self._truncate and self.limit <= self._special_token_count(record):
            problem = BadText(
                f"a limit of {self.limit} tokens leaves no room for words beside the special tokens",
                hint="raise --max-length",
            )
        elif self._truncate:
            return self._cut(record, prefix, whole)
        else:
            count = f"{len(encoding):,}" if prefix == whole else f"more than {sum(certain):,}"
            hint = "cut it with --long truncate"
            hint += ", or read all of it with --long windows" if self.offers_windows else ""
            problem = BadText(f"the text has {count} tokens, and the limit is {self.limit:,}", hint=hint)
        return record.failed(problem)

    def limit_hint(self, hint: str) -> str:
        """Return a hint for a text that is too long, with --max-length if it can be raised."""
        return f"{hint}, or raise --max-length" if self.limit < self._config.max_tokens else hint

    def _has_own_tokens(self, record: TextRecord, encoding: Encoding) -> bool:
        """Return True if a text has tokens beside the special tokens and those of the prompt."""
        special = self._special_token_count(record)
        if not self.prompt or len(encoding) <= special or len(encoding) > special + self.prompt_token_count:
            return len(encoding) > special
        return any(self.encode_bare(part).ids for part in (record.text, record.pair or ""))

    def _special_token_count(self, record: TextRecord) -> int:
        return int(self._tokenizer.num_special_tokens_to_add(record.pair is not None))

    def _cut(self, record: TextRecord, prefix: TextInput, whole: TextInput) -> TokenizedText | FailedText:
        """Truncate a text to the limit. Its prefix must have more tokens than that."""
        self._tokenizer.enable_truncation(self.limit)
        try:
            encoding = self.encode(prefix)
        finally:
            self._tokenizer.no_truncation()
        masks = sum(part.count(self.special_tokens.mask) for part in _parts(whole))
        kept = encoding.ids.count(self.mask_token_id) if self.mask_token_id is not None else 0
        return self._tokenized(record, encoding, truncated=True, truncated_masks=masks - kept)

    def _tokenized(
        self, record: TextRecord, encoding: Encoding, *, truncated: bool = False, truncated_masks: int = 0
    ) -> TokenizedText | FailedText:
        token_types = self._config.type_vocab_size
        type_ids = tuple(encoding.type_ids) if token_types else ()
        if type_ids and max(type_ids) >= token_types:
            return record.failed(no_sentence_b(token_types))
        ids = tuple(self.checked_ids(encoding.ids))
        tokens, offsets, unknown = tuple(map(self.token, ids)), tuple(encoding.offsets), ids.count(self.unk_token_id)
        return TokenizedText(
            record, ids, type_ids, tokens, truncated, truncated_masks, word_places(encoding), offsets, unknown
        )

    def checked_ids(self, ids: list[int]) -> list[int]:
        """Return the ids.

        Raises:
            BadCheckpoint: The model has no embedding for one of them.
        """
        if ids and max(ids) >= self._config.vocab_size:
            raise BadCheckpoint(
                f"the tokenizer has a token of id {max(ids):,}, "
                f"but the model has embeddings for {self._config.vocab_size:,}",
                hint="tokenizer and weights come from different models; copy both again from the same place",
            )
        return ids


def _ids_only(text: Tokenized) -> Tokenized:
    """Keep only what a batch needs: many texts of a corpus are in memory at once."""
    if not isinstance(text, TokenizedText):
        return text
    types = () if text.record.pair is None else text.token_type_ids
    return replace(text, input_ids=array("i", text.input_ids), token_type_ids=types, tokens=(), words=(), offsets=())


def _parts(text: TextInput) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else text
