"""Help in two lengths: -h fits one screen, --help has every option, in groups. Both are plain text."""

import shutil
import textwrap
from collections.abc import Iterable, Sequence
from typing import Any

from bertcli.cli.help_texts import APP, COMMANDS, CommandHelp

_MIN_WIDTH, _MAX_WIDTH = 60, 100
# Columns for the names of options; longer names get a line of their own.
_NAMES = 26
# Old names that still work and are not shown.
_HIDDEN = {"--pool"}
_PANEL_ORDER = ("Input", "Vectors", "Predictions", "Shapes", "Heads", "Matrices", "Pages and pictures", "Model",
                "Output", "Corpus", "Other")  # fmt: skip


def app_help(commands: Iterable[str], *, is_full: bool) -> str:
    """Return the help of bertcli itself.

    Args:
        commands: Names of the commands, in order.
        is_full: Return the text of --help, not of -h.
    """
    lines = ["Usage: bertcli COMMAND [OPTIONS] [TEXT]...", "", *_wrap(APP.summary)]
    if is_full:
        lines += ["", *_wrap(APP.details)]
    lines += ["", "Commands:", *_table([(name, COMMANDS[name].summary) for name in commands if name in COMMANDS])]
    lines += ["", *_examples(APP, is_full=is_full)]
    options = [("-h", "Show this help."), ("--help", "Show this help with more examples.")]
    options.append(("-V, --version", "Show the version."))
    lines += ["", "Options:", *_table(options), ""]
    return "\n".join([*lines, *_wrap("Run `bertcli COMMAND -h` for the options of a command.")])


def command_help(name: str, parameters: Sequence[Any], context: Any, *, is_full: bool) -> str:
    """Return the help of a command.

    Args:
        name: The command.
        parameters: Its parameters, as Typer has them.
        context: Typer's context, which knows how values are shown.
        is_full: Return the text of --help, not of -h.
    """
    about = COMMANDS[name]
    takes_texts = any(parameter.param_type_name == "argument" for parameter in parameters)
    usage = f"Usage: bertcli {name} [OPTIONS]{' [TEXT]...' if takes_texts else ''}"
    if is_full:
        lines = [usage, "", *_wrap(f"{about.summary} {about.details}"), "", *_examples(about, is_full=True)]
        return "\n".join([*lines, *_grouped(parameters, context)])
    essential = [parameter for each in about.essentials for parameter in parameters if each in parameter.opts]
    rows = [_row(parameter, context) for parameter in essential]
    lines = [usage, "", *_wrap(about.summary), "", *_examples(about, is_full=False), "", "Options:", *_table(rows), ""]
    return "\n".join([*lines, "Use --help for all options."])


def _examples(about: CommandHelp, *, is_full: bool) -> list[str]:
    examples = [*about.examples, *(about.more_examples if is_full else ())]
    return ["Examples:", *(f"  {example}" for example in examples)]


def _grouped(parameters: Sequence[Any], context: Any) -> Iterable[str]:
    panels: dict[str, list[tuple[str, str]]] = {panel: [] for panel in _PANEL_ORDER}
    for parameter in parameters:
        panels[parameter.rich_help_panel or "Other"].append(_row(parameter, context))
    for panel, rows in panels.items():
        if rows:
            yield from ("", f"{panel}:", *_table(rows))


def _row(parameter: Any, context: Any) -> tuple[str, str]:
    """Return the names of a parameter with its value, and its sentence with its default."""
    if parameter.param_type_name == "argument":
        return parameter.make_metavar(context), parameter.help
    names = ", ".join(name for name in parameter.opts if name not in _HIDDEN)
    value = "" if parameter.is_flag else f" {_value(parameter)}"
    notes = _notes(parameter)
    return f"{names}{value}", f"{parameter.help} [{', '.join(notes)}]" if notes else parameter.help


def _notes(parameter: Any) -> list[str]:
    """Return the default of an option and its environment variable, as far as it has them."""
    notes = []
    if isinstance(parameter.show_default, str):
        notes.append(f"default: {parameter.show_default}")
    elif parameter.show_default and not parameter.is_flag and parameter.default not in (None, []):
        notes.append(f"default: {parameter.default}")
    if parameter.envvar:
        notes.append(f"variable: {parameter.envvar}")
    return notes


def _value(parameter: Any) -> str:
    choices = getattr(parameter.type, "choices", None)
    if choices and not parameter.metavar:
        return "|".join(map(str, (getattr(choice, "value", choice) for choice in choices)))
    return str(parameter.metavar)


def _table(rows: Sequence[tuple[str, str]]) -> list[str]:
    """Return rows of two columns, the second one wrapped."""
    width = _width()
    lines = []
    for name, text in rows:
        first, *rest = textwrap.wrap(text, width - _NAMES - 2, break_on_hyphens=False) or [""]
        if len(name) > _NAMES - 2:
            lines.append(f"  {name}")
            lines.append(f"{' ' * (_NAMES + 2)}{first}")
        else:
            lines.append(f"  {name:<{_NAMES}}{first}".rstrip())
        lines += [f"{' ' * (_NAMES + 2)}{line}" for line in rest]
    return lines


def _wrap(text: str) -> list[str]:
    return textwrap.wrap(text, _width(), break_on_hyphens=False)


def _width() -> int:
    return max(_MIN_WIDTH, min(shutil.get_terminal_size().columns, _MAX_WIDTH))
