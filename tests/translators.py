"""Files of random translators for the tuned lens, and the lens computed by hand over transformers' hidden states."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

from tests.reference import load

Tensors = dict[str, torch.Tensor]


def random_translators(folder: Path, *, std: float = 0.3, seed: int = 0) -> Tensors:
    """Return translators for a checkpoint with every tensor of their file, in float32.

    Args:
        folder: The folder of a BertForMaskedLM.
        std: Standard deviation of the maps. With 0 they are identities.
        seed: Seed of the maps.
    """
    model = load("BertForMaskedLM", folder)
    hidden = model.config.hidden_size
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        tensors = {"head_logits": model.cls(torch.arange(hidden).double().cos().float()[None])[0]}
    for layer in range(model.config.num_hidden_layers):
        tensors[f"layers.{layer}.weight"] = std * torch.randn(hidden, hidden, generator=generator)
        tensors[f"layers.{layer}.bias"] = std * torch.randn(hidden, generator=generator)
    return tensors


def save_translators(path: Path, tensors: Tensors, dtype: torch.dtype = torch.float32, model: str = "") -> Path:
    """Write translators as the user of --lens-file would, and return the path."""
    metadata = {"model": model} if model else None
    save_file({name: each.to(dtype).contiguous() for name, each in tensors.items()}, path, metadata)
    return path


def lens_by_hand(folder: Path, ids: Sequence[int], tensors: Tensors) -> list[np.ndarray]:
    """Return ln p at every position, (seq, vocab), for each hidden state, in float64."""
    model = load("BertForMaskedLM", folder)
    with torch.no_grad():
        *states, last = model(torch.tensor([list(ids)]), output_hidden_states=True).hidden_states
        mapped = []
        for layer, state in enumerate(states):
            weight, bias = (tensors[f"layers.{layer}.{part}"].float().numpy() for part in ("weight", "bias"))
            rows = [vector + np.array([row @ vector for row in weight]) + bias for vector in state[0].numpy()]
            mapped.append(torch.from_numpy(np.stack(rows)))
        return [model.cls(each[None])[0].double().log_softmax(-1).numpy() for each in (*mapped, last[0])]
