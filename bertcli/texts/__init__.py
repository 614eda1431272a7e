"""Where texts come from: arguments, files of several formats, standard input; and the number by which each is known."""

from bertcli.texts.reader import TextReader
from bertcli.texts.records import TextRecord, Unanswered, Window, is_utf8, shortened
from bertcli.texts.source import STDIN, InputFormat, TextSource
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
