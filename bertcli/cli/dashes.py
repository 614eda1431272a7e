"""Texts that begin with a dash: they are reported instead of being parsed as options."""

import os.path
from collections.abc import Collection, Sequence
from typing import Any

from typer.core import TyperCommand

from bertcli.cli.optional_values import add_left_out_values
from bertcli.errors import WrongUsage
from bertcli.quoting import quoted_word, shortened

MASKS = ("[MASK]", "[mask]", "<mask>")
# Dashes that programs write instead of hyphens: hyphens of Unicode, en dash, em dash, horizontal bar, minus sign.
_LONG_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212"


class TextCommand(TyperCommand):
    """A command whose arguments are texts."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the arguments. Raises WrongUsage for a text that begins with a dash and does not follow --."""
        arguments = add_left_out_values(args, self.params)
        valued = {
            name
            for parameter in self.params
            if parameter.param_type_name == "option" and not getattr(parameter, "is_flag", False)
            for name in parameter.opts
        }
        _check_hyphens(arguments, valued, {name for parameter in self.params for name in parameter.opts})
        text = find_dashed_text(arguments, valued)
        if text is not None:
            raise WrongUsage(
                f"the text {shortened(text)} begins with a dash, as options do",
                hint=f"write -- before it, after all options: -- {quoted_word(text)}",
            )
        return super().parse_args(ctx, arguments)


def _check_hyphens(arguments: Sequence[str], valued: Collection[str], options: Collection[str]) -> None:
    """Raise WrongUsage for an option that begins with another dash than hyphens, as word processors write it."""
    rest = iter(arguments)
    for argument in rest:
        if argument == "--":
            return
        if argument in valued:
            next(rest, None)
        elif (option := find_option_behind_dash(argument, options)) is not None:
            if_text = f"if it is a text, write -- before it, after all options: -- {quoted_word(argument)}"
            raise WrongUsage(
                f"the option {shortened(argument)} begins with another dash than a hyphen",
                hint=f"write {option}; {if_text}",
            )


def find_option_behind_dash(argument: str, options: Collection[str]) -> str | None:
    """Return the option that an argument means if long dashes in it are hyphens, or None.

    Args:
        argument: An argument, such as an option that was copied from a formatted page.
        options: Names of all options.
    """
    name = argument.partition("=")[0].lstrip(f"-{_LONG_DASHES}")
    if not name or not any(dash in argument[: -len(name)] for dash in _LONG_DASHES):
        return None
    option = f"-{name}" if len(name) == 1 else f"--{name}"
    return option if option in options else None


def find_dashed_text(arguments: Sequence[str], valued: Collection[str]) -> str | None:
    """Return the first argument that is a text but would be parsed as options, or None.

    Args:
        arguments: The arguments of a command.
        valued: Names of the options that take a value.
    """
    rest = iter(arguments)
    for argument in rest:
        if argument == "--":
            return None
        if argument in valued:
            next(rest, None)
        elif argument.startswith("-") and argument != "-" and _is_text(argument, valued):
            return argument
    return None


def _is_text(argument: str, valued: Collection[str]) -> bool:
    """Return True if an argument that begins with a dash cannot be options, or their value cannot be meant."""
    if argument.startswith("--"):
        name = argument.partition("=")[0]
        return " " in name or has_mask(name)
    option, value = argument[:2], argument[2:]
    if option not in valued:
        return " " in argument or has_mask(argument)
    if option == "-o":  # a name that need not exist yet
        return has_mask(value)
    if option == "-f":
        return not _may_be_file(value)
    return (" " in value or has_mask(value)) and not _exists(value)


def has_mask(text: str) -> bool:
    """Return True if the text has a mask, in any of the usual spellings."""
    return any(mask in text for mask in MASKS)


def _exists(name: str) -> bool:
    """Return True if there is a file or folder of that name, which may be longer than names can be."""
    return os.path.exists(name)  # noqa: PTH110 - pathlib raises an error for a long text


def _may_be_file(name: str) -> bool:
    """Return True if a value of -f may name a file: one that exists, or a name with a folder, a suffix or a pattern."""
    if _exists(name) or name == "-":
        return True
    return any(character in name for character in "/.*?") and " " not in name and not has_mask(name)
