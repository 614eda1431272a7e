"""Descriptions of tokenized texts for records."""

from bertcli.model.document_reader import window_info
from bertcli.model.tokenizer import TokenizedText
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
