"""Tables as text, and the comparison with golden files."""

import os
from io import StringIO
from pathlib import Path
from typing import Any

from bertcli.output.console import TableWriter, make_console
from bertcli.output.schema import Schema

GOLDEN = Path(__file__).parent / "golden"
REWRITE = "REWRITE_GOLDEN"


def draw(schema: Schema[Any], *records: Any, width: int, color: str = "never") -> str:
    """Return the output for a terminal of this width."""
    stream = StringIO()
    writer = TableWriter(make_console(stream, color, width), schema)
    for record in records:
        writer.write(record)
    writer.finish()
    return stream.getvalue()


def check_golden(name: str, drawn: str) -> None:
    """Compare with golden/NAME.txt, spaces at the ends of lines apart.

    `REWRITE_GOLDEN=1 pytest tests/render` writes the files anew: look at every one that changed before it is kept.
    """
    stripped = "".join(f"{line.rstrip()}\n" for line in drawn.splitlines())
    path = GOLDEN / f"{name}.txt"
    if REWRITE in os.environ:
        path.write_text(stripped, encoding="utf-8")
    assert stripped == path.read_text(encoding="utf-8"), f"{path} differs; {REWRITE}=1 writes it anew"
