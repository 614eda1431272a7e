"""The command line: a Typer app with its option groups, help and usage errors."""
