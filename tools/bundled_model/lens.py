"""Translators of the tuned lens (Belrose et al. 2023): the module that is trained, its loss, and its file."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from safetensors.torch import save
from torch import nn
from transformers import BertForPreTraining

from bertcli.checkpoints.translators import HEAD_LOGITS, bias_name, head_probe, read_translators, weight_name
from bertcli.model.ops.numpy_ops import widen
from tools.bundled_model.batches import Batch
from tools.bundled_model.masking import Masked


class Translators(nn.Module):
    """Affine maps of all hidden states but the last: h to h + A h + b. They begin as identities.

    Args:
        layers: Number of hidden states to map.
        hidden_size: Size of a hidden state.
    """

    def __init__(self, layers: int, hidden_size: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(layers, hidden_size, hidden_size))
        self.bias = nn.Parameter(torch.zeros(layers, hidden_size))

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        """Map the states of each layer, (layers, n, hidden)."""
        return states + torch.baddbmm(self.bias[:, None], states, self.weight.mT)


def states_at_masks(
    model: BertForPreTraining, batch: Batch, masked: Masked, device: torch.device
) -> tuple[torch.Tensor, torch.Tensor]:
    """Run one batch through the body.

    Returns:
        The hidden states at the masked tokens: those of the embeddings and of all layers but the last,
        (layers, n, hidden), and those of the last layer, (n, hidden).
    """
    inputs = (torch.from_numpy(ids).to(device) for ids in (masked.input_ids, batch.token_type_ids))
    input_ids, token_type_ids = inputs
    with torch.no_grad():
        states = model.bert(input_ids, token_type_ids=token_type_ids, output_hidden_states=True).hidden_states
    positions = torch.from_numpy(masked.positions).to(device)
    at_masks = torch.stack([state.flatten(0, 1)[positions] for state in states])
    return at_masks[:-1], at_masks[-1]


def divergences(model: BertForPreTraining, states: torch.Tensor, last: torch.Tensor) -> Iterator[torch.Tensor]:
    """Yield KL(prediction of the last layer || prediction of a layer), in nats, for each layer: (n,) each.

    Args:
        model: The model, for its MLM head.
        states: Hidden states, mapped or not, (layers, n, hidden).
        last: Hidden states of the last layer, (n, hidden).
    """
    with torch.no_grad():
        wanted = model.cls.predictions(last).log_softmax(-1)
    for state in states:
        found = model.cls.predictions(state).log_softmax(-1)
        yield F.kl_div(found, wanted, reduction="none", log_target=True).sum(-1)


def save_translators(translators: Translators, model: BertForPreTraining, name: str, path: Path) -> None:
    """Write the translators in float16, in the format of --lens-file, which docs/fill-mask.md describes.

    Args:
        translators: The translators.
        model: The model, for the logits of its MLM head that the file holds.
        name: Name of the model, for messages.
        path: The file to write.
    """
    probe = torch.from_numpy(head_probe(model.config.hidden_size))
    with torch.no_grad():
        tensors = {HEAD_LOGITS: model.cls.predictions(probe.to(model.device))[0]}
    for layer, (weight, bias) in enumerate(zip(translators.weight, translators.bias, strict=True)):
        tensors |= {weight_name(layer): weight.detach(), bias_name(layer): bias.detach()}
    stored = {key: tensor.half().cpu().contiguous() for key, tensor in tensors.items()}
    # save_file would make a file that only its owner may read.
    path.write_bytes(save(stored, metadata={"model": name}))


def load_translators(path: Path, model: BertForPreTraining) -> Translators:
    """Read the file that save_translators wrote.

    Args:
        path: The file.
        model: The model that they belong to.

    Raises:
        WrongUsage: The file does not fit the model.
    """
    config = model.config
    stored = read_translators(path, config.num_hidden_layers, config.hidden_size, config.vocab_size)
    translators = Translators(config.num_hidden_layers, config.hidden_size)
    translators.load_state_dict({"weight": _stacked(stored.weights), "bias": _stacked(stored.biases)})
    return translators.to(model.device)


def _stacked(arrays: Sequence[np.ndarray]) -> torch.Tensor:
    return torch.from_numpy(np.stack([widen(array) for array in arrays]))
