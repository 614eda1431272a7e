"""Names of files, texts and values in messages, in results and in shell commands.

A name or a text may have bytes that are not UTF-8. Python holds each as a lone surrogate, which no encoding can write.
"""

import shlex
from pathlib import PurePath

_QUOTED_CHARACTERS = 60


def is_utf8(text: str) -> bool:
    """Return True if a text came from valid UTF-8. Invalid bytes become lone surrogates, which cannot be encoded."""
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)


def shortened(value: object) -> str:
    """Return a text as messages quote it, cut to 60 characters; or any other value in the same way."""
    shown = value if isinstance(value, str) else repr(value)
    shown = shown if len(shown) <= _QUOTED_CHARACTERS else shown[:_QUOTED_CHARACTERS] + "..."
    return repr(shown) if isinstance(value, str) else shown


def printable_name(path: object) -> str:
    r"""Return a name as text that has an encoding. Bytes of a local name that are not UTF-8 become escapes.

    >>> print(printable_name("caf\udce9.txt"))
    caf\xe9.txt
    """
    return str(path).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def shell_quoted(path: PurePath | str) -> str:
    r"""Return a path as one word of a shell command, in printable characters.

    >>> print(shell_quoted("-n.zip"))
    ./-n.zip
    """
    name = str(path)
    return quoted_word(f"./{name}" if name.startswith("-") else name)  # a command would take it for an option


def quoted_word(text: str) -> str:
    r"""Return a text as one word of a shell command, in printable characters.

    >>> print(quoted_word("my file.txt"), quoted_word("caf\udce9.txt"))
    'my file.txt' $'caf\xe9.txt'
    """
    if text.isprintable():
        return shlex.quote(text)
    escaped = text.replace("\\", r"\\").replace("'", r"\'").encode("utf-8", "surrogateescape")
    return "$'" + "".join(chr(byte) if 0x20 <= byte < 0x7F else f"\\x{byte:02x}" for byte in escaped) + "'"
