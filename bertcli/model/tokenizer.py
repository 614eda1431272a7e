"""From text to token ids, with the checkpoint's own tokenizer, and back."""

from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from tokenizers import AddedToken, Encoding, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

from bertcli.checkpoints.architectures import SpecialTokens
from bertcli.checkpoints.config import ModelConfig
from bertcli.checkpoints.find import Checkpoint
from bertcli.checkpoints.tokenizer_files import TokenizerFiles, find_tokenizer_files
from bertcli.errors import BadCheckpoint, BadText, WrongUsage
from bertcli.input.records import FailedText, TextRecord, Window

TextInput = str | tuple[str, str]
# How people write a mask, whatever the checkpoint calls it.
MASK = "[MASK]"
# A longer text is measured by its beginning first: ten million characters take ten seconds to tokenise, and all that
# would come of it is that they are too many.
_MEASURED_CHARACTERS = 50_000
# So near to the end of such a beginning a word may be cut in two and be spelt otherwise than in the whole. A word of
# more than 100 characters is one [UNK] whatever follows, and twice that leaves room for accents written apart.
_UNCERTAIN_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class TokenizedText:
    """One text as the model sees it, special tokens included.

    token_type_ids: none where the architecture has no token types. masks_cut: how many of its masks a truncation has
    removed. words: of which sentence and word each token is a piece, None for those that the tokenizer has added.
    """

    record: TextRecord
    input_ids: Sequence[int]
    token_type_ids: tuple[int, ...]
    tokens: tuple[str, ...]
    truncated: bool = False
    masks_cut: int = 0
    words: tuple[tuple[int, int] | None, ...] = ()

    def __len__(self) -> int:
        return len(self.input_ids)


