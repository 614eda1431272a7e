"""Opening of a run: its model, its texts, and the plan for grouping them."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial

from bertcli.choices import EngineName
from bertcli.commands.options import TextOptions
from bertcli.input.reader import TextReader
from bertcli.input.records import TextSource
from bertcli.model.dtypes import emulation_note
from bertcli.model.request import SessionRequest
from bertcli.model.session import Session, open_session
from bertcli.output.messages import Reporter
from bertcli.output.sink import Sink
from bertcli.pipeline.scheduler import SORT_WINDOW, Plan


def open_texts(
    texts: TextOptions | TextSource, model: SessionRequest, sink: Sink, passes: Callable[[int], float] = lambda size: 1
) -> tuple[Session, TextReader]:
    """Open the model and the texts. Errors of the model are raised before this waits for a text.

    Args:
        texts: The options that name the texts, or the source of the texts.
        model: The checkpoint to open.
        sink: Its reporter announces downloads.
        passes: Returns how many times a text of the given size in bytes goes through the model. The choice of the
            engine needs it.

    Raises:
        BertcliError: The model or the input cannot be opened.
    """
    reader = TextReader(texts if isinstance(texts, TextSource) else texts.source())
    # Cached, since for a pipe it counts what has arrived so far, and a second call would wait for more.
    work = cache(partial(reader.estimate_work, passes))
    session = open_session(model, work, sink.reporter.announce)
    note_doubts(session, sink.reporter)
    return session, reader


def note_doubts(session: Session, reporter: Reporter, device: str | None = None) -> None:
    """Print a note about each thing that may be wrong with a model that has been opened.

    Args:
        session: The open checkpoint.
        reporter: Prints the notes.
        device: The device that computes. None for the one that the session requests.
    """
    if not session.config.architecture.is_tested:
        reporter.note(
            f"model_type {session.config.model_type} is untested: bertcli does not know it, and transformers' "
            f"{session.config.architecture.mlm_class} computes it"
        )
    # With --engine numpy, an error about the dtype follows the notes.
    emulation = emulation_note(session.request.dtype, device or session.request.device)
    if emulation and session.request.engine != EngineName.NUMPY:
        reporter.note(emulation)
    if session.tokenizer.has_guessed_case:
        reporter.note(
            f"texts are not lower-cased, since the vocabulary of {session.checkpoint.name} has capitals and its folder "
            "has no tokenizer_config.json that sets do_lower_case"
        )


def streaming_plan(
    reader: TextReader, *, batch_tokens: int | None = None, is_large: bool = False, parts: int = 1
) -> Plan:
    """Return the plan for answers that are written one by one, each as soon as possible.

    Args:
        reader: The texts. A pipe may be a dialogue, so a pause in it ends a group.
        batch_tokens: Token budget of a batch, None for the session's.
        is_large: Each answer holds a matrix, so keep the answers of only one batch in memory.
        parts: Number of texts that are computed for each text of the input.
    """
    plan = record_plan(batch_tokens=batch_tokens, is_large=is_large, parts=parts)
    return replace(plan, ends_at_silence=reader.total_bytes is None, starts_small=True)


def record_plan(*, batch_tokens: int | None = None, is_large: bool = False, parts: int = 1) -> Plan:
    """Return the plan for records that nobody waits for one by one.

    Args:
        batch_tokens: Token budget of a batch, None for the session's.
        is_large: Each record holds a matrix, so keep the records of only one batch in memory.
        parts: Number of texts that are computed for each text of the input.
    """
    return Plan(
        sort_window=1 if is_large else SORT_WINDOW,
        batch_tokens=batch_tokens,
        prefetch=0 if is_large else 1,
        parts=parts,
    )
