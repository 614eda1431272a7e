"""Tables as pictures: what a terminal would show, as an SVG that asks for nothing from elsewhere."""

import re
from html import escape, unescape
from io import StringIO
from typing import Any, TextIO

from rich.cells import cell_len
from rich.console import Console
from rich.terminal_theme import TerminalTheme

from bertcli.input.records import FailedText
from bertcli.output.console import TableWriter, make_console
from bertcli.output.schema import Schema

_BACKGROUND, _FOREGROUND = (23, 25, 30), (222, 225, 230)
_RED, _MAGENTA = (255, 140, 146), (204, 153, 240)
# The colours that the tables use, at their places among a terminal's eight.
_COLORS = [_FOREGROUND, _RED, *[_FOREGROUND] * 3, _MAGENTA, *[_FOREGROUND] * 2]
_COLORED = TerminalTheme(_BACKGROUND, _FOREGROUND, _COLORS)
_PLAIN = TerminalTheme(_BACKGROUND, _FOREGROUND, [_FOREGROUND] * 8)
# rich draws letters 20 high; most fonts of one width are 0.6 times as wide.
_ASPECT, _LETTER_WIDTH = 0.6, 12
# The buttons of the window take this many letters of its upper edge, on either side of the title in its middle.
_BUTTONS = 8
# Own fonts alone, whichever there are: letters are spread to the width that they have in the table.
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
# No XML may hold them.
_NEVER_IN_XML = str.maketrans("\ufffe\uffff", "\ufffd\ufffd")


class SvgWriter:
    """Draws each record as a terminal would get it, and writes the picture of all when no more will come."""

    def __init__(self, stream: TextIO, view: Schema[Any], title: str, color: str, width: int | None) -> None:
        self._stream, self._title = stream, title
        self._theme = _PLAIN if color == "never" else _COLORED
        self._console = make_console(StringIO(), "never", width, record=True)
        self._tables = TableWriter(self._console, view)

    def write(self, record: Any) -> None:
        self._tables.write(record)

    def skip(self, missing: FailedText) -> None:
        pass

    def finish(self) -> None:
        self._tables.finish()
        self._stream.write(_picture(self._console, self._title, self._theme))


def _picture(console: Console, title: str, theme: TerminalTheme) -> str:
    """What the console has recorded, in a window as wide as its widest line."""
    lines = console.export_text(clear=False).splitlines()
    console.width = max(cell_len(title) + 2 * _BUTTONS, *(cell_len(line.rstrip()) for line in lines), 0)
    code_format = _FORMAT.replace("TITLE", escape(title))
    drawn = console.export_svg(title=title, theme=theme, code_format=code_format, font_aspect_ratio=_ASPECT)
    return _DRAWN_TEXT.sub(_spread, drawn).translate(_NEVER_IN_XML)


def _spread(text: re.Match[str]) -> str:
    """The text as wide as its cells: rich takes its count of characters, and a character may have two cells or none.

    Nothing where the text is the end of a line, which rich draws too.
    """
    if not text[3].strip():
        return ""
    width = _LETTER_WIDTH * cell_len(unescape(text[3]))
    return f'{text[1]}textLength="{width}" lengthAdjust="spacingAndGlyphs"{text[2]}{text[3]}{text[4]}'
