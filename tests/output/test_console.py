from io import StringIO

import pytest
from rich.text import Text

from bertcli.output.console import TableWriter, make_console
from bertcli.output.schema import Schema


def _schema(closing: str | None = None) -> Schema[str]:
    return Schema((), lambda record: (), lambda record: {}, Text, closing_table=lambda: closing and Text(closing))


def _drawn(schema: Schema[str], *records: str) -> str:
    stream = StringIO()
    writer = TableWriter(make_console(stream, "never", 20), schema)
    for record in records:
        writer.write(record)
    writer.finish()
    return stream.getvalue()


def test_an_empty_line_separates_tables() -> None:
    assert _drawn(_schema(), "one", "two") == "one\n\ntwo\n"
    assert _drawn(_schema("the end"), "one") == "one\n\nthe end\n"
    assert _drawn(_schema()) == ""


@pytest.mark.parametrize("no_color", ["", "1"])
def test_colours_are_forced_forbidden_or_left_to_the_terminal(monkeypatch: pytest.MonkeyPatch, no_color: str) -> None:
    monkeypatch.setenv("NO_COLOR", no_color)
    for color, drawn in (("always", "\x1b[1;35mx\x1b[0m\n"), ("never", "x\n"), ("auto", "x\n")):
        stream = StringIO()
        make_console(stream, color, 20).print(Text("x", "bold magenta"))
        assert stream.getvalue() == drawn


def test_a_terminal_has_colours_unless_never_or_no_color_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("TERM", "xterm-256color")
    for variable in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(variable, raising=False)
    for color, drawn in (("auto", "\x1b[1;35mx\x1b[0m\n"), ("never", "x\n")):
        stream = Terminal()
        make_console(stream, color, 20).print(Text("x", "bold magenta"))
        assert stream.getvalue() == drawn
    monkeypatch.setenv("NO_COLOR", "1")
    stream = Terminal()
    make_console(stream, "auto", 20).print(Text("x", "bold magenta"))
    assert stream.getvalue() == "\x1b[1mx\x1b[0m\n"
