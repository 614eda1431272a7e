"""Groups of options: the join of request dataclasses and Typer's parameters.

A group gives one Typer parameter for each field of a dataclass. `with_groups` gives Typer the single options of the
groups that a command takes.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import typer

from bertcli.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Group:
    """Parameters of the command line, by the field of the dataclass that they fill."""

    parameters: Mapping[str, Any]


def with_groups(command: Callable[..., int], eager: Mapping[str, Any]) -> Callable[..., None]:
    """Return a command as Typer takes it: with every option of its groups, and with its exit code raised.

    Args:
        command: The command.
        eager: Annotations of further options, by name, that act by a callback and that the command does not get.
    """
    hints = get_type_hints(command, include_extras=True)
    parameters = inspect.signature(command).parameters
    groups: dict[str, type[Any]] = {}
    shown: list[inspect.Parameter] = []
    for name, parameter in parameters.items():
        group = _group_of(hints[name])
        if group is None:
            shown.append(parameter.replace(annotation=hints[name], kind=inspect.Parameter.KEYWORD_ONLY))
        else:
            groups[name] = get_args(hints[name])[0]
            shown += _single_parameters(groups[name], group)
    for name, annotation in eager.items():
        shown.append(inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=False, annotation=annotation))

    def run(**values: Any) -> None:
        gathered = {
            name: kind(**{each.name: values.pop(each.name) for each in fields(kind) if each.name in values})
            for name, kind in groups.items()
        }
        own = {name: value for name, value in values.items() if name not in eager}
        raise typer.Exit(command(**gathered, **own))

    run.__name__, run.__doc__ = command.__name__, command.__doc__
    run.__signature__ = inspect.Signature(shown)  # type: ignore[attr-defined]
    return run


def _group_of(hint: Any) -> Group | None:
    if get_origin(hint) is not Annotated:
        return None
    return next((each for each in get_args(hint)[1:] if isinstance(each, Group)), None)


def _single_parameters(kind: Any, group: Group) -> list[inspect.Parameter]:
    hints = get_type_hints(kind)
    return [
        inspect.Parameter(
            each.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=[] if each.default is MISSING else each.default,
            annotation=Annotated[hints[each.name], group.parameters[each.name]],
        )
        for each in fields(kind)
        if each.name in group.parameters
    ]
