"""From the options that commands share to an open session and the texts to put to it."""

from dataclasses import fields

from bertcli.commands.sink import Sink
from bertcli.core.session import Session, SessionRequest, open_session
from bertcli.options import ModelOptions, TextOptions
from bertcli.texts import TextReader


def session_request(options: ModelOptions) -> SessionRequest:
    """What to open."""
    return SessionRequest(**{field.name: getattr(options, field.name) for field in fields(SessionRequest)})


def open_for_texts(texts: TextOptions, model: ModelOptions, sink: Sink) -> tuple[Session, TextReader]:
    """The model and the texts. What is wrong with the model is found before any text is waited for."""
    reader = TextReader(texts.source())
    return open_session(session_request(model), reader.known_bytes, sink.announce), reader
