"""The console examples of README.md and docs/*.md. `python -m tools.docs` refreshes their outputs."""
