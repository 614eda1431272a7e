"""Reader of documents: the tokens of a text that is longer than the limit, and those of its windows."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import replace
from typing import overload

from tokenizers import Encoding

from bertcli.errors import BadCheckpoint, BadText
from bertcli.input.records import FailedText, TextRecord
from bertcli.model.documents import Document, DocumentWindow, Frame, word_places
from bertcli.model.pieces import MAX_CHARACTERS, PIECE_CHARACTERS, TextTokens, encode_in_pieces, no_place_to_divide
from bertcli.model.places import Span, WrittenSentence
from bertcli.model.tokenizer import TextTokenizer, TokenizedText
from bertcli.model.tokenizer_errors import TokenizerError, no_sentence_b, no_tokens, text_failure
from bertcli.results.texts import TextInfo, TokenSpan, WindowPlace

# Tokens that a window shares with the next one, if a window has twice as many.
DEFAULT_OVERLAP = 64


def read_document(tokenizer: TextTokenizer, record: TextRecord) -> Document | FailedText:
    """Tokenize a text that is longer than the limit, without holding its encoding as a whole.

    A prompt is in every window, as it is before every text. The windows of a pair divide sentence B, and sentence A is
    in each of them.

    Returns:
        The document. A FailedText if the tokenizer fails on the text, if the model has no embedding for one of its
        tokens, or if windows have no room for its tokens.
    """
    try:
        return _read(tokenizer, record)
    except TokenizerError as error:
        return record.failed(text_failure(error))
    except (BadCheckpoint, BadText) as error:
        return record.failed(error)


def read_window(tokenizer: TextTokenizer, window: DocumentWindow, *, ids_only: bool = False) -> TokenizedText:
    """Return the tokens of a window.

    Args:
        tokenizer: The tokenizer that has read the document.
        window: The window.
        ids_only: As for TextTokenizer.tokenize.
    """
    document, part = window.document, slice(window.start, window.end)
    ids = array("i", document.before.ids) + document.ids[part] + array("i", document.after.ids)
    type_ids, unknown = document.type_ids_of(window.end - window.start), _count_unknown(tokenizer, ids)
    if ids_only:
        types = () if document.record.pair is None else type_ids
        return TokenizedText(document.record, ids, types, (), window=window, unknown=unknown)
    sentence = 0 if document.record.pair is None else 1
    inner = ((sentence, word) for word in document.words[part])
    words = (*document.before.words, *inner, *document.after.words)
    tokens = tuple(map(tokenizer.token, ids))
    return TokenizedText(document.record, tuple(ids), type_ids, tokens, words=words, window=window, unknown=unknown)


def window_info(text: TokenizedText, window: DocumentWindow) -> TextInfo:
    """Return what a record reports about a window: its part of the text, and its place."""
    record, characters = text.record, window.characters
    written, pair = record.text, record.pair
    start, end = (None, None) if characters is None else characters
    if characters is not None and pair is not None:
        pair = pair[start:end]
    elif characters is not None:
        written = written[start:end]
    return TextInfo(
        record.index,
        record.line,
        written,
        pair,
        text.tokens,
        text.input_ids,
        text.token_type_ids,
        False,
        record.id,
        record.file,
        [TokenSpan(window.start, window.end)],
        WindowPlace(window.number, start, end),
        text.unknown,
        record.group,
    )


def document_info(tokenizer: TextTokenizer, document: Document, windows: Sequence[TokenSpan]) -> TextInfo:
    """Return what a record reports about a document: all of its tokens, as if it had fitted, and its windows."""
    record, ids = document.record, document.input_ids
    return TextInfo(
        record.index,
        record.line,
        record.text,
        record.pair,
        TokenSpellings(tokenizer, ids),
        ids,
        document.token_type_ids,
        False,
        record.id,
        record.file,
        windows,
        unknown=document.unknown,
        group=record.group,
    )


class TokenSpellings(Sequence[str]):
    """The spellings of tokens, looked up when they are needed."""

    def __init__(self, tokenizer: TextTokenizer, ids: Sequence[int]) -> None:
        self._tokenizer, self._ids = tokenizer, ids

    def __len__(self) -> int:
        return len(self._ids)

    @overload
    def __getitem__(self, position: int) -> str: ...

    @overload
    def __getitem__(self, position: slice) -> Sequence[str]: ...

    def __getitem__(self, position: int | slice) -> str | Sequence[str]:
        if isinstance(position, slice):
            return [self._tokenizer.token(id_) for id_ in self._ids[position]]
        return self._tokenizer.token(self._ids[position])


def default_overlap(window_size: int) -> int:
    """Return the number of tokens that a window shares with the next one if the user does not set it."""
    return min(DEFAULT_OVERLAP, window_size // 2)


def _read(tokenizer: TextTokenizer, record: TextRecord) -> Document:
    parts = _parts(tokenizer, record)
    *others, divided = parts
    if any(len(other) > MAX_CHARACTERS for other in others):
        raise BadText(
            f"sentence A has {len(others[0]):,} characters, and the limit is {MAX_CHARACTERS:,}",
            hint="use a shorter sentence A",
        )
    tokens = encode_in_pieces(tokenizer.encode_bare, divided)
    if tokens is None:
        raise no_place_to_divide()
    # The beginning of the text shows which tokens are around it.
    first = tokens.starts[0] if tokenizer.has_offsets and tokens.ids else 0
    head = _head(divided[first:] if first >= PIECE_CHARACTERS else divided)
    encoding = tokenizer.encode((others[0], head) if others else head)
    sequences = encoding.sequence_ids
    inner = [at for at, sequence in enumerate(sequences) if sequence == len(parts) - 1]
    if not inner or not tokens.ids:
        raise no_tokens()
    prompt_tokens = 0 if record.pair is not None else _shared_beginning(tokenizer, tokens.ids)
    before = _frame(encoding, 0, inner[0] + prompt_tokens)
    if others and tokenizer.has_offsets:
        before = replace(before, spans=_sentence_a_spans(tokenizer, record, encoding)[: len(before)])
    after = _frame(encoding, inner[-1] + 1, len(encoding))
    has_types = tokenizer.type_vocab_size
    if has_types and max(encoding.type_ids) >= has_types:
        raise no_sentence_b(has_types)
    size = tokenizer.limit - len(before) - len(after)
    tokens.drop(prompt_tokens)
    return Document(
        record,
        before,
        after,
        tokens.ids,
        tokens.words,
        *_places(tokenizer, record, tokens),
        type_id=encoding.type_ids[inner[0]] if has_types else None,
        window_size=size,
        overlap=_overlap(tokenizer, record, size, len(before)),
        unknown=sum(_count_unknown(tokenizer, ids) for ids in (before.ids, tokens.ids, after.ids)),
    )


def _count_unknown(tokenizer: TextTokenizer, ids: Sequence[int]) -> int:
    return 0 if tokenizer.unk_token_id is None else ids.count(tokenizer.unk_token_id)


def _parts(tokenizer: TextTokenizer, record: TextRecord) -> tuple[str, ...]:
    prepared = tokenizer.prepare(record)
    return (prepared,) if isinstance(prepared, str) else prepared


def _head(part: str) -> str:
    head = part[:PIECE_CHARACTERS]
    return part.lstrip()[:PIECE_CHARACTERS] if head.isspace() else head


def _frame(encoding: Encoding, start: int, end: int) -> Frame:
    part = slice(start, end)
    return Frame(tuple(encoding.ids[part]), tuple(encoding.type_ids[part]), word_places(encoding)[part])


def _sentence_a_spans(tokenizer: TextTokenizer, record: TextRecord, encoding: Encoding) -> tuple[Span | None, ...]:
    """Return the place of each token of sentence A in it, as the user wrote it; None for other tokens."""
    sentence = WrittenSentence(record.text, tokenizer.special_tokens.mask, len(tokenizer.prompt))
    places = zip(word_places(encoding), encoding.offsets, strict=True)
    return tuple(
        (sentence.start(start), sentence.end(end)) if word is not None and word[0] == 0 else None
        for word, (start, end) in places
    )


def _shared_beginning(tokenizer: TextTokenizer, ids: Sequence[int]) -> int:
    """Return how many of the first tokens of a text are those of the prompt."""
    if not tokenizer.prompt:
        return 0
    prompt = tokenizer.encode_bare(tokenizer.prompt).ids
    # The last token of a prompt may be another one together with the text: some tokens begin with a space.
    differing = (at for at, (one, other) in enumerate(zip(prompt, ids, strict=False)) if one != other)
    return next(differing, min(len(prompt), len(ids) - 1))


def _overlap(tokenizer: TextTokenizer, record: TextRecord, size: int, before: int) -> int:
    """Return the overlap of windows with room for `size` tokens of a document.

    Raises:
        BadText: There is no room, or the overlap is not smaller.
    """
    if record.pair is None:
        if size < 1:
            raise BadText(
                f"a limit of {tokenizer.limit} tokens leaves no room for words beside the special tokens",
                hint="raise --max-length",
            )
    elif size < 1:
        raise BadText(
            f"sentence A takes {before:,} tokens of a window, which leaves no room for sentence B: "
            f"the limit is {tokenizer.limit:,}",
            hint="use a shorter sentence A, or cut both with --long truncate",
        )
    if tokenizer.overlap is None:
        return default_overlap(size)
    if tokenizer.overlap >= size:
        raise BadText(
            f"an overlap of {tokenizer.overlap:,} tokens is not smaller than a window, which has room for {size:,} "
            "tokens of this text",
            hint=f"use --overlap {size - 1}" + (" or less" if size > 1 else ""),
        )
    return tokenizer.overlap


def _places(tokenizer: TextTokenizer, record: TextRecord, tokens: TextTokens) -> tuple[array[int], array[int]]:
    """Return the first and last characters of tokens in the text as the user wrote it; nothing if they are unknown."""
    if not tokenizer.has_offsets:
        return array("i"), array("i")
    mask = tokenizer.special_tokens.mask
    if record.pair is None:
        sentence = WrittenSentence(record.text, mask, len(tokenizer.prompt))
    else:
        sentence = WrittenSentence(record.pair, mask)
    if sentence.is_given_as_written:
        return tokens.starts, tokens.ends
    return array("i", map(sentence.start, tokens.starts)), array("i", map(sentence.end, tokens.ends))
