"""Tables as SVG pictures of a terminal. A picture loads nothing from the network."""

import re
from html import escape, unescape
from io import StringIO
from typing import Any, TextIO

from rich.cells import cell_len
from rich.console import Console
from rich.terminal_theme import TerminalTheme

from bertcli.choices import ColorName
from bertcli.input.records import FailedText
from bertcli.output.console import TableWriter, make_console
from bertcli.output.schema import Schema

_BACKGROUND, _FOREGROUND = (23, 25, 30), (222, 225, 230)
_RED, _MAGENTA = (255, 140, 146), (204, 153, 240)
# The eight colours of a terminal. The tables use only red and magenta.
_COLORS = [_FOREGROUND, _RED, *[_FOREGROUND] * 3, _MAGENTA, *[_FOREGROUND] * 2]
_COLORED = TerminalTheme(_BACKGROUND, _FOREGROUND, _COLORS)
_PLAIN = TerminalTheme(_BACKGROUND, _FOREGROUND, [_FOREGROUND] * 8)
# rich draws letters 20 pixels high. In most monospaced fonts the width is 0.6 times the height.
_ASPECT, _LETTER_WIDTH = 0.6, 12
# Width, in letters, of the window buttons; the same space stays free on the other side of the centred title.
_BUTTONS = 8
# Uses only fonts of the reader's machine. Each text is stretched to the width of its cells, see _stretch.
_FORMAT = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">
<title>TITLE</title>
<style>
.{unique_id}-matrix, .{unique_id}-title {{
font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", "Liberation Mono", monospace;
}}
.{unique_id}-matrix {{ font-size: {char_height}px; line-height: {line_height}px; }}
.{unique_id}-title {{ font-size: 16px; }}
{styles}
</style>
<defs>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""
_DRAWN_TEXT = re.compile(r'(<text [^>]*)textLength="[^"]*"([^>]*>)([^<]*)(</text>)')
# Characters that XML forbids.
_FORBIDDEN_IN_XML = str.maketrans("\ufffe\uffff", "\ufffd\ufffd")


class SvgWriter:
    """Writer of one picture that shows the tables of all records. It is written after the last record."""

    def __init__(self, stream: TextIO, schema: Schema[Any], title: str, color: str, width: int | None) -> None:
        self._stream, self._title = stream, title
        self._theme = _PLAIN if color == ColorName.NEVER else _COLORED
        self._console = make_console(StringIO(), ColorName.NEVER, width, record=True)
        self._tables = TableWriter(self._console, schema)

    def write(self, record: Any) -> None:
        self._tables.write(record)

    def skip(self, failed: FailedText) -> None:
        pass

    def finish(self) -> None:
        self._tables.finish()
        self._stream.write(_draw(self._console, self._title, self._theme))


def _draw(console: Console, title: str, theme: TerminalTheme) -> str:
    """Return an SVG of the output of the console, in a window as wide as the widest line."""
    lines = console.export_text(clear=False).splitlines()
    console.width = max(cell_len(title) + 2 * _BUTTONS, *(cell_len(line.rstrip()) for line in lines), 0)
    code_format = _FORMAT.replace("TITLE", escape(title))
    drawn = console.export_svg(title=title, theme=theme, code_format=code_format, font_aspect_ratio=_ASPECT)
    return _DRAWN_TEXT.sub(_stretch, drawn).translate(_FORBIDDEN_IN_XML)


def _stretch(text: re.Match[str]) -> str:
    """Return a text element of the SVG with the width of its cells, or an empty string if it has only spaces.

    rich assumes one cell per character, but a character may take two cells or none.
    """
    if not text[3].strip():
        return ""
    width = _LETTER_WIDTH * cell_len(unescape(text[3]))
    return f'{text[1]}textLength="{width}" lengthAdjust="spacingAndGlyphs"{text[2]}{text[3]}{text[4]}'
