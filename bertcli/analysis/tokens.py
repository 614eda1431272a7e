"""Tokens of a text: their ids, segments and places, from the tokenizer alone."""

from bertcli.model.places import token_places
from bertcli.model.text_info import text_info
from bertcli.model.tokenizer import TextTokenizer, TokenizedText
from bertcli.results.tokens import Token, TokensRecord


def describe_tokens(text: TokenizedText, tokenizer: TextTokenizer) -> TokensRecord:
    """Return a text with its tokens.

    Args:
        text: The text, not a window of a longer one.
        tokenizer: The tokenizer that made the text.
    """
    segments = text.token_type_ids or [None] * len(text)
    places = token_places(text, tokenizer)
    tokens: list[Token] = []
    for position, (id_, segment, word, place) in enumerate(
        zip(text.input_ids, segments, text.words, places, strict=True)
    ):
        start, end = (None, None) if place is None or place.span is None else place.span
        tokens.append(
            Token(
                position,
                text.tokens[position],
                id_,
                segment,
                start,
                end,
                word[1] if word is not None and place is not None else None,
                is_special=place is None,
                is_unknown=id_ == tokenizer.unk_token_id,
            )
        )
    return TokensRecord(text_info(text), tokens)
