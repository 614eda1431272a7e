"""Text that a terminal shows and does not obey."""

import re

# What moves the cursor or talks to the terminal (C0, DEL, C1), ends a line, turns the direction of what follows, or
# cannot be seen at all: marks, joiners and spaces without width, tags, and surrogates, which nothing can encode.
_UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f"
    "\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)


def visible(text: str) -> str:
    r"""The text with its control characters and invisible ones written as Python escapes them, the rest as it is.

    >>> print(visible("red \x1b[31m [mask]"))
    red \x1b[31m [mask]
    """
    if text.isprintable():  # of the characters above not one is
        return text
    return _UNSEEN.sub(_escaped, text)


def _escaped(match: re.Match[str]) -> str:
    return match.group().encode("unicode_escape").decode("ascii")
