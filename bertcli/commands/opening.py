"""From the options that commands share to an open session and the texts to put to it."""

from collections.abc import Callable
from dataclasses import fields
from functools import cache, partial

from bertcli.cli.options import ModelOptions, TextOptions
from bertcli.input.reader import TextReader
from bertcli.model.session import Session, SessionRequest, open_session
from bertcli.output.sink import Sink


def session_request(options: ModelOptions) -> SessionRequest:
    """What to open."""
    return SessionRequest(**{field.name: getattr(options, field.name) for field in fields(ModelOptions)})


def open_for_texts(
    texts: TextOptions, model: ModelOptions, sink: Sink, runs: Callable[[int], float] = lambda size: 1
) -> tuple[Session, TextReader]:
    """The model and the texts. What is wrong with the model is found before any text is waited for.

    runs: how often a text of so many bytes goes through the model, by which the engine is chosen.
    """
    reader = TextReader(texts.source())
    # Asked once: of a pipe it takes what has come, and a second time would wait for more.
    work = cache(partial(reader.known_work, runs))
    return open_session(session_request(model), work, sink.announce, sink.note), reader
