"""Checks of a run that has ended: its exit code, its messages, its files, and its output."""

import csv
import hashlib
import io
import json
import re
import signal
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np

from tests.fuzz.cases import Case
from tests.fuzz.mutate import Files
from tests.fuzz.run import Ended

_STYLE = re.compile(r"\x1b\[[0-9;]*m")
_SKIPPED = re.compile(r"^bertcli: error: skipped ([\d,]+) failed", re.MULTILINE)
_CODES = {0, 1, 2}
_CODES_OF_SIGNALS: Mapping[int, set[int]] = {
    signal.SIGINT: {130},
    signal.SIGTERM: {143},
    signal.SIGHUP: {129},
    signal.SIGKILL: {-signal.SIGKILL},
}
_CLOSED_PIPE = -signal.SIGPIPE
_FORBIDDEN_WORDS = ("Traceback", "this is a bug", "panicked", "terminate called", "Exception ignored", "Warning:")


def check(case: Case, ended: Ended, folder: Path, before: Files) -> list[str]:
    """Check a run, and return its problems in words.

    Args:
        case: The case.
        ended: The result of the run.
        folder: The working directory after the run.
        before: The files that were in it before the run.
    """
    after = read_files(folder)
    found = [*_check_end(case, ended), *_check_messages(case, ended), *_check_files(case, ended, before, after)]
    found += [f"not asked for: {each}" for each in ended.seen]
    try:
        found += _check_output(case, ended, folder)
    except Exception as error:  # the parsers raise errors of many types for damaged output
        found.append(f"the output cannot be read: {type(error).__name__}: {error}")
    return found


