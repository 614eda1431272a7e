"""Model names for the shell's completion of a command line.

The scripts in completions/ know all commands and options. For the names of the models they run bertcli with VARIABLE
set in the environment, and bertcli prints the names without loading Typer.
"""

import os

from bertcli.errors import ExitCode

VARIABLE, MODELS = "_BERTCLI_COMPLETE", "models"


def is_requested() -> bool:
    """Return True if a completion script runs bertcli to list the models."""
    return os.environ.get(VARIABLE) == MODELS


def print_models() -> ExitCode:
    """Print the name of each model on a line of its own."""
    from bertcli.checkpoints.find import model_names
    from bertcli.output.messages import print_names

    print_names(model_names())
    return ExitCode.DONE
