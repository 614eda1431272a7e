"""Tokenizers that only transformers can load: vocabularies that it converts, and tokenizers written in Python."""

import logging
import re
from collections.abc import Sequence
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

import transformers
from tokenizers import Tokenizer
from transformers.tokenization_python import PythonBackend
from transformers.utils import logging as transformers_logging

from bertcli.errors import BadCheckpoint, BertcliError, MissingPackage, message_of
from bertcli.lazy_dataclass import dataclass
from bertcli.model.tokenizer_errors import TokenizerError, catch_tokenizer_errors

# transformers logs every load to stderr and draws progress bars there. bertcli itself reports what a user needs.
transformers_logging.set_verbosity(logging.CRITICAL)
transformers_logging.disable_progress_bar()

# Packages that tokenizers of transformers import, as its errors spell them.
_PACKAGES = re.compile(
    r"\b(emoji|fugashi|ipadic|protobuf|pythainlp|rhoknp|rjieba|sacremoses|sentencepiece|sudachipy|tiktoken|unidic_lite|unidic)\b",
    re.IGNORECASE,
)
# Marks of pieces that continue a word (BERT), and of pieces that a word continues after (BPE).
_CONTINUES, _CONTINUED, _ENDS = "##", "@@", "</w>"


def load_slow_tokenizer(folder: Path) -> Tokenizer:
    """Have transformers load the tokenizer of a folder that has no tokenizer.json.

    Raises:
        BadCheckpoint: transformers cannot load it.
        MissingPackage: It needs a package that is not installed.
    """
    try:
        with catch_tokenizer_errors():
            # False is not the default: transformers would ask on the terminal before it runs code of the folder.
            tokenizer = transformers.AutoTokenizer.from_pretrained(
                folder, local_files_only=True, trust_remote_code=False
            )
            if isinstance(tokenizer, PythonBackend):
                return cast(Tokenizer, PythonTokenizer(tokenizer))
            return cast(Tokenizer, tokenizer.backend_tokenizer)
    except Exception as error:  # each kind of vocabulary raises errors of its own
        raise _loading_error(folder, error) from None


def _loading_error(folder: Path, error: Exception) -> BertcliError:
    why = message_of(error)
    name = _missing_package(error, why)
    if name is not None:
        return MissingPackage.of(f"the tokenizer in {folder}", name)
    return BadCheckpoint(
        f"{folder} has no tokenizer.json, and transformers cannot load its vocabulary: {why}",
        hint="copy the tokenizer's files again, or save the tokenizer as tokenizer.json",
    )


def _missing_package(error: Exception, why: str) -> str | None:
    """Return the package that is not installed, if that is the reason of an error of transformers, or None."""
    # transformers tries tiktoken last, whatever was wrong before. No encoder needs it.
    named = [found.lower().replace("tiktoken", "sentencepiece") for found in _PACKAGES.findall(why)]
    if isinstance(error, ModuleNotFoundError) and error.name:
        named.append(error.name.partition(".")[0])
    if "Unrecognized configuration class" in why:  # transformers registers some classes only with this package
        named.append("sentencepiece")
    return next((name for name in named if find_spec(name) is None), None)


@dataclass(frozen=True, slots=True)
class PythonEncoding:
    """The tokens of one text, with the attributes of tokenizers.Encoding that bertcli reads.

    A tokenizer written in Python does not report places in the text, so each token has those of the whole text.
    """

    ids: list[int]
    type_ids: list[int]
    sequence_ids: list[int | None]
    word_ids: list[int | None]
    offsets: list[tuple[int, int]]

    def __len__(self) -> int:
        return len(self.ids)


