"""Checkpoints for the benchmarks: the bundled model in float32, and a random one of bert-base's size.

Run as a program, this module saves the random checkpoint. That keeps the process that measures others small, since a
child process inherits its parent's peak memory.

    python benchmarks/checkpoints.py FOLDER
"""

import shutil
import sys
from pathlib import Path

from bertcli.checkpoints.find import BUNDLED_FOLDER

TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "vocab.txt")


def save_random_bert_base(folder: Path) -> Path:
    """Save a BertForMaskedLM of bert-base-uncased's size with random float32 weights, and return the folder."""
    import torch
    import transformers

    torch.manual_seed(0)
    transformers.BertForMaskedLM(transformers.BertConfig()).save_pretrained(folder)
    copy_tokenizer(folder)
    return folder


def save_float32_bundled(folder: Path) -> Path:
    """Save the bundled model in float32, so that every library computes in float32, and return the folder."""
    import torch
    import transformers

    transformers.BertForPreTraining.from_pretrained(BUNDLED_FOLDER, dtype=torch.float32).save_pretrained(folder)
    copy_tokenizer(folder)
    return folder


def copy_tokenizer(folder: Path) -> None:
    """Copy the files of the bundled tokenizer."""
    for name in TOKENIZER_FILES:
        shutil.copy(BUNDLED_FOLDER / name, folder)


if __name__ == "__main__":
    save_random_bert_base(Path(sys.argv[1]))
