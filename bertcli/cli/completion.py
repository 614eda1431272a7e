"""What a shell asks for when a command line is completed, and its script cannot know: which models there are.

The scripts in completions/ run bertcli with QUESTION in the environment, and Typer is not loaded for the answer.
"""

import os

from bertcli.errors import ExitCode

QUESTION, MODELS = "_BERTCLI_COMPLETE", "models"


def is_asked() -> bool:
    """Whether a shell asks, and not a person."""
    return os.environ.get(QUESTION) == MODELS


def complete() -> ExitCode:
    """Tell the names of the models, a line each."""
    from bertcli.checkpoints.find import model_names
    from bertcli.output.messages import print_names

    print_names(model_names())
    return ExitCode.DONE
