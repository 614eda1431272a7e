"""Catalogs of the fields of each kind of run, one file a command. docs/output.md describes the fields at length."""
