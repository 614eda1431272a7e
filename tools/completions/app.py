"""The commands, options and values to complete, read from the Typer app."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from typer.main import get_command

from bertcli.cli.app import make_app
from bertcli.cli.help import HIDDEN_ALIASES

FILE, MODEL = "FILE", "MODEL"
# Values to offer for options that accept others too, by the metavar in the help.
_KNOWN = {"DEVICE": ("auto", "cpu", "cuda", "mps"), "LAYERS": ("all",)}


@dataclass(frozen=True)
class Option:
    """An option of a command.

    names has the short names first. value is the metavar in the help, None for a flag. choices are the values to offer.
    For FILE the shell offers files, for MODEL bertcli offers models.
    """

    names: Sequence[str]
    help: str
    value: str | None = None
    choices: Sequence[str] = ()


@dataclass(frozen=True)
class Command:
    """A command and its options."""

    name: str
    help: str
    options: Sequence[Option]


def read_app() -> Command:
    """Return the app itself, with the options that precede a command."""
    group, context = _group()
    return Command("bertcli", "", _options(group, context))


def read_commands() -> list[Command]:
    """Return the commands, in the order of the help."""
    group, context = _group()
    return [
        Command(
            name,
            command.get_short_help_str(limit=200),
            _options(command, command.make_context(name, [], parent=context, resilient_parsing=True)),
        )
        for name, command in group.commands.items()
        if not command.hidden
    ]


def _group() -> tuple[Any, Any]:
    group = get_command(make_app())
    return group, group.make_context("bertcli", [], resilient_parsing=True)


def _options(command: Any, context: Any) -> list[Option]:
    parameters = command.get_params(context)
    return [_option(each) for each in parameters if each.param_type_name == "option" and not each.hidden]


def _option(parameter: Any) -> Option:
    names = sorted({*parameter.opts, *parameter.secondary_opts} - HIDDEN_ALIASES, key=len)
    if parameter.is_flag:
        return Option(names, parameter.help)
    choices = getattr(parameter.type, "choices", None)
    if choices:
        return Option(names, parameter.help, parameter.name.upper(), [str(choice) for choice in choices])
    value = FILE if parameter.type.name in ("path", "file") else str(parameter.metavar)
    return Option(names, parameter.help, value, _KNOWN.get(value, ()))
