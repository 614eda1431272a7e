"""Schemas of the records of each command, one file a command."""