class TextTokenizer:
    """A checkpoint's tokenizer. limit: the most tokens that a text may have. truncate: cut what is longer."""

    def __init__(
        self, tokenizer: Tokenizer, special_tokens: SpecialTokens, config: ModelConfig, limit: int, truncate: bool
    ) -> None:
        self._tokenizer, self.special_tokens, self._config = tokenizer, special_tokens, config
        self._limit, self._truncate = limit, truncate
        tokenizer.no_truncation()
        tokenizer.no_padding()
        self.pad_token_id = tokenizer.token_to_id(special_tokens.pad) or 0
        self.mask_token_id = tokenizer.token_to_id(special_tokens.mask)
        self.cls_token_id = tokenizer.token_to_id(special_tokens.cls)
        self.sep_token_id = tokenizer.token_to_id(special_tokens.sep)
        # Encoding.tokens has the space before a mask, and the text itself where a token stands for it as unknown.
        self._token = cache(lambda id_: tokenizer.id_to_token(id_) or "")
        self._surface = cache(lambda id_: self.decode([id_]).strip())
        self._layout_ids = {self.cls_token_id, self.sep_token_id, tokenizer.token_to_id(special_tokens.pad)}

    @property
    def limit(self) -> int:
        """The most tokens that a text may have."""
        return self._limit

    @property
    def vocabulary_size(self) -> int:
        """How many tokens there are, added ones included."""
        return int(self._tokenizer.get_vocab_size())

    def token_id(self, token: str) -> int | None:
        """The id of a token as the vocabulary spells it."""
        id_ = self._tokenizer.token_to_id(token)
        return None if id_ is None else self._embedded([id_])[0]

    def token(self, id_: int) -> str:
        """The token of an id, as the vocabulary spells it; empty for a row of the embeddings that has none."""
        return self._token(id_)

    def surface(self, id_: int) -> str:
        """What a token stands for in a text, without the mark that some vocabularies put before a word."""
        return self._surface(id_)

    def vocabulary(self) -> Mapping[str, int]:
        """Every token with its id."""
        return dict(self._tokenizer.get_vocab())

    def is_layout(self, id_: int) -> bool:
        """Whether a token is [CLS], [SEP] or PAD."""
        return id_ in self._layout_ids

    def pieces(self, text: str) -> list[int]:
        """The ids of a text without special tokens."""
        return self._embedded(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def word_pieces(self, word: str) -> list[int]:
        """The ids of a word in the middle of a text, or the one id of a token as the vocabulary spells it."""
        # Some vocabularies have a word with the space before it, and without it a piece of another; the others do not
        # mind the space.
        pieces = self.pieces(f" {word}")
        if [self.surface(id_) for id_ in pieces] == [word] or (id_ := self.token_id(word)) is None:
            return pieces
        return [id_]

    def decode(self, ids: Sequence[int]) -> str:
        """The text of token ids, with every special token left standing."""
        return str(self._tokenizer.decode(list(ids), skip_special_tokens=False))

    def decode_text(self, ids: Sequence[int]) -> str:
        """The text of token ids without [CLS], [SEP] and PAD."""
        return self.decode([id_ for id_ in ids if id_ not in self._layout_ids])

    def tokenize(self, records: Sequence[TextRecord], *, tokens_only: bool = False) -> list[TokenizedText | FailedText]:
        """Each text tokenised, or what is wrong with it: no token, or more than the limit where nothing is cut.

        tokens_only: without tokens and words, and without token_type_ids where there is no sentence B.
        """
        beginnings = [self._input(record, _MEASURED_CHARACTERS) for record in records]
        encodings = self._tokenizer.encode_batch(beginnings)
        found = (self._checked(*parts) for parts in zip(records, beginnings, encodings, strict=True))
        return [_tokens_only(text) for text in found] if tokens_only else list(found)

    def tokenize_window(self, window: Window, *, tokens_only: bool = False) -> Iterator[TokenizedText | FailedText]:
        """Its texts tokenised, in their order among those that already have no answer. tokens_only: as in tokenize."""
        tokenized = iter(
            self.tokenize([text for text in window if not isinstance(text, FailedText)], tokens_only=tokens_only)
        )
        for text in window:
            yield text if isinstance(text, FailedText) else next(tokenized)

    def _input(self, record: TextRecord, characters: int | None = None) -> TextInput:
        text = self._spelt(record.text, characters)
        return text if record.pair is None else (text, self._spelt(record.pair, characters))

    def _spelt(self, text: str, characters: int | None) -> str:
        """The text, or so many characters of it, with the checkpoint's own mask."""
        return text.replace(MASK, self.special_tokens.mask)[:characters]

    def _checked(self, record: TextRecord, given: TextInput, encoding: Encoding) -> TokenizedText | FailedText:
        whole = self._input(record)
        certain = _certain_tokens(given, whole, encoding)
        if any(count <= self._limit for count in certain):
            given, encoding = whole, self._tokenizer.encode_batch([whole])[0]
        if len(encoding) <= self._limit:
            if len(encoding) > self._special_token_count(record):
                return self._tokenized(record, encoding)
            problem = BadText("the text has no tokens: nothing in it can be seen", hint="skip it with --on-error skip")
        elif self._truncate and self._limit <= self._special_token_count(record):
            problem = BadText(
                f"a limit of {self._limit} tokens leaves no room for words beside the special tokens",
                hint="raise --max-length",
            )
        elif self._truncate:
            return self._cut(record, given, whole)
        else:
            problem = BadText(
                f"the text has {f'{len(encoding):,}' if given == whole else f'more than {sum(certain):,}'} tokens, "
                f"and the limit is {self._limit:,}",
                hint="cut it with --truncate, or split it into shorter texts",
            )
        return record.failed(problem)

    def _special_token_count(self, record: TextRecord) -> int:
        return int(self._tokenizer.num_special_tokens_to_add(record.pair is not None))

    def _cut(self, record: TextRecord, given: TextInput, whole: TextInput) -> TokenizedText | FailedText:
        self._tokenizer.enable_truncation(self._limit)
        encoding = self._tokenizer.encode_batch([given])[0]
        self._tokenizer.no_truncation()
        masks = sum(part.count(self.special_tokens.mask) for part in _parts(whole))
        kept = encoding.ids.count(self.mask_token_id) if self.mask_token_id is not None else 0
        return self._tokenized(record, encoding, truncated=True, masks_cut=masks - kept)

    def _tokenized(
        self, record: TextRecord, encoding: Encoding, *, truncated: bool = False, masks_cut: int = 0
    ) -> TokenizedText | FailedText:
        token_types = self._config.type_vocab_size
        type_ids = tuple(encoding.type_ids) if token_types else ()
        if type_ids and max(type_ids) >= token_types:
            problem = BadText(f"the model has no sentence B: its type_vocab_size is {token_types}", hint="leave B out")
            return record.failed(problem)
        ids = tuple(self._embedded(encoding.ids))
        tokens = tuple(map(self.token, ids))
        return TokenizedText(record, ids, type_ids, tokens, truncated, masks_cut, _words(encoding))

    def _embedded(self, ids: list[int]) -> list[int]:
        """The ids. Raises BadCheckpoint for one that the model has no embedding for."""
        if ids and max(ids) >= self._config.vocab_size:
            raise BadCheckpoint(
                f"the tokenizer has a token of id {max(ids):,}, "
                f"but the model has embeddings for {self._config.vocab_size:,}",
                hint="tokenizer and weights come from different models; copy both again from the same place",
            )
        return ids


def _words(encoding: Encoding) -> tuple[tuple[int, int] | None, ...]:
    places = zip(encoding.sequence_ids, encoding.word_ids, strict=True)
    return tuple(None if sentence is None or word is None else _word(sentence, word) for sentence, word in places)


@cache
def _word(sentence: int, word: int) -> tuple[int, int]:
    # The same few come in every text, and of a corpus many texts are in memory together.
    return sentence, word


def _tokens_only(text: TokenizedText | FailedText) -> TokenizedText | FailedText:
    """As little of a text as a batch can be made of: of a corpus many are in memory together."""
    if isinstance(text, FailedText):
        return text
    types = () if text.record.pair is None else text.token_type_ids
    return TokenizedText(text.record, array("i", text.input_ids), types, (), text.truncated, text.masks_cut)


def _parts(text: TextInput) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else text


def _certain_tokens(given: TextInput, whole: TextInput, encoding: Encoding) -> list[int]:
    """Of each part of which a beginning alone was given, how many tokens the whole begins with in any case."""
    if given == whole:
        return []
    ends = [
        len(beginning) - _UNCERTAIN_CHARACTERS if beginning != part else None
        for beginning, part in zip(_parts(given), _parts(whole), strict=True)
    ]
    places = list(zip(encoding.sequence_ids, encoding.offsets, strict=True))
    return [
        sum(sequence == at and end <= certain_end for at, (_, end) in places)
        for sequence, certain_end in enumerate(ends)
        if certain_end is not None
    ]


def open_tokenizer(
    checkpoint: Checkpoint, config: ModelConfig, max_length: int | None, truncate: bool
) -> TextTokenizer:
    """The checkpoint's tokenizer, held to the model's positions and to max_length. Raises BadCheckpoint, WrongUsage."""
    limit = config.max_tokens
    if max_length is not None and max_length > limit:
        raise WrongUsage(
            f"--max-length {max_length:,} is beyond the {limit:,} positions of {checkpoint.name}",
            hint=f"use --max-length {limit} or less",
        )
    architecture = config.architecture
    files = find_tokenizer_files(checkpoint.folder, architecture.special_tokens, architecture.vocabulary)
    tokenizer = TextTokenizer(load_tokenizer(files), files.special_tokens, config, max_length or limit, truncate)
    if tokenizer.vocabulary_size > config.vocab_size:
        raise BadCheckpoint(
            f"the tokenizer in {checkpoint.folder} has {tokenizer.vocabulary_size:,} tokens, "
            f"but the model has embeddings for {config.vocab_size:,}",
            hint="tokenizer and weights come from different models; copy both again from the same place",
        )
    return tokenizer


def load_tokenizer(files: TokenizerFiles) -> Tokenizer:
    """The tokenizer that the files describe. Raises BadCheckpoint where they are damaged."""
    if files.needs_transformers:
        from bertcli.model.transformers_engine import tokenizer_of

        return tokenizer_of(files.file.parent)
    try:
        return _from_vocabulary(files) if files.is_wordpieces else _from_tokenizer_json(files)
    except Exception as error:  # the package raises nothing narrower
        raise BadCheckpoint(
            f"{files.file} is not a tokenizer: {error}", hint="copy the tokenizer's files again"
        ) from None


def _from_tokenizer_json(files: TokenizerFiles) -> Tokenizer:
    tokenizer = Tokenizer.from_file(str(files.file))
    normalizer = tokenizer.normalizer
    if isinstance(normalizer, normalizers.BertNormalizer):
        # tokenizer_config.json has the last word, as in transformers; where it is silent the file's own word stands.
        if files.do_lower_case is not None:
            normalizer.lowercase = files.do_lower_case
        if files.strip_accents is not None:
            normalizer.strip_accents = files.strip_accents
        if files.tokenize_chinese_chars is not None:
            normalizer.handle_chinese_chars = files.tokenize_chinese_chars
    return tokenizer


def _from_vocabulary(files: TokenizerFiles) -> Tokenizer:
    """BERT's own tokenizer around a list of word pieces, with transformers' defaults for what no setting says."""
    special = files.special_tokens
    tokenizer = Tokenizer(models.WordPiece.from_file(str(files.file), unk_token=special.unk))
    ids = {token: tokenizer.token_to_id(token) for token in (special.cls, special.sep)}
    for token, id_ in ids.items():
        if id_ is None:
            raise ValueError(f"{token} is not in the vocabulary")
    tokenizer.normalizer = normalizers.BertNormalizer(
        clean_text=True,
        handle_chinese_chars=files.tokenize_chinese_chars is not False,
        strip_accents=files.strip_accents,
        lowercase=files.do_lower_case is not False,
    )
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece(prefix="##")
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{special.cls}:0 $A:0 {special.sep}:0",
        pair=f"{special.cls}:0 $A:0 {special.sep}:0 $B:1 {special.sep}:1",
        special_tokens=list(ids.items()),
    )
    present = [token for token in _each(special) if tokenizer.token_to_id(token) is not None]
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in present])
    return tokenizer


def _each(special: SpecialTokens) -> tuple[str, ...]:
    return special.unk, special.sep, special.pad, special.cls, special.mask
