"""What one token attends to: where it stands, and its strongest keys."""

from collections.abc import Iterator, Sequence

import numpy as np

from bertcli.errors import BadText, WrongUsage
from bertcli.input.records import FailedText, is_utf8
from bertcli.model.ops.base import FloatArray
from bertcli.model.tokenizer import TextTokenizer, TokenizedText
from bertcli.results.attention import Attended, AttendedFrom


def spellings(tokenizer: TextTokenizer, token: str) -> Sequence[str]:
    """A token as it was asked for, and as the tokenizer spells it where that is one piece: The, the."""
    if not is_utf8(token):
        raise WrongUsage(f"the token {token!r} is not UTF-8", hint="check the terminal's encoding")
    pieces = tokenizer.encode_text(token)
    return (token, tokenizer.token(pieces[0])) if len(pieces) == 1 else (token,)


def check_attended_from(text: TokenizedText, asked: Sequence[str]) -> FailedText | None:
    """What is wrong with a text that is asked about a token: that it has no such token."""
    if not asked or positions_of(text.tokens, asked):
        return None
    problem = BadText(
        f"the text has no token {asked[0]!r}; its tokens are {' '.join(text.tokens)}",
        hint=f"name a token as it is spelt there, or a position from 0 to {len(text) - 1}",
    )
    return text.record.failed(problem)


def positions_of(tokens: Sequence[str], asked: Sequence[str]) -> list[int]:
    """Where the token stands, by the first of its spellings that is there; a number that is no token is a position."""
    numbers = list(map(str, range(len(tokens))))
    places = (
        [at for at, found in enumerate(names) if found == token] for names in (tokens, numbers) for token in asked
    )
    return next(filter(None, places), [])


def attended(
    tokens: Sequence[str], position: int, layer: int, heads: Sequence[int], weights: FloatArray, top_k: int
) -> Iterator[AttendedFrom]:
    """For each head of a layer the keys that the position attends to most, strongest first. weights: (heads, seq)."""
    own = weights[:, : len(tokens)]
    strongest = np.argsort(-own, kind="stable")[:, :top_k]
    for head, of_head, keys in zip(heads, own, strongest, strict=True):
        found = [Attended(int(key), tokens[key], float(of_head[key])) for key in keys]
        yield AttendedFrom(position, tokens[position], layer, head, found)
