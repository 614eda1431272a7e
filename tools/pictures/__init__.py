"""The tables of README.md as pictures."""
