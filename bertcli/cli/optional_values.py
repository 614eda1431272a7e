"""Options whose value may be left out: --similarity and --lens.

Typer 0.27 has no such options, and its parser would take the text that follows as the value. So a command adds the
value that was left out before Typer parses its arguments.
"""

from collections import deque
from collections.abc import Collection, Sequence
from typing import Any

from bertcli.choices import LensMethod, SimilarityUnit
from bertcli.errors import WrongUsage
from bertcli.quoting import shortened

# The value of an option that is given without one.
_LEFT_OUT = {"--similarity": SimilarityUnit.TEXTS, "--lens": LensMethod.AUTO}
# Options whose texts need a mask, so that no text is a bare word.
_MASKED = {"--lens"}
# Similarity of a text to a value, from 0 to 1, above which it is taken for a typing error: one letter, for these words.
_MIN_SIMILARITY = 0.85


def add_left_out_values(arguments: Sequence[str], parameters: Sequence[Any]) -> list[str]:
    """Return the arguments of a command with the values that were left out.

    Args:
        arguments: The arguments.
        parameters: The parameters of the command, as Typer's objects.

    Raises:
        WrongUsage: The argument after an option is almost one of its values, or is no text that the option can have.
    """
    options = {name: each for each in parameters if each.param_type_name == "option" for name in each.opts}
    with_value = {name for name, each in options.items() if not each.is_flag}
    completed: list[str] = []
    rest = deque(arguments)
    while rest:
        argument = rest.popleft()
        if argument == "--":  # only texts follow
            return [*completed, argument, *rest]
        if argument in _LEFT_OUT and argument in options:
            choices = [str(getattr(choice, "value", choice)) for choice in options[argument].type.choices]
            if rest:
                _check_is_text(argument, rest[0], choices)
            value = rest.popleft() if rest and rest[0] in choices else _LEFT_OUT[argument]
            completed.append(f"{argument}={value}")
            continue
        completed.append(argument)
        if _takes_next(argument, with_value) and rest:
            completed.append(rest.popleft())
    return completed


def _check_is_text(option: str, argument: str, choices: Sequence[str]) -> None:
    """Check that an argument that is not one of the choices may be a text. Raises WrongUsage.

    Args:
        option: The option before it.
        argument: The argument.
        choices: The values of the option.
    """
    from difflib import get_close_matches

    if argument in choices:
        return
    close = get_close_matches(argument.lower(), choices, n=1, cutoff=_MIN_SIMILARITY)
    if close:
        raise WrongUsage(
            f"{option} cannot be {shortened(argument)}",
            hint=f"did you mean {option} {close[0]}? If it is a text, write {option}={_LEFT_OUT[option]} before it",
        )
    if option in _MASKED and argument.isalpha():
        raise WrongUsage(
            f"{option} cannot be {shortened(argument)}, which is no text with a mask either",
            hint=f"use one of {', '.join(choices)}",
        )


def _takes_next(argument: str, with_value: Collection[str]) -> bool:
    """Return True if the value of an option is the next argument.

    Args:
        argument: An argument. Several short options may share it, such as -qk; -k5 holds its own value.
        with_value: The names of the options that need a value.
    """
    if argument.startswith("--"):
        return argument in with_value
    if not argument.startswith("-"):
        return False
    letters = argument[1:]
    first = next((at for at, letter in enumerate(letters) if f"-{letter}" in with_value), None)
    return first is not None and first == len(letters) - 1
