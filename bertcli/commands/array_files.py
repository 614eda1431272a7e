"""The array files that more than one command writes."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, BinaryIO

import numpy as np

from bertcli.commands.sink import ArrayWriters
from bertcli.core.session import Session
from bertcli.writers.arrays import Column, TensorsWriter, save_npz, save_safetensors

TENSOR_SUFFIXES = (".npz", ".safetensors")


def tensor_writers(
    session: Session, columns: Mapping[str, Column], constants: Mapping[str, Any] | None = None
) -> ArrayWriters:
    """Writers of .npz and .safetensors with these arrays, and with the attention_mask and input_ids they belong to."""
    pad_token_id = session.tokenizer.pad_token_id
    everything = {
        **columns,
        "attention_mask": Column(lambda record: np.ones(len(record.text.tokens), np.int64)),
        "input_ids": Column(lambda record: np.array(record.text.input_ids), fill=pad_token_id, missing=pad_token_id),
    }
    metadata = {"format": "np", "model": session.checkpoint.name}
    saves: Mapping[str, Callable[[BinaryIO, Mapping[str, Any]], None]] = {
        ".npz": save_npz,
        ".safetensors": partial(save_safetensors, metadata=metadata),
    }
    return {
        suffix: partial(TensorsWriter, columns=everything, constants=constants or {}, save=save)
        for suffix, save in saves.items()
    }
