"""Numbers as text: a float32 with neither more nor fewer digits than it has, and the shape of an array."""

from collections.abc import Sequence
from math import isfinite
from typing import Any
from unicodedata import category


def number(value: float) -> float | None:
    """A float32 with no more digits than it has (nine); None where it is not finite, which JSON cannot say.

    >>> number(0.7039705514907837)
    0.703970551
    """
    return float(f"{value:.9g}") if isfinite(value) else None


def numbers(array: Any) -> Any:
    """A float32 array of any shape as nested lists of the shortest numbers that give it back."""
    if array.ndim > 1:
        return [numbers(row) for row in array]
    shortest = [float(text) for text in array.astype("U").tolist()]
    return shortest if all(map(isfinite, shortest)) else [value if isfinite(value) else None for value in shortest]


def size(nbytes: int) -> str:
    """Bytes, as people read them.

    >>> size(440449768)
    '420.0 MiB'
    """
    value, units = float(nbytes), ["B", "KiB", "MiB", "GiB", "TiB"]
    while value >= 1024 and len(units) > 1:
        value /= 1024
        units.pop(0)
    return f"{nbytes} B" if units[0] == "B" else f"{value:.1f} {units[0]}"


def shape(sizes: Sequence[object]) -> str:
    """A shape as Python writes a tuple.

    >>> shape([384])
    '(384,)'
    """
    return f"({', '.join(map(str, sizes))}{',' if len(sizes) == 1 else ''})"


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
