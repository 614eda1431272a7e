"""What there is to complete, read off the app: its commands, their options, and the values that these take."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from typer.main import get_command

from bertcli.cli.app import app

FILE, MODEL = "FILE", "MODEL"
# The values that an option is known to take where the app leaves them open, by what help calls such a value.
_KNOWN = {"DEVICE": ("auto", "cpu", "cuda", "mps"), "LAYERS": ("all",)}


@dataclass(frozen=True)
class Option:
    """names: short ones first. value: what help calls its value, None of a flag. choices: the values to offer.

    Of FILE the shell knows the files, of MODEL bertcli knows the models.
    """

    names: Sequence[str]
    help: str
    value: str | None = None
    choices: Sequence[str] = ()


@dataclass(frozen=True)
class Command:
    """A verb, and every option that it has."""

    name: str
    help: str
    options: Sequence[Option]


def read_app() -> Command:
    """The app itself, with the options that stand before a command."""
    group, context = _group()
    return Command("bertcli", "", _options(group, context))


def read_commands() -> list[Command]:
    """The commands, in the order of help."""
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
    group = get_command(app)
    return group, group.make_context("bertcli", [], resilient_parsing=True)


def _options(command: Any, context: Any) -> list[Option]:
    parameters = command.get_params(context)
    return [_option(each) for each in parameters if each.param_type_name == "option" and not each.hidden]


def _option(parameter: Any) -> Option:
    names = sorted([*parameter.opts, *parameter.secondary_opts], key=len)
    if parameter.is_flag:
        return Option(names, parameter.help)
    choices = getattr(parameter.type, "choices", None)
    if choices:
        return Option(names, parameter.help, parameter.name.upper(), [str(choice) for choice in choices])
    value = FILE if parameter.type.name in ("path", "file") else str(parameter.metavar)
    return Option(names, parameter.help, value, _KNOWN.get(value, ()))
