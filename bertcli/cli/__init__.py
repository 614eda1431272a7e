"""The Typer app: signatures, option groups and help."""