def read_files(folder: Path) -> Files:
    """Return the content of all files below a folder, by their names in it."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_symlink()
    }


def is_complete(ended: Ended) -> bool:
    """Return True if the run has written all its output: it succeeded, or it skipped the texts that failed."""
    return ended.code == 0 or (ended.code == 1 and skipped(ended) > 0)


def skipped(ended: Ended) -> int:
    """Return the number of failed texts that the run reports to have skipped."""
    found = _SKIPPED.search(ended.stderr.decode(errors="replace"))
    return int(found[1].replace(",", "")) if found else 0


def _check_end(case: Case, ended: Ended) -> Iterator[str]:
    if ended.hung:
        yield f"hangs: killed after {ended.seconds:.0f} s"
        return
    codes = _CODES.union(*(_CODES_OF_SIGNALS[number] for number in ended.sent))
    if case.stdout == "closed":
        codes.add(_CLOSED_PIPE)
    if ended.code not in codes:
        yield f"exit code {ended.code}"


def _check_messages(case: Case, ended: Ended) -> Iterator[str]:
    try:
        text = ended.stderr.decode()
    except UnicodeDecodeError:
        yield "a message is not UTF-8"
        return
    yield from (f"stderr has {word!r}" for word in _FORBIDDEN_WORDS if word in text)
    if controls := _control_characters(text.replace("\n", "")):
        yield f"stderr has control characters: {controls}"
    if case.arguments and case.arguments[0] in ("encode", "fill-mask", "attn", "shapes", "models"):
        strange = [line for line in text.splitlines() if not line.startswith(("bertcli: ", "hint: "))]
        if strange:
            yield f"stderr has a line that is not bertcli's: {strange[0][:200]!r}"
        if ended.code in (1, 2) and "bertcli: error: " not in text:
            yield f"exit code {ended.code} without an error message"


def _check_files(case: Case, ended: Ended, before: Files, after: Files) -> Iterator[str]:
    """Compare the working directory with the one before the run."""
    target, was_killed = case.target, signal.SIGKILL in ended.sent or ended.hung
    is_folder = target is not None and target.endswith("/")
    for name in sorted({*before, *after}):
        is_target = target is not None and (name.startswith(target) if is_folder else name == target)
        if name.endswith(".part"):
            if name not in before and not was_killed:
                yield f"an unfinished file remains: {name!r}"
        elif not is_target and before.get(name) != after.get(name):
            yield f"a file that is not the output has changed: {name!r}"
    if target is None or is_folder:
        return
    if target in before:
        may_change = _may_be_written(ended) and "--force" in case.arguments
        if not may_change and before[target] != after.get(target):
            yield "a file that existed has changed"
    elif target in after and not _may_be_written(ended):
        yield "a file was written, although the run has failed"
    if is_complete(ended) and target not in after and not _asks_for_help(case):
        yield "the output file is missing"


def _may_be_written(ended: Ended) -> bool:
    """Return True if the output is complete, or if a signal may have arrived when it was, since no note denies that."""
    return is_complete(ended) or (bool(ended.sent) and b"bertcli: note: interrupted" not in ended.stderr)


def _asks_for_help(case: Case) -> bool:
    """Return True if an argument is the option for help, or asks for the fields. A text before -- may be one too."""
    pairs = zip(case.arguments, case.arguments[1:], strict=False)
    return ("--fields", "help") in pairs or any(
        argument in ("-h", "--help", "--fields=help") for argument in case.arguments
    )


def _check_output(case: Case, ended: Ended, folder: Path) -> Iterator[str]:
    """Parse the output and count its records."""
    if not case.format or _asks_for_help(case):
        return
    if case.stdout == "terminal":
        shown = ended.stdout.decode(errors="replace")
        shown = _STYLE.sub("", shown).replace("\r\n", "")
        # A tab separates the cells of TSV and of plain answers, and does no harm in a text of CSV.
        if controls := _control_characters(
            shown.replace("\t", "") if case.format in ("csv", "tsv", "plain") else shown
        ):
            yield f"control characters on the terminal: {controls}"
        return
    if case.target is None and (case.stdout == "closed" or case.file_size is not None):
        return
    was_stopped = bool(ended.sent) and ended.code not in _CODES
    if was_stopped or (not is_complete(ended) and (case.target is not None or not ended.stdout)):
        return
    path = None if case.target is None else folder / case.target
    content = ended.stdout if path is None else path.read_bytes() if path.is_file() else b""
    count = check_shards(path) if path is not None and case.format == "/" else _COUNTERS[case.format](content)
    if count is None or case.records is None or not is_complete(ended):
        return
    is_matrix = case.format in _WITH_FAILED_ROWS
    if any("windows" in argument for argument in case.arguments) and (is_matrix or case.format == ".html"):
        return  # a text may have several rows, one for each of its windows
    expected = case.records if is_matrix else case.records - skipped(ended)
    # A table of heads or predictions may have no row for a text, so that its index is missing. A single text has no
    # row in --similarity.
    compares = any(argument.startswith("--similarity") for argument in case.arguments)
    may_lack_rows = case.format in ("csv", "tsv", ".csv", ".tsv") or (compares and "jsonl" in case.format)
    if count != expected and not (may_lack_rows and count < expected):
        yield f"{count} records in the output instead of {expected}"


def _control_characters(text: str) -> list[str]:
    return sorted({repr(character) for character in text if unicodedata.category(character) == "Cc"})


def _count_json(content: bytes) -> int | None:
    document = json.loads(content, parse_constant=_refuse)
    assert document["schema"] == 1
    return _count_indices(document["records"]) if "records" in document else None


def _count_json_lines(content: bytes) -> int | None:
    return _count_indices([json.loads(line, parse_constant=_refuse) for line in _whole_lines(content)])


def _whole_lines(content: bytes) -> list[str]:
    """Return the lines of a text, and check that the last one has its line end."""
    *lines, rest = content.decode().split("\n")
    assert rest == "", "the last line is cut off"
    return lines


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def _count_indices(records: list[dict[str, Any]]) -> int | None:
    """Return the number of texts with records, whose places must increase; None for other records."""
    if any("index" not in record for record in records):
        return None
    places = [(record["index"], record.get("window", 0)) for record in records]
    assert places == sorted(set(places)), "the indices do not increase"
    return len({index for index, _ in places})


def _count_csv(content: bytes) -> int | None:
    return _count_rows(list(csv.reader(io.StringIO(content.decode(), newline=""), strict=True)))


def _count_tsv(content: bytes) -> int | None:
    lines = _whole_lines(content)
    assert not any("\r" in line for line in lines), "a carriage return"
    return _count_rows([line.split("\t") for line in lines])


def _count_rows(rows: list[list[str]]) -> int | None:
    header = rows[0]
    assert {len(row) for row in rows} == {len(header)}, "rows differ in length"
    return len({row[0] for row in rows[1:]}) if header[0] == "index" else None


def _check_plain(content: bytes) -> None:
    assert not any("\r" in line for line in _whole_lines(content)), "a carriage return"


def _check_table(content: bytes) -> None:
    controls = _control_characters(_STYLE.sub("", content.decode()).replace("\n", ""))
    assert not controls, f"control characters in a table: {controls}"


def _check_svg(content: bytes) -> None:
    assert ElementTree.fromstring(content).tag.endswith("svg")


def _check_png(content: bytes) -> None:
    assert content.startswith(b"\x89PNG") and content.endswith(b"IEND\xaeB`\x82")


def _check_html(content: bytes) -> None:
    text = content.decode()
    assert text.startswith("<!") and text.rstrip().endswith("</html>")


def _count_npy(content: bytes) -> int:
    return len(np.load(io.BytesIO(content), allow_pickle=False))


def _count_npz(content: bytes) -> int:
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return _count_arrays({name: arrays[name] for name in arrays.files})


def _count_safetensors(content: bytes) -> int:
    from safetensors.numpy import load

    return _count_arrays(load(content))


def _count_arrays(arrays: Mapping[str, Any]) -> int:
    """Return the number of texts in a file of arrays, or of words if it has those."""
    return len(arrays["input_ids" if "input_ids" in arrays else "text_index"])


def _count_parquet(content: bytes) -> int:
    from pyarrow import parquet

    return int(parquet.read_table(io.BytesIO(content)).num_rows)


def check_shards(folder: Path) -> int:
    """Check a complete folder of shards against its manifest, and return its number of rows."""
    manifest = json.loads((folder / "manifest.json").read_bytes())
    assert manifest["complete"], "the manifest is not complete"
    names = [shard["file"] for shard in manifest["shards"]]
    assert sorted(path.name for path in folder.glob("*.parquet")) == sorted(names), "shards differ from the manifest"
    rows = 0
    for shard in manifest["shards"]:
        content = (folder / shard["file"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == shard["sha256"], f"{shard['file']} differs from its hash"
        assert _count_parquet(content) == shard["rows"], f"{shard['file']} has another number of rows than its entry"
        rows += shard["rows"]
    assert rows == manifest["rows"]
    return rows


_COUNTERS: Mapping[str, Callable[[bytes], int | None]] = {
    "json": _count_json, "jsonl": _count_json_lines, "csv": _count_csv, "tsv": _count_tsv, "table": _check_table,
    "plain": _check_plain,
    ".json": _count_json, ".jsonl": _count_json_lines, ".csv": _count_csv, ".tsv": _count_tsv, ".svg": _check_svg,
    ".png": _check_png, ".html": _check_html, ".npy": _count_npy, ".npz": _count_npz,
    ".safetensors": _count_safetensors, ".parquet": _count_parquet,
}  # fmt: skip
_WITH_FAILED_ROWS = {".npy", ".npz", ".safetensors", ".parquet", "/"}
