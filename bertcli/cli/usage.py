"""Errors of usage in bertcli's own words: Typer's exceptions become WrongUsage with a hint that works."""

import difflib
import shlex
from collections.abc import Sequence
from typing import Any

from bertcli.cli.dashes import has_mask
from bertcli.cli.help import COMMANDS
from bertcli.errors import WrongUsage
from bertcli.quoting import quoted_word

# Similarity of an option to the one that is suggested instead, from 0 to 1.
_MIN_SIMILARITY = 0.75


def explain(error: Any, arguments: Sequence[str]) -> WrongUsage:
    """Return the error to report for an exception of Typer.

    Args:
        error: A usage error. Typer's classes are private, so its attributes show which error it is.
        arguments: The command line.
    """
    context = getattr(error, "ctx", None)
    if context is None:
        command = arguments[0] if arguments and arguments[0] in COMMANDS else None
    else:
        command = context.info_name if context.parent is not None else None
    if command == "help":
        help_hint = "run `bertcli help`, or `bertcli help COMMAND`"
    else:
        help_hint = f"run `bertcli {command} --help` for its options" if command else "run `bertcli --help`"
    if (name := getattr(error, "option_name", None)) is not None:
        return _explain_option(error, str(name), command, arguments, help_hint)
    if (parameter := getattr(error, "param", None)) is not None:
        return _explain_value(error, parameter, arguments)
    if command is None and arguments:
        return explain_command(arguments)
    if "unexpected extra argument" in str(error.message):
        extra = str(error.message).partition(" (")[2].removesuffix(")")
        return WrongUsage(f"{command} does not take the argument '{extra}'", hint="leave it out")
    return WrongUsage(_plain(str(error.format_message())), hint=help_hint)


def _explain_option(error: Any, name: str, command: str | None, arguments: Sequence[str], help_hint: str) -> WrongUsage:
    if not hasattr(error, "possibilities"):
        if "does not take a value" in str(error.message):
            return WrongUsage(f"{name} takes no value", hint=f"write only {name}, or leave it out")
        return WrongUsage(f"{name} needs a value", hint=help_hint)
    if command is None:
        later = next((each for each in arguments if each in COMMANDS), None)
        if later is None:
            return WrongUsage(f"bertcli has no option {name}", hint=help_hint)
        return WrongUsage(f"the option {name} must come after the command", hint=f"write bertcli {later} {name} ...")
    # The name may be a letter from the middle of an argument.
    given = next((each for each in arguments if each.startswith("-") and name.lstrip("-") in each), name)
    close = _similar_options(name, given, error)
    hint = f"did you mean {' or '.join(close)}?" if close else help_hint
    is_long = given.startswith("--")
    if not (close and is_long) and any(parameter.name == "texts" for parameter in error.ctx.command.params):
        hint += (
            f"{' If' if close else '; if'} it is a text, write -- before it, after all options: -- {quoted_word(given)}"
        )
    return WrongUsage(f"{command} has no option {name}", hint=hint)


def _similar_options(name: str, given: str, error: Any) -> Sequence[str]:
    """Return the options to suggest instead of one that does not exist.

    Args:
        name: The option as Typer reports it.
        given: The argument that it is part of: -topk is reported as -t.
        error: Typer's error.
    """
    options = [option for parameter in error.ctx.command.params for option in parameter.opts]
    word = given.partition("=")[0].lstrip("-")
    if f"-{word}" in options:  # --k
        return [f"-{word}"]
    if given.startswith("--"):
        return difflib.get_close_matches(name, error.possibilities or [], cutoff=_MIN_SIMILARITY)
    return difflib.get_close_matches(f"--{word}", options, cutoff=_MIN_SIMILARITY)


def _explain_value(error: Any, parameter: Any, arguments: Sequence[str]) -> WrongUsage:
    option = max(parameter.opts, key=len) if parameter.param_type_name == "option" else "TEXT"
    option = parameter.opts[0] if len(parameter.opts) > 1 and parameter.opts[0].startswith("--") else option
    # Typer names the option even if the value is from the environment.
    if parameter.envvar and not any(each.startswith(tuple(parameter.opts)) for each in arguments):
        option = parameter.envvar
    value = str(error.message).partition(" is not ")[0].strip("'")
    return WrongUsage(f"{option} cannot be '{value}'", hint=f"use {_expected(parameter.type)}")


def _expected(kind: Any) -> str:
    """Describe the values that a parameter takes."""
    choices = getattr(kind, "choices", None)
    if choices:
        return f"one of {', '.join(str(getattr(choice, 'value', choice)) for choice in choices)}"
    if kind.name == "boolean":
        return "1 or 0"
    lowest, highest = getattr(kind, "min", None), getattr(kind, "max", None)
    number = "a number" if "float" in kind.name else "a whole number"
    if lowest is not None and highest is not None:
        return f"{number} from {lowest} to {highest}"
    return number if lowest is None else f"{number} of at least {lowest}"


def explain_command(arguments: Sequence[str]) -> WrongUsage:
    """Return the error for a first argument that is not a command."""
    word = arguments[0]
    if " " in word or has_mask(word):
        command = "fill-mask" if has_mask(word) else "encode"
        return WrongUsage(
            "there is no command, only a text", hint=f"did you mean: bertcli {command} {shlex.join(arguments)}"
        )
    close = difflib.get_close_matches(word, COMMANDS, n=1)
    hint = f"did you mean {close[0]}?" if close else f"the commands are {', '.join(COMMANDS)}"
    return WrongUsage(f"there is no command '{word}'", hint=hint)


def _plain(message: str) -> str:
    """Return a sentence of Typer's without its capital and full stop."""
    return (message[:1].lower() + message[1:]).rstrip(".")
