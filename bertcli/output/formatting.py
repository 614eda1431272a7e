"""Numbers, shapes and text as strings: the digits that float32 allows, and no character that is invisible."""

import json
from collections.abc import Iterable, Sequence
from math import isfinite
from typing import Any
from unicodedata import category

# Unicode categories to escape: control characters, format characters (they change direction, join or are invisible),
# surrogates (no encoding has them), line separators and paragraph separators.
_INVISIBLE = {"Cc", "Cf", "Cs", "Zl", "Zp"}
_ZERO_WIDTH_JOINER = "\u200d"
_JOINERS = {_ZERO_WIDTH_JOINER, "\u200c"}
_EMOJI_CATEGORIES = {"So", "Sm"}  # arrows are mathematical signs
# The sign that asks for a picture, and five colours of skin.
_EMOJI_MODIFIERS = {"\ufe0f", *map(chr, range(0x1F3FB, 0x1F400))}
# The blocks from Arabic to Sinhala.
_FIRST_JOINED, _LAST_JOINED = "\u0600", "\u0dff"


def number(value: float) -> float | None:
    """Return a float32 with at most nine significant digits, which identify it; None if it is not finite.

    JSON has no NaN and no infinity.

    >>> number(0.7039705514907837)
    0.703970551
    """
    return float(f"{value:.9g}") if isfinite(value) else None


def numbers(array: Any) -> Any:
    """Return a float32 array as nested lists of the shortest numbers that round-trip; None where it is not finite.

    Args:
        array: float32, of any shape with at least one dimension.
    """
    if array.ndim > 1:
        return [numbers(row) for row in array]
    shortest = [float(text) for text in array.astype("U").tolist()]
    return shortest if all(map(isfinite, shortest)) else [value if isfinite(value) else None for value in shortest]


def counted(count: int, noun: str) -> str:
    """Return a number of things, with the noun in the plural if there is not just one.

    >>> counted(1, "text"), counted(1234, "text")
    ('1 text', '1,234 texts')
    """
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def size(nbytes: int) -> str:
    """Return a number of bytes in the largest unit that fits.

    >>> size(440449768)
    '420.0 MiB'
    """
    value, units = float(nbytes), ["B", "KiB", "MiB", "GiB", "TiB"]
    while value >= 1024 and len(units) > 1:
        value /= 1024
        units.pop(0)
    return f"{nbytes} B" if units[0] == "B" else f"{value:.1f} {units[0]}"


def shape(sizes: Sequence[object]) -> str:
    """Return a shape as Python writes a tuple.

    >>> shape([384])
    '(384,)'
    """
    return f"({', '.join(map(str, sizes))}{',' if len(sizes) == 1 else ''})"


def joined(parts: Iterable[object]) -> str:
    """Return a list as one cell of a row, its parts separated by spaces."""
    return " ".join(map(str, parts))


def visible(text: str) -> str:
    r"""Return the text with control characters and invisible characters escaped as in Python source.

    Joiners stay where a terminal needs them: between the parts of an emoji, and between letters of Arabic and India.

    >>> print(visible("red \x1b[31m [mask]"))
    red \x1b[31m [mask]
    """
    if text.isprintable():  # then no character needs an escape
        return text
    return "".join(_escaped(character) if _is_invisible(text, at) else character for at, character in enumerate(text))


def visible_lines(text: str) -> str:
    r"""Return lines of JSON, CSV or TSV with control characters and invisible characters escaped as in JSON.

    Line ends and tabs stay. JSON stays valid, since it has such characters only in strings.

    >>> print(visible_lines('["red \x9b31m"]\n'), end="")
    ["red \u009b31m"]
    """
    return "\n".join("\t".join(map(_visible_json, line.split("\t"))) for line in text.split("\n"))


def _visible_json(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(
        json.dumps(character)[1:-1] if _is_invisible(text, at) else character for at, character in enumerate(text)
    )


def _is_invisible(text: str, at: int) -> bool:
    """Return True if the character at that position would not be seen, or would control the terminal."""
    if category(text[at]) not in _INVISIBLE:
        return False
    if text[at] not in _JOINERS or not 0 < at < len(text) - 1:
        return True
    before, after = text[at - 1], text[at + 1]
    follows_emoji = category(before) in _EMOJI_CATEGORIES or before in _EMOJI_MODIFIERS
    joins_emoji = text[at] == _ZERO_WIDTH_JOINER and follows_emoji and category(after) in _EMOJI_CATEGORIES
    joins_letters = all(_FIRST_JOINED <= letter <= _LAST_JOINED for letter in (before, after))
    return not joins_emoji and not joins_letters


def _escaped(character: str) -> str:
    if "\udc80" <= character <= "\udcff":  # a byte of a name that is not UTF-8
        return f"\\x{ord(character) - 0xDC00:02x}"
    return character.encode("unicode_escape").decode("ascii")
