"""Random texts, and files of texts in every input format."""

import bz2
import csv
import gzip
import io
import json
import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from tests.fuzz.mutate import mutated
from tests.tiny import WORDS

_MASKS = ("[MASK]", "[MASK]", "[MASK]", "[mask]", "<mask>", "[ MASK ]", "[MASK][MASK]", "[MASK", "##[MASK]", "[MASK]s")
_SPECIAL = ("[CLS]", "[SEP]", "[PAD]", "[UNK]", "<s>", "</s>", "##e")
# Texts that have broken programs before: ends of lines, quotes, markup, escapes, formulas, other scripts.
_TRAPS = (
    "", " ", "\t", "\r", "\v\f", "\x00", "\x1b[31mred\x1b[0m", "\x1b]0;title\x07", "\x9b31m", "\x08\x08", "\ufeffa",
    "the\rcat [MASK]", "the\ncat [MASK]", "the\r\ncat", 'a "quoted" [MASK]', "a,b,[MASK]", "a\tb\tc [MASK]",
    "\\t \\n \\",
    "[bold]how[/bold] [MASK]", "[/]", "=1+1", "-", "--", "--help", "@file", "{}", '{"text": 1}', "NaN", "\u2028",
    "\u202e[MASK]", "e\u0301" * 40, "\U0001f469\u200d\U0001f52c [MASK]", "\u4e2d\u6587[MASK]", "\ufdfa" * 9,
    "\u0130",
    "a" * 300, "[MASK] " * 12, "how are you " * 40, "'", "''", "%s%d", "$(ls)", "\u00ad", "\u200b",
)  # fmt: skip
# Characters of a line that is longer than bertcli's limit.
_LONG_LINE = 17 << 20
FORMATS = ("text", "jsonl", "csv", "tsv", "parquet")


@dataclass(frozen=True, slots=True)
class TextFile:
    """A file of texts.

    Attributes:
        format: The format of its content.
        suffix: The suffix for its name.
        content: Its bytes.
        records: Number of records, counted by a slow and simple reading; None if it is not known.
    """

    format: str
    suffix: str
    content: bytes
    records: int | None


def draw_text(rng: random.Random) -> str:
    """Return a text: usually words that every checkpoint knows with a mask, sometimes anything else."""
    kind = rng.random()
    if kind < 0.65:
        words = rng.choices(WORDS, k=rng.randint(1, 9))
        for _ in range(rng.choice((0, 1, 1, 1, 2))):
            words.insert(rng.randint(0, len(words)), "[MASK]")
        return " ".join(words)
    if kind < 0.8:
        return rng.choice(_TRAPS)
    if kind < 0.9:
        parts = rng.choices((*_MASKS, *_SPECIAL, *WORDS, *".,;!?-'\"\t "), k=rng.randint(1, 12))
        return rng.choice(("", " ")).join(parts)
    return "".join(_draw_character(rng) for _ in range(rng.choice((1, 3, 10, 60))))


def _draw_character(rng: random.Random) -> str:
    """Return a character of any plane, but no surrogate."""
    last = rng.choice((0x1F, 0x7F, 0xFF, 0x7FF, 0xFFFF, sys.maxunicode))
    code = rng.randint(0, last)
    return chr(code) if not 0xD800 <= code <= 0xDFFF else "\ufffd"


def draw_file(rng: random.Random, *, has_pairs: bool = False) -> TextFile:
    """Return a file of texts in a random format, sometimes compressed, sometimes damaged."""
    rows = [draw_text(rng) for _ in range(rng.choice((0, 1, 2, 3, 5, 8, 8, 40)))]
    if has_pairs:
        rows = [f"{row}\t{draw_text(rng)}" if rng.random() < 0.9 else row for row in rows]
    format_ = rng.choice((*FORMATS, "text"))
    file = _WRITERS[format_](rng, rows)
    if rng.random() < 0.12:
        content = mutated(rng, file.content)
        file = TextFile(format_, file.suffix, content, _COUNTS[format_](content) if format_ in _COUNTS else None)
    if rng.random() < 0.12:
        file = _compressed(rng, file)
    return file


def count_lines(content: bytes) -> int:
    """Count the records of plain text: its lines, without blank lines at the end."""
    text = content.removeprefix(b"\xef\xbb\xbf").decode(errors="surrogateescape")
    return max((number for number, line in enumerate(text.split("\n"), 1) if line.strip()), default=0)


