"""Which of this machine's fonts have the letters of any script."""

from collections.abc import Iterator

from matplotlib import font_manager
from matplotlib.ft2font import FT2Font

_FIRST = "DejaVu Sans"  # matplotlib's own, always there


def families(text: str) -> list[str]:
    """The fonts that together have the text's letters, as far as there are any: matplotlib's own first.

    What none of them has is drawn by matplotlib as a box with a sign of its script.
    """
    missing = {ord(character) for character in text}
    missing -= _characters(font_manager.findfont(_FIRST))
    found = [_FIRST]
    for name, path in _installed() if missing else ():
        if has := missing & _characters(path):
            found.append(name)
            missing -= has
        if not missing:
            break
    return found


def _installed() -> Iterator[tuple[str, str]]:
    """The upright fonts of plain weight, by name."""
    fonts = {font.name: font.fname for font in reversed(font_manager.fontManager.ttflist) if _is_plain(font)}
    return iter(sorted(fonts.items()))


def _is_plain(font: font_manager.FontEntry) -> bool:
    # The font of last resort has a sign for every letter, and is none for reading.
    return font.style == "normal" and font.weight in (400, "normal", "regular") and "Last Resort" not in font.name


def _characters(path: str) -> set[int]:
    try:
        return set(FT2Font(path).get_charmap())
    except (OSError, RuntimeError):  # one that FreeType does not read
        return set()
