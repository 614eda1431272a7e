"""Tables as text, and the comparison with golden files."""

from io import StringIO
from pathlib import Path
from typing import Any

from bertcli.output.console import TableWriter, make_console
from bertcli.output.schema import Schema

GOLDEN = Path(__file__).parent / "golden"


def draw(schema: Schema[Any], *records: Any, width: int, color: str = "never") -> str:
    """Return the output for a terminal of this width."""
    stream = StringIO()
    writer = TableWriter(make_console(stream, color, width), schema)
    for record in records:
        writer.write(record)
    writer.finish()
    return stream.getvalue()


def check_golden(name: str, drawn: str, *, update: bool) -> None:
    """Compare a drawing with golden/NAME.txt, ignoring spaces at the ends of lines.

    Args:
        name: Name of the golden file, without its suffix.
        drawn: The drawing.
        update: Write the file first (`pytest --update-goldens`). Read every change before you commit it.
    """
    stripped = "".join(f"{line.rstrip()}\n" for line in drawn.splitlines())
    path = GOLDEN / f"{name}.txt"
    if update:
        path.write_text(stripped, encoding="utf-8")
    assert stripped == path.read_text(encoding="utf-8"), f"{path} differs; `pytest --update-goldens` updates it"
