"""The keys that one token attends to most, for `bertcli attn --from`."""

from collections.abc import Iterator, Sequence

import numpy as np

from bertcli.errors import BadText, WrongUsage
from bertcli.input.records import FailedText
from bertcli.model.ops.base import FloatArray
from bertcli.model.tokenizer import TextTokenizer, TokenizedText
from bertcli.quoting import is_utf8
from bertcli.results.attention import KeyWeight, StrongestKeys


def token_spellings(tokenizer: TextTokenizer, token: str) -> Sequence[str]:
    """Return the spellings by which a token is looked up: as the user wrote it, then as the tokenizer spells it.

    The second is there only if the tokenizer makes one piece of the token: an uncased model gives ("The", "the").

    Raises:
        WrongUsage: The token is not UTF-8.
    """
    if not is_utf8(token):
        raise WrongUsage(f"the token {token!r} is not UTF-8", hint="check the encoding of the terminal")
    pieces = tokenizer.encode_text(token)
    return (token, tokenizer.token(pieces[0])) if len(pieces) == 1 else (token,)


def check_has_token(text: TokenizedText, spellings: Sequence[str]) -> FailedText | None:
    """Return the text as failed if it has no token of these spellings, else None."""
    if not spellings or token_positions(text.tokens, spellings):
        return None
    problem = BadText(
        f"the text has no token {spellings[0]!r}; its tokens are {' '.join(text.tokens)}",
        hint=f"use one of these tokens, or a position from 0 to {len(text) - 1}",
    )
    return text.record.failed(problem)


def token_positions(tokens: Sequence[str], spellings: Sequence[str]) -> list[int]:
    """Return the positions of a token, by the first of its spellings that the text has.

    A number that is not a token of the text is a position.
    """
    position_names = list(map(str, range(len(tokens))))
    matches = (
        [position for position, name in enumerate(names) if name == spelling]
        for names in (tokens, position_names)
        for spelling in spellings
    )
    return next(filter(None, matches), [])


def strongest_keys(
    tokens: Sequence[str], position: int, layer: int, heads: Sequence[int], weights: FloatArray, top_k: int
) -> Iterator[StrongestKeys]:
    """Yield, for each head of a layer, the keys that one query attends to most, strongest first.

    Args:
        tokens: Tokens of the text.
        position: Position of the query.
        layer: Number of the layer.
        heads: Numbers of the heads.
        weights: Weights from the query to each key, (heads, seq). Columns beyond the tokens are padding.
        top_k: Number of keys.
    """
    without_padding = weights[:, : len(tokens)]
    order = np.argsort(-without_padding, kind="stable")[:, :top_k]
    for head, head_weights, keys in zip(heads, without_padding, order, strict=True):
        found = [KeyWeight(int(key), tokens[key], float(head_weights[key])) for key in keys]
        yield StrongestKeys(position, tokens[position], layer, head, found)
