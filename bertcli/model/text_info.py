"""Descriptions of tokenized texts for records."""

from bertcli.model.document_reader import window_info
from bertcli.model.places import Span, Utf16Places, token_spans, with_marks, without_spaces
from bertcli.model.tokenizer import TextTokenizer, TokenizedText
from bertcli.results.texts import TextInfo


def text_info(text: TokenizedText) -> TextInfo:
    """Return what a record reports about its text, or about its window of a text."""
    if text.window is not None:
        return window_info(text, text.window)
    record = text.record
    return TextInfo(
        record.index,
        record.line,
        record.text,
        record.pair,
        text.tokens,
        text.input_ids,
        text.token_type_ids,
        text.truncated,
        record.id,
        record.file,
        unknown=text.unknown,
        group=record.group,
    )


def utf16_spans(text: TokenizedText, tokenizer: TextTokenizer) -> list[Span | None]:
    """Return where each token starts and ends in its sentence, in UTF-16 units, as JavaScript counts.

    Args:
        text: The text, or a window of it.
        tokenizer: The tokenizer that made the text.

    Returns:
        Places in `text` or `pair` of text_info. They have no spaces at their ends, and they include the accents that
        the tokenizer removed. Tokens that are bytes of one character share its place. None for special tokens, those of
        a prompt, and all tokens if the tokenizer does not report places.
    """
    spans = token_spans(text, tokenizer) if text.window is None else text.window.spans
    found: list[Span | None] = [None] * len(text)
    if not spans:
        return found
    info = text_info(text)
    for sentence, written in enumerate((info.text, info.pair or "")):
        own = [
            (at, without_spaces(written, span))
            for at, (span, word) in enumerate(zip(spans, text.words, strict=True))
            if span is not None and word is not None and word[0] == sentence
        ]
        places = Utf16Places(written)
        with_accents = with_marks(written, [span for _, span in own])
        for (at, _), span in zip(own, with_accents, strict=True):
            found[at] = None if span is None else places.span(span)
    return found
