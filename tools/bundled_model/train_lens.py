"""Train the translators of the tuned lens: python -m tools.bundled_model.train_lens MODEL DATA FILE.

The loss is the mean KL divergence of each layer's prediction from the last layer's, at masked tokens. The model itself
is not changed.
"""

from argparse import ArgumentParser
from itertools import cycle, islice
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer

from tools.bundled_model.batches import Batch, Corpus, load_corpus, make_batches, round_examples
from tools.bundled_model.lens import Translators, divergences, save_translators, states_at_masks
from tools.bundled_model.masking import SpecialIds, mask_for_evaluation, special_ids
from tools.bundled_model.model import load_model
from tools.bundled_model.settings import Settings, add_settings_option

_RATE = 1e-3
_REPORT_STEPS = 20


def train(
    folder: Path, data: Path, settings: Settings, device: torch.device, steps: int, rate: float = _RATE
) -> tuple[Translators, list[list[float]]]:
    """Train translators for a checkpoint, and print the divergence of each layer from time to time.

    Args:
        folder: The folder of the checkpoint.
        data: The folder that prepare wrote.
        settings: The settings that prepare was run with.
        device: The device to compute on.
        steps: Number of batches to train on.
        rate: Learning rate at the beginning. It falls to zero along a cosine.

    Returns:
        The translators, and the mean divergence of each layer in each step.
    """
    special = special_ids(Tokenizer.from_file(str(folder / "tokenizer.json")))
    model, _ = load_model(folder, settings.seed)
    model = model.to(device).eval().requires_grad_(False)
    translators = Translators(model.config.num_hidden_layers, model.config.hidden_size).to(device)
    optimizer = torch.optim.Adam(translators.parameters(), lr=rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    rng = np.random.default_rng(settings.seed)
    batches = training_batches(load_corpus(data, "train", settings), settings, special, rng)
    curve: list[list[float]] = []
    for batch in islice(cycle(batches), steps):
        masked = mask_for_evaluation(batch.input_ids, special, settings.masking.evaluate, rng)
        states, last = states_at_masks(model, batch, masked, device)
        optimizer.zero_grad()
        means = [divergence.mean() for divergence in divergences(model, translators(states), last)]
        torch.stack(means).sum().backward()
        optimizer.step()
        schedule.step()
        curve.append([mean.item() for mean in means])
        if len(curve) % _REPORT_STEPS == 0:
            print(f"step {len(curve):5}", *(f"{mean:.3f}" for mean in np.mean(curve[-_REPORT_STEPS:], 0)), flush=True)
    return translators, curve


def training_batches(corpus: Corpus, settings: Settings, special: SpecialIds, rng: np.random.Generator) -> list[Batch]:
    """Return the batches of one round from the middle of the model's training, in random order."""
    examples = round_examples(corpus, settings, settings.training.rounds // 2)
    return make_batches(examples, settings.training.batch_tokens, special, rng)


def main(arguments: list[str] | None = None) -> None:
    """Run the program."""
    parser = ArgumentParser(prog="train_lens", description=__doc__)
    parser.add_argument("model", type=Path, help="folder with config.json, model.safetensors and tokenizer.json")
    parser.add_argument("data", type=Path, help="folder that prepare wrote")
    parser.add_argument("file", type=Path, help="file to write, such as lens.safetensors")
    parser.add_argument("--steps", type=int, default=240, help="number of batches (default: 240)")
    parser.add_argument("--rate", type=float, default=_RATE, help=f"learning rate (default: {_RATE})")
    parser.add_argument("--device", type=torch.device, default=torch.device("cpu"), help="cpu or cuda (default: cpu)")
    add_settings_option(parser)
    options = parser.parse_args(arguments)
    translators, _ = train(options.model, options.data, options.settings, options.device, options.steps, options.rate)
    model, _ = load_model(options.model, options.settings.seed)
    save_translators(translators, model, options.model.resolve().name, options.file)


if __name__ == "__main__":
    main()
