"""The programs that make the bundled model: prepare, train, export, evaluate. README.md explains how to run them."""