class PythonTokenizer:
    """A tokenizer of transformers written in Python, with the methods of tokenizers.Tokenizer that bertcli calls."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._limit: int | None = None

    def no_padding(self) -> None:
        """Do nothing: this class never pads."""

    def no_truncation(self) -> None:
        """Return all tokens of a text."""
        self._limit = None

    def enable_truncation(self, max_length: int) -> None:
        """Return up to max_length tokens of a text, special tokens included."""
        self._limit = max_length

    def num_special_tokens_to_add(self, is_pair: bool) -> int:
        """Return the number of special tokens that are added to a text or a pair."""
        return int(self._tokenizer.num_special_tokens_to_add(is_pair))

    @cached_property
    def _vocabulary(self) -> dict[str, int]:
        return dict(self._tokenizer.get_vocab())

    @cached_property
    def _tokens(self) -> dict[int, str]:
        return {id_: token for token, id_ in self._vocabulary.items()}

    def get_vocab(self) -> dict[str, int]:
        """Return every token with its id."""
        return self._vocabulary

    def get_vocab_size(self) -> int:
        """Return the number of tokens, added tokens included."""
        return len(self._vocabulary)

    def token_to_id(self, token: str) -> int | None:
        """Return the id of a token, or None."""
        return self._vocabulary.get(token)

    def id_to_token(self, id_: int) -> str | None:
        """Return the token of an id, or None."""
        return self._tokens.get(id_)

    def decode(self, ids: Sequence[int], skip_special_tokens: bool = True) -> str:
        """Return the text of token ids. Raises TokenizerError."""
        try:
            return str(self._tokenizer.decode(list(ids), skip_special_tokens=skip_special_tokens))
        except Exception as error:  # each tokenizer raises errors of its own
            raise TokenizerError(message_of(error)) from None

    def encode(self, text: str, add_special_tokens: bool = True) -> PythonEncoding:
        """Encode one text. Raises TokenizerError."""
        return self._encode((text,), add_special_tokens)

    def encode_batch(
        self, texts: Sequence[str | tuple[str, str]], add_special_tokens: bool = True
    ) -> list[PythonEncoding]:
        """Encode texts and pairs. Raises TokenizerError."""
        return [self._encode((text,) if isinstance(text, str) else text, add_special_tokens) for text in texts]

    def _encode(self, parts: tuple[str, ...], add_special_tokens: bool) -> PythonEncoding:
        try:
            tokens = [self._tokenizer.tokenize(part) for part in parts]
            if add_special_tokens and self._limit is not None:
                _truncate(tokens, self._limit - self.num_special_tokens_to_add(len(parts) == 2))
            ids = [self._tokenizer.convert_tokens_to_ids(each) for each in tokens]
            # Numbers that are no ids show where the special tokens go.
            places = [[-(part + 1)] * len(each) for part, each in enumerate(ids)]
            if add_special_tokens:
                all_ids = self._tokenizer.build_inputs_with_special_tokens(*ids)
                type_ids = self._tokenizer.create_token_type_ids_from_sequences(*ids)
                sequences = [
                    -place - 1 if place < 0 else None
                    for place in self._tokenizer.build_inputs_with_special_tokens(*places)
                ]
            else:
                all_ids, type_ids, sequences = ids[0], [0] * len(ids[0]), [0] * len(ids[0])
        except Exception as error:  # each tokenizer raises errors of its own
            raise TokenizerError(message_of(error)) from None
        words = [iter(_words(each)) for each in tokens]
        return PythonEncoding(
            list(all_ids),
            list(type_ids),
            sequences,
            [None if sequence is None else next(words[sequence]) for sequence in sequences],
            [(0, 0) if sequence is None else (0, len(parts[sequence])) for sequence in sequences],
        )


def _truncate(parts: list[list[str]], room: int) -> None:
    """Remove tokens from the end of the longest part until all of them fit."""
    while sum(map(len, parts)) > room:
        max(reversed(parts), key=len).pop()


def _words(tokens: Sequence[str]) -> list[int]:
    """Return the word of each token, by the marks of pieces. Without marks, each token is a word."""
    words: list[int] = []
    has_ends = any(token.endswith(_ENDS) for token in tokens)
    is_open = False
    for token in tokens:
        continues = bool(words) and (is_open or token.startswith(_CONTINUES))
        words.append((words[-1] if words else -1) + (not continues))
        is_open = not token.endswith(_ENDS) if has_ends else token.endswith(_CONTINUED)
    return words
