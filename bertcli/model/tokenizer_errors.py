"""Errors of the tokenizers package, which is written in Rust."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from bertcli.errors import BadText


class TokenizerError(Exception):
    """An error of the tokenizers package, with its message on one line."""


class TokenizerPanic(TokenizerError):
    """A panic of the package's Rust code: a state that its authors did not expect."""


@contextmanager
def catch_tokenizer_errors() -> Iterator[None]:
    """Raise the package's errors and panics as TokenizerError. Other exceptions, such as an interrupt, pass unchanged.

    Raises:
        TokenizerError: The package raised an error.
        TokenizerPanic: Its Rust code panicked.
    """
    try:
        yield
    except BaseException as error:
        # A panic is no Exception, and its class cannot be imported. Errors are of the class Exception itself.
        is_panic = type(error).__name__ == "PanicException"
        if not is_panic and type(error) is not Exception:
            raise
        why = " ".join(str(error).split()) or "it gives no reason"
        raise (TokenizerPanic if is_panic else TokenizerError)(why) from None


@contextmanager
def silence_panics() -> Iterator[None]:
    """Discard what is written to stderr, where Rust reports a panic before it becomes an exception.

    All threads share stderr, so use this only while a checkpoint is opened, when nothing else is written.
    """
    try:
        saved = os.dup(2)
    except OSError:  # stderr is closed
        yield
        return
    try:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 2)
        os.close(null)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)


def text_failure(error: TokenizerError) -> BadText:
    """Return the error of a text that the tokenizer fails on."""
    return BadText(
        f"the tokenizer cannot be used for this text, because it fails: {error}",
        hint="skip the text with --on-error skip, or copy the tokenizer's files again",
    )


def no_tokens() -> BadText:
    """Return the error of a text that has no tokens of its own."""
    return BadText("the text has no tokens: it holds no visible characters", hint="skip it with --on-error skip")


def no_sentence_b(type_vocab_size: int) -> BadText:
    """Return the error of a pair for a model that has one token type only."""
    return BadText(
        f"the model has no sentence B: its type_vocab_size is {type_vocab_size}", hint="leave out sentence B"
    )