def count_objects(content: bytes) -> int:
    """Count the records of JSON Lines: the lines that are not blank."""
    return sum(1 for line in content.removeprefix(b"\xef\xbb\xbf").split(b"\n") if line.strip())


_COUNTS = {"text": count_lines, "jsonl": count_objects}


def _text(rng: random.Random, rows: Sequence[str]) -> TextFile:
    end = rng.choice(("\n", "\n", "\n", "\r\n"))
    if rng.random() < 0.01:
        part = rng.choice(("a", "how ", "\u4e2d", " "))
        rows = [*rows, part * (_LONG_LINE // len(part)), "how [MASK] you"]
    joined = end.join(rows) + rng.choice((end, end, "", end + end)) if rows else ""
    content = joined.encode()
    if rng.random() < 0.1:
        content = rng.choice((b"\xef\xbb\xbf", b"\xff\xfe", rng.randbytes(20))) + content
    return TextFile("text", rng.choice((".txt", ".txt", "", ".log")), content, count_lines(content))


def _jsonl(rng: random.Random, rows: Sequence[str]) -> TextFile:
    odd = (None, 1, True, 2**70, ["a"], {"a": "b"}, 1.5, "", "how [MASK] you")
    lines = []
    for number, row in enumerate(rows):
        value: object = {"id": number, "text": row, "other": rng.choice(odd)}
        if rng.random() < 0.1:
            value = rng.choice((rng.choice(odd), {"text": rng.choice(odd), "id": rng.choice(odd)}))
        lines.append(json.dumps(value, ensure_ascii=rng.random() < 0.5))
    if rng.random() < 0.05:
        lines.append(
            rng.choice(("[" * 100_000, '{"text": "\\ud800"}', '{"text": "a', "NaN", "1e999", '{"text":"a"} b'))
        )
    content = "".join(f"{line}\n" for line in lines).encode()
    return TextFile("jsonl", rng.choice((".jsonl", ".ndjson", ".json")), content, count_objects(content))


def _csv(rng: random.Random, rows: Sequence[str]) -> TextFile:
    file = io.StringIO()
    quoting = rng.choice((csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC))
    writer = csv.writer(file, lineterminator=rng.choice(("\n", "\r\n")), quoting=quoting)
    writer.writerows([["id", "text", "other"], *([str(number), row, "x"] for number, row in enumerate(rows))])
    return TextFile("csv", ".csv", file.getvalue().encode(), len(rows))


def _tsv(rng: random.Random, rows: Sequence[str]) -> TextFile:
    cells = [row.replace("\t", " ").replace("\n", " ").replace("\r", " ") for row in rows]
    lines = ["id\ttext", *(f"{number}\t{cell}" for number, cell in enumerate(cells))]
    return TextFile("tsv", ".tsv", "".join(f"{line}\n" for line in lines).encode(), len(rows))


def _parquet(rng: random.Random, rows: Sequence[str]) -> TextFile:
    import pyarrow
    from pyarrow import parquet

    texts = pyarrow.array([None if rng.random() < 0.03 else row for row in rows], pyarrow.string())
    ids = pyarrow.array(range(len(rows)), pyarrow.int64())
    file = io.BytesIO()
    table = pyarrow.table({"id": ids, "text": texts.dictionary_encode() if rng.random() < 0.2 else texts})
    parquet.write_table(table, file, compression=rng.choice(("none", "snappy")))
    return TextFile("parquet", rng.choice((".parquet", ".pq")), file.getvalue(), len(rows))


_WRITERS = {"text": _text, "jsonl": _jsonl, "csv": _csv, "tsv": _tsv, "parquet": _parquet}


def _compressed(rng: random.Random, file: TextFile) -> TextFile:
    if rng.random() < 0.15:  # compressed in a way that bertcli does not read, or under a wrong name
        content, suffix = rng.choice(((bz2.compress(file.content), ".bz2"), (gzip.compress(file.content, mtime=0), "")))
        return TextFile(file.format, file.suffix + suffix, content, None)
    content, suffix, records = gzip.compress(file.content, mtime=0), ".gz", file.records
    if rng.random() < 0.3:
        import pyarrow

        content, suffix = pyarrow.compress(file.content, "zstd", asbytes=True), ".zst"
    if rng.random() < 0.2:
        content, records = mutated(rng, content), None
    return TextFile(file.format, file.suffix + suffix, content, None if file.format == "parquet" else records)
