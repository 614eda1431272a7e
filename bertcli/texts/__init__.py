"""Where texts come from: arguments, files of several formats, standard input; and the number by which each is known."""

from typing import TYPE_CHECKING, Any

from bertcli.texts.records import TextRecord, Unanswered, Window, is_utf8, shortened
from bertcli.texts.source import STDIN, InputFormat, TextSource

if TYPE_CHECKING:
    from bertcli.texts.reader import TextReader
    from bertcli.texts.streams import WINDOW_BYTES

__all__ = [
    "STDIN",
    "WINDOW_BYTES",
    "InputFormat",
    "TextReader",
    "TextRecord",
    "TextSource",
    "Unanswered",
    "Window",
    "is_utf8",
    "shortened",
]


def __getattr__(name: str) -> Any:
    # What reads is imported where something is read: --help knows of the options alone.
    if name == "TextReader":
        from bertcli.texts.reader import TextReader

        return TextReader
    if name == "WINDOW_BYTES":
        from bertcli.texts.streams import WINDOW_BYTES

        return WINDOW_BYTES
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
