"""Texts that begin with a dash: they are reported instead of being parsed as options."""

import os.path
from collections.abc import Collection, Sequence
from typing import Any

from typer.core import TyperCommand

from bertcli.cli.optional_values import add_left_out_values
from bertcli.errors import WrongUsage
from bertcli.quoting import quoted_word, shortened

MASKS = ("[MASK]", "[mask]", "<mask>")


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
        text = find_dashed_text(arguments, valued)
        if text is not None:
            raise WrongUsage(
                f"the text {shortened(text)} begins with a dash, as options do",
                hint=f"write -- before it: -- {quoted_word(text)}",
            )
        return super().parse_args(ctx, arguments)


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
