"""Writing of records and failed texts, as a sink does it."""

from collections.abc import Iterable
from typing import Any

from bertcli.input.records import FailedText
from bertcli.output.records import RecordWriter


def write_all(writer: RecordWriter, records: Iterable[Any]) -> None:
    """Write each record, skip each failed text, and finish."""
    for each in records:
        if isinstance(each, FailedText):
            writer.skip(each)
        else:
            writer.write(each)
    writer.finish()
