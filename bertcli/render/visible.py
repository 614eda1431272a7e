"""Text that a terminal shows and does not obey."""

from unicodedata import category

# Control characters, those that turn directions, join, or cannot be seen at all, what no encoding has, and what ends
# a line or a paragraph.
_UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def visible(text: str) -> str:
    r"""The text with its control characters and invisible ones written as Python escapes them, the rest as it is.

    >>> print(visible("red \x1b[31m [mask]"))
    red \x1b[31m [mask]
    """
    if text.isprintable():  # nothing of the above is
        return text
    return "".join(_escaped(character) if category(character) in _UNSEEN else character for character in text)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
