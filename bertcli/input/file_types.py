"""Files that hold no lines of UTF-8 text, recognized by suffix or first bytes, and commands that convert them."""

from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from bertcli.errors import BadInput
from bertcli.input.streams import GZIP, ZSTD, Line, LongLine
from bertcli.lazy_dataclass import dataclass
from bertcli.quoting import printable_name, shell_quoted
from bertcli.storage import AnyPath, RemotePath

STANDARD_INPUT = "standard input"
_TAR_OFFSET = 257


@dataclass(frozen=True, slots=True)
class _FileType:
    """A type of file that is not read as text.

    Attributes:
        description: The type, for messages.
        advice: The beginning of the hint.
        start: The bytes that every such file begins with, and no text.
        suffixes: Suffixes of such files, unless bertcli reads files with that suffix.
        offset: Position of `start` in the file.
        command: Command that unpacks the file whose name follows it. Empty if `filter` is set.
        filter: Command that converts its standard input. Empty if `command` is set.
    """

    description: str
    advice: str
    start: bytes
    suffixes: tuple[str, ...] = ()
    offset: int = 0
    command: str = ""
    filter: str = ""


_UNPACK, _DECOMPRESS = "unpack it and name its files with -f", "decompress it first"
_SAVE_AS_TEXT = "save it as plain text or CSV first"
_FILE_TYPES = (
    _FileType("an Office document", _SAVE_AS_TEXT, b"\xd0\xcf\x11\xe0", (".docx", ".xlsx", ".odt", ".ods", ".xls")),
    _FileType("a PDF document", _SAVE_AS_TEXT, b"%PDF-", (".pdf",), command="pdftotext"),
    _FileType("a zip archive", _UNPACK, b"PK\x03\x04", (".zip",), command="unzip"),
    _FileType("a 7z archive", _UNPACK, b"7z\xbc\xaf\x27\x1c", (".7z",), command="7z x"),
    _FileType("a rar archive", _UNPACK, b"Rar!\x1a\x07", (".rar",), command="unrar x"),
    _FileType("a tar archive", _UNPACK, b"ustar\x00", (".tar", ".tgz", ".tbz2", ".txz"), _TAR_OFFSET, "tar -xf"),
    _FileType("a tar archive", _UNPACK, b"ustar  \x00", (), _TAR_OFFSET, "tar -xf"),  # GNU tar
    _FileType("compressed with xz", _DECOMPRESS, b"\xfd7zXZ\x00", (".xz",), filter="xz -dc"),
    _FileType("compressed with bzip2", _DECOMPRESS, b"1AY&SY", (".bz2",), 4, filter="bzip2 -dc"),
    _FileType("compressed with lz4", _DECOMPRESS, b"\x04\x22\x4d\x18", (".lz4",), filter="lz4 -dc"),
    _FileType("compressed with compress", _DECOMPRESS, b"\x1f\x9d", (".z",), filter="gzip -dc"),
    _FileType("compressed with gzip", _DECOMPRESS, b"\x1f\x8b", filter="gzip -dc"),
    _FileType("compressed with zstd", _DECOMPRESS, b"\x28\xb5\x2f\xfd", filter="zstd -dc"),
    _FileType("a Parquet file", "add --input-format parquet; a stream must be saved to a file first", b"PAR1\x15"),
    _FileType("UTF-32, not UTF-8", "convert it first", b"\xff\xfe\x00\x00", filter="iconv -f utf-32 -t utf-8"),
    _FileType("UTF-16, not UTF-8", "convert it first", b"\xff\xfe", filter="iconv -f utf-16 -t utf-8"),
    _FileType("UTF-16, not UTF-8", "convert it first", b"\xfe\xff", filter="iconv -f utf-16 -t utf-8"),
)
# Commands that decompress the files that bertcli decompresses itself, by suffix.
_READ_COMPRESSED = {GZIP: "gzip -dc", ZSTD: "zstd -dc"}


def refuse_suffix(path: AnyPath) -> None:
    """Refuse a file whose suffix is that of a file type that is not read.

    Raises:
        BadInput: The file has such a suffix.
    """
    *_, before, last = ["", "", *map(str.lower, PurePosixPath(path.name).suffixes)]
    suffix = before if before == ".tar" and _is_compression(last) else last  # tar decompresses .tar.gz itself
    for file_type in _FILE_TYPES:
        if suffix in file_type.suffixes:
            raise _refusal(file_type, path)


def refuse_other_types(windows: Iterable[list[Line]], path: AnyPath | None) -> Iterator[list[Line]]:
    """Yield the same lines, but refuse a file that does not hold lines of text.

    Args:
        windows: Lines in lists.
        path: The file; None for standard input.

    Raises:
        BadInput: The first line begins as a file of another type does.
    """
    windows = iter(windows)
    first = next(windows, None)
    if first is None:
        return
    line = first[0]
    start = line.start if isinstance(line, LongLine) else line
    for file_type in _FILE_TYPES:
        if start.startswith(file_type.start, file_type.offset):
            raise _refusal(file_type, path)
    yield first
    yield from windows


def encoding_hint(path: AnyPath | None) -> str:
    """Return the hint for a line that is not UTF-8: a command that converts the file.

    Args:
        path: The file; None for standard input.
    """
    return f"if it is Latin-1, convert it first: {_conversion('iconv -f latin1 -t utf-8', path, 'utf-8')}"


def _refusal(file_type: _FileType, path: AnyPath | None) -> BadInput:
    name = STANDARD_INPUT if path is None else printable_name(path)
    hint = file_type.advice
    if file_type.filter:
        hint += f": {_conversion(file_type.filter, path, 'plain')}"
    elif file_type.command and path is not None:
        hint += f": {_copied(path)}{file_type.command} {shell_quoted(_local_name(path))}"
    return BadInput(f"{name} is {file_type.description}", hint=hint)


def _conversion(command: str, path: AnyPath | None, label: str) -> str:
    """Return the shell command that converts a file.

    Args:
        command: A command that converts its standard input.
        path: The file; None for standard input.
        label: Put before the suffix to make the name of the new file.
    """
    if path is None:
        return f"pipe it through {command}"
    old = new = _local_name(path)
    suffix = old.suffix.lower()
    if _is_compression(suffix):
        new = old.with_suffix("")
    first, *others = [_READ_COMPRESSED[suffix], command] if suffix in _READ_COMPRESSED else [command]
    steps = [f"{first} < {shell_quoted(old)}", *others]
    return f"{_copied(path)}{' | '.join(steps)} > {shell_quoted(new.with_stem(f'{new.stem}.{label}'))}"


def _is_compression(suffix: str) -> bool:
    """Return True if the suffix is that of a compressed file."""
    return suffix in _READ_COMPRESSED or any(suffix in each.suffixes for each in _FILE_TYPES if each.filter)


def _local_name(path: AnyPath) -> PurePosixPath:
    return PurePosixPath(path.name if isinstance(path, RemotePath) else path)


def _copied(path: AnyPath) -> str:
    return "copy it to this machine, then " if isinstance(path, RemotePath) else ""
