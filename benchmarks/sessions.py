"""Runs of bertcli inside this process, over a checkpoint that is open already.

A run reads a file of lines and groups its texts as the command does. It raises the error of a text that fails.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeVar

from bertcli.choices import DtypeName, EngineName
from bertcli.commands.opening import streaming_plan
from bertcli.input.reader import TextReader
from bertcli.input.records import FailedText, TextSource
from bertcli.model.dtypes import is_multiplied_by_processor
from bertcli.model.request import SessionRequest
from bertcli.model.session import Session, open_session
from bertcli.output.messages import Reporter
from bertcli.pipeline.documents import Check
from bertcli.pipeline.scheduler import Compute, Plan, Run

Answer = TypeVar("Answer")


def fast_dtypes() -> list[DtypeName]:
    """Return float32, and bfloat16 if the processor multiplies it: emulation would be measured for an hour."""
    return [DtypeName.FLOAT32, *([DtypeName.BFLOAT16] if is_multiplied_by_processor("bfloat16") else [])]


def open_torch_session(folder: Path, *, truncate: bool = False, dtype: DtypeName = DtypeName.FLOAT32) -> Session:
    """Open a checkpoint with the torch engine on the CPU, which `--engine auto` chooses for many texts."""
    request = SessionRequest(str(folder), engine=EngineName.TORCH, device="cpu", dtype=dtype, truncate=truncate)
    return open_session(request)


def open_lines(file: Path) -> TextReader:
    """Open a file of lines."""
    return TextReader(TextSource(file=file))


def open_run(session: Session, reader: TextReader, plan: Plan) -> Run:
    """Return a run over the texts of a reader, without progress and notes."""
    reporter = Reporter(quiet=True)
    return Run(session, reader, plan, reporter, reporter.note)


def stream_answers(
    session: Session,
    file: Path,
    compute: Compute[Answer],
    check: Check | None = None,
    plan: Plan | None = None,
) -> Iterator[Answer]:
    """Yield the answer of each line of a file.

    Args:
        session: The open checkpoint.
        file: The texts, one a line.
        compute: Returns the answers of a batch.
        check: Returns a FailedText for a text that the analysis cannot take.
        plan: Rules for grouping the texts, None for those of fill-mask.
    """
    reader = open_lines(file)
    with open_run(session, reader, plan or streaming_plan(reader)) as run:
        yield from without_failed(run.answers(compute, check=check))


def without_failed(answers: Iterable[Answer | FailedText]) -> Iterator[Answer]:
    """Yield the answers. Raise the error of the first text that failed."""
    for answer in answers:
        if isinstance(answer, FailedText):
            raise answer.error.with_prefix(answer.place)
        yield answer
