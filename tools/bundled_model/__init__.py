"""How the bundled model is made: prepare, train, evaluate, export. README.md says in which order."""
