"""README.md's commands and what stands beneath them: `python -m tools.readme` writes it anew."""
