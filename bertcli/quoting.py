"""Names of files in messages, in results and in shell commands.

A file's name may have bytes that are not UTF-8. Python holds each as a lone surrogate, which no encoding can write.
"""

import shlex
from pathlib import PurePath


def printable_name(path: object) -> str:
    r"""Return a name as text that has an encoding. Bytes of a local name that are not UTF-8 become escapes.

    >>> print(printable_name("caf\udce9.txt"))
    caf\xe9.txt
    """
    return str(path).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def shell_quoted(path: PurePath | str) -> str:
    r"""Return a path as one word of a shell command, in printable characters.

    >>> print(shell_quoted("my file.txt"), shell_quoted("caf\udce9.txt"))
    'my file.txt' $'caf\xe9.txt'
    >>> print(shell_quoted("-n.zip"))
    ./-n.zip
    """
    name = str(path)
    name = f"./{name}" if name.startswith("-") else name  # a command would take it for an option
    if name.isprintable():
        return shlex.quote(name)
    escaped = name.replace("\\", r"\\").replace("'", r"\'").encode("utf-8", "surrogateescape")
    return "$'" + "".join(chr(byte) if 0x20 <= byte < 0x7F else f"\\x{byte:02x}" for byte in escaped) + "'"
