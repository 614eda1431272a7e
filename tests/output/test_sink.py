"""The sink: what is promised about a file that is not complete yet."""

from pathlib import Path

import pytest

from bertcli.choices import OnError
from bertcli.interrupts import INTERRUPTS
from bertcli.output.destination import OutputFormats, OutputOptions, resolve_destination
from bertcli.output.messages import Reporter
from bertcli.output.sink import Sink
from tests.output import samples
from tests.output.test_records import INFO, SCHEMAS


def test_no_note_says_that_a_file_is_unchanged_once_it_may_be_complete(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes: list[str | None] = []
    replace = Path.replace

    def replace_and_look(source: Path, target: Path) -> Path:
        notes.append(INTERRUPTS.note)
        return replace(source, target)

    monkeypatch.setattr(Path, "replace", replace_and_look)
    options = OutputOptions(output=str(tmp_path / "out.tsv"))
    sink = Sink(resolve_destination(options, OutputFormats("encode")), options, OnError.STOP, Reporter(quiet=True))
    assert INTERRUPTS.note is not None and INTERRUPTS.note.endswith("out.tsv is not written")
    sink.write(INFO, SCHEMAS["encode"][0], [samples.encode_record()])
    assert notes == [None]
    assert (tmp_path / "out.tsv").exists()
