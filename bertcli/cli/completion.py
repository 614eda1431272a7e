"""Completion of model names, the only part of completion that the scripts cannot know in advance.

The scripts in completions/ run bertcli with QUESTION in the environment. Typer is not loaded for this.
"""

import os

from bertcli.errors import ExitCode

QUESTION, MODELS = "_BERTCLI_COMPLETE", "models"


def is_asked() -> bool:
    """Return True if a completion script has started this process."""
    return os.environ.get(QUESTION) == MODELS


def complete() -> ExitCode:
    """Print the names of the models, one a line."""
    from bertcli.checkpoints.find import model_names
    from bertcli.output.messages import print_names

    print_names(model_names())
    return ExitCode.DONE
