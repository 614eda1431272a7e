"""The Typer app: its commands and their help."""

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from bertcli import __version__
from bertcli.cli.help import COMMANDS, app_help, command_help


def make_app(arguments: Sequence[str] | None = None) -> typer.Typer:
    """Return the app.

    Args:
        arguments: The command line. Only the command that it names is built, which saves start-up time. None builds
            all commands.
    """
    app = typer.Typer(
        name="bertcli",
        add_completion=False,
        add_help_option=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        no_args_is_help=False,
    )
    app.callback(invoke_without_command=True)(_bertcli)
    for name in COMMANDS if arguments is None else arguments[:1]:
        if name in COMMANDS:
            _add_command(app, name)
    app.command("help", help="Show the help of bertcli or of a command.", add_help_option=False, hidden=True)(_help)
    return app


def _add_command(app: typer.Typer, name: str) -> None:
    """Build a command with its options. Its modules are imported here, since the help of bertcli needs none of them."""
    from bertcli.cli import commands
    from bertcli.cli.dashes import TextCommand
    from bertcli.cli.groups import with_groups

    function = getattr(commands, name.replace("-", "_"))
    command = with_groups(function, {"short_help": ShortHelp, "full_help": FullHelp})
    app.command(name, cls=TextCommand, help=COMMANDS[name].summary, add_help_option=False)(command)


def _print_version(value: bool) -> None:
    if value:
        typer.echo(f"bertcli {__version__}")
        raise typer.Exit


def _print_short_help(context: typer.Context, value: bool) -> None:
    if value:
        typer.echo(_help_of(context, is_full=False))
        raise typer.Exit


def _print_full_help(context: typer.Context, value: bool) -> None:
    if value:
        typer.echo(_help_of(context, is_full=True))
        raise typer.Exit


def _help_of(context: typer.Context, *, is_full: bool) -> str:
    name = context.info_name
    if context.parent is None or name not in COMMANDS:
        return app_help(is_full=is_full)
    return command_help(name, context.command.params, context, is_full=is_full)


ShortHelp = Annotated[
    bool,
    typer.Option(
        "-h",
        is_eager=True,
        expose_value=False,
        callback=_print_short_help,
        help="Show the help on one screen.",
    ),
]
FullHelp = Annotated[
    bool,
    typer.Option(
        "--help",
        is_eager=True,
        expose_value=False,
        callback=_print_full_help,
        help="Show this help: all options.",
    ),
]


def _bertcli(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("-V", "--version", callback=_print_version, is_eager=True, help="Show the version.")
    ] = False,
    short_help: ShortHelp = False,
    full_help: FullHelp = False,
) -> None:
    if context.invoked_subcommand is None:
        typer.echo(app_help(is_full=False), err=True)
        raise typer.Exit(2)


def _help(
    context: typer.Context,
    command: Annotated[str | None, typer.Argument(metavar="[COMMAND]", help="The command to explain.")] = None,
) -> None:
    if command is None:
        typer.echo(app_help(is_full=True))
        return
    group: Any = typer.main.get_command(make_app([command]))
    found = group.commands.get(command)
    if found is None or command not in COMMANDS:
        from bertcli.cli.usage import explain_command

        raise explain_command([command])
    child = typer.Context(found, info_name=command, parent=context)
    typer.echo(command_help(command, found.params, child, is_full=True))
