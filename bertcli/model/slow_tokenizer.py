"""The tokenizer of a folder that has only a vocabulary of a kind that transformers must convert."""

import logging
from pathlib import Path

import transformers
from tokenizers import Tokenizer
from transformers.utils import logging as transformers_logging

from bertcli.errors import BadCheckpoint
from bertcli.model.tokenizer_errors import catch_tokenizer_errors

# transformers logs every load to stderr and draws progress bars there. bertcli itself reports what a user needs.
transformers_logging.set_verbosity(logging.CRITICAL)
transformers_logging.disable_progress_bar()


def load_slow_tokenizer(folder: Path) -> Tokenizer:
    """Have transformers convert the vocabulary of a folder that has no tokenizer.json.

    Raises:
        BadCheckpoint: transformers cannot convert it, or a package that it needs is not installed.
    """
    try:
        with catch_tokenizer_errors():
            tokenizer = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
            return Tokenizer.from_str(tokenizer.backend_tokenizer.to_str())
    except Exception as error:  # each kind of vocabulary raises errors of its own
        why = " ".join(str(error).split()) or type(error).__name__
        raise BadCheckpoint(
            f"{folder} has no tokenizer.json, and transformers cannot convert its vocabulary: {why}",
            hint="install the package that it names (often: pip install sentencepiece), or save the tokenizer as "
            "tokenizer.json",
        ) from None
