"""The model in training: loading, the two losses, the optimiser and its learning rate."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import cos, pi
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn
from transformers import BertForPreTraining
from transformers.utils import logging as transformers_logging

from tools.bundled_model.batches import Batch
from tools.bundled_model.masking import Masked
from tools.bundled_model.settings import Training

NEXT_HEAD = "cls.seq_relationship.weight"


@dataclass(frozen=True, slots=True)
class Losses:
    """Mean losses over the masked tokens and over the pairs of a batch. next_sentence is 0 if the batch has no pair."""

    masked: torch.Tensor
    next_sentence: torch.Tensor


@dataclass(frozen=True, slots=True)
class Scores:
    """Logits. mlm is (masked tokens, vocabulary), at the masked positions only. next_sentence is (rows, 2)."""

    mlm: torch.Tensor
    next_sentence: torch.Tensor


def load_model(folder: Path, seed: int) -> tuple[BertForPreTraining, bool]:
    """Load the model in a folder, in float32 and without dropout.

    If the checkpoint has no next-sentence head, its pooler was not trained for one either, so both are initialised at
    random.

    Args:
        folder: The folder of the checkpoint.
        seed: Seed of the random initialisation.

    Returns:
        The model, and True if the checkpoint has a next-sentence head.
    """
    torch.manual_seed(seed)
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    model, loading = BertForPreTraining.from_pretrained(
        folder,
        dtype=torch.float32,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        output_loading_info=True,
    )
    has_next_head = NEXT_HEAD not in loading["missing_keys"]
    if not has_next_head:
        for layer in (model.bert.pooler.dense, model.cls.seq_relationship):
            nn.init.normal_(layer.weight, std=model.config.initializer_range)
            nn.init.zeros_(layer.bias)
    return model, has_next_head


def score(model: BertForPreTraining, batch: Batch, masked: Masked, device: torch.device) -> Scores:
    """Run one batch through the model. No row is padded, so attention needs no mask."""
    hidden_states, pooled = model.bert(
        input_ids=_to(masked.input_ids, device),
        token_type_ids=_to(batch.token_type_ids, device),
        return_dict=False,
    )
    at_masks = hidden_states.flatten(0, 1)[_to(masked.positions, device)]
    return Scores(model.cls.predictions(at_masks), model.cls.seq_relationship(pooled))


def losses(model: BertForPreTraining, batch: Batch, masked: Masked, device: torch.device) -> Losses:
    """Compute the two losses of BERT's objective: masked words and next sentence."""
    with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
        scores = score(model, batch, masked, device)
    mlm = F.cross_entropy(scores.mlm.float(), _to(masked.labels, device))
    labels = _to(batch.next_labels, device)
    pairs = (labels >= 0).sum().clamp(min=1)
    return Losses(mlm, F.cross_entropy(scores.next_sentence.float(), labels, reduction="sum") / pairs)


def make_optimizer(model: BertForPreTraining, settings: Training) -> torch.optim.AdamW:
    """Return AdamW with a higher learning rate for the heads than for the body, and weight decay for matrices only."""
    groups = [
        {"params": parameters, "peak": rate, "lr": 0.0, "weight_decay": decay}
        for rate, is_head in ((settings.body_rate, False), (settings.head_rate, True))
        for decay, is_matrix in ((settings.weight_decay, True), (0.0, False))
        if (parameters := list(_parameters(model, is_head, is_matrix)))
    ]
    return torch.optim.AdamW(groups, lr=0.0, betas=settings.betas, eps=settings.eps, fused=True)


def _parameters(model: BertForPreTraining, is_head: bool, is_matrix: bool) -> Iterator[nn.Parameter]:
    # The decoder is tied to the word embeddings, which named_parameters lists once, under the body.
    for name, parameter in model.named_parameters():
        if name.startswith(("cls.", "bert.pooler.")) == is_head and (parameter.ndim > 1) == is_matrix:
            yield parameter


def set_rates(optimizer: torch.optim.AdamW, share: float) -> None:
    """Set every group's learning rate to a share of its peak."""
    for group in optimizer.param_groups:
        group["lr"] = share * group["peak"]


def rate_share(done: float, begun: float, settings: Training) -> float:
    """Return the learning rate as a share of its peak: a linear ramp, and a cosine from 1 to settings.floor.

    Args:
        done: Share of the training that is done, 0 to 1.
        begun: Share of the training at which the run took over its weights. The ramp is settings.warmup long if that
            is 0, otherwise settings.warmup_again.
        settings: The schedule.
    """
    ramp = settings.warmup if begun == 0 else settings.warmup_again
    cosine = settings.floor + (1 - settings.floor) * (1 + cos(pi * done)) / 2
    return cosine * min(1.0, (done - begun) / ramp) if ramp else cosine


def _to(array: np.ndarray, device: torch.device) -> torch.Tensor:
    return torch.from_numpy(array).to(device)
