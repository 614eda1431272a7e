"""Texts from arguments, files and standard input."""
