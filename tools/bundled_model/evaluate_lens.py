"""Measure the tuned lens on held-out documents: python -m tools.bundled_model.evaluate_lens MODEL DATA FILE.

It prints, for each layer, the mean KL divergence of its prediction from the last layer's, at masked tokens: of the
logit lens (raw), and with the translators in FILE (tuned). The last layer has none.
"""

from argparse import ArgumentParser
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer

from tools.bundled_model.batches import load_corpus
from tools.bundled_model.lens import divergences, load_translators, states_at_masks
from tools.bundled_model.masking import mask_for_evaluation, special_ids
from tools.bundled_model.measure import heldout_batches
from tools.bundled_model.model import load_model
from tools.bundled_model.settings import Settings, add_settings_option


@dataclass(frozen=True, slots=True)
class LensReport:
    """Mean divergences over all masked tokens, in nats, for each layer but the last: (layers,) each."""

    masks: int
    raw: tuple[float, ...]
    tuned: tuple[float, ...]


def evaluate_lens(
    folder: Path, data: Path, file: Path, settings: Settings, device: torch.device, limit: int | None = None
) -> LensReport:
    """Measure a file of translators.

    Args:
        folder: The folder of the checkpoint.
        data: The folder that prepare wrote.
        file: The file.
        settings: The settings that prepare was run with.
        device: The device to compute on.
        limit: Number of batches to measure, None for all.
    """
    special = special_ids(Tokenizer.from_file(str(folder / "tokenizer.json")))
    model, _ = load_model(folder, settings.seed)
    model = model.to(device).eval()
    translators = load_translators(file, model)
    rng = np.random.default_rng(settings.seed)
    parts = []
    with torch.inference_mode():
        for batch in heldout_batches(load_corpus(data, "heldout", settings), settings, special)[:limit]:
            masked = mask_for_evaluation(batch.input_ids, special, settings.masking.evaluate, rng)
            states, last = states_at_masks(model, batch, masked, device)
            both = (divergences(model, each, last) for each in (states, translators(states)))
            parts.append(torch.stack([torch.stack(list(each)) for each in both]))  # (2, layers, masks)
    found = torch.cat(parts, -1).double()
    raw, tuned = found.mean(-1).tolist()
    return LensReport(found.shape[-1], tuple(raw), tuple(tuned))


def main(arguments: list[str] | None = None) -> None:
    """Run the program."""
    parser = ArgumentParser(prog="evaluate_lens", description=__doc__)
    parser.add_argument("model", type=Path, help="folder with config.json, model.safetensors and tokenizer.json")
    parser.add_argument("data", type=Path, help="folder that prepare wrote")
    parser.add_argument("file", type=Path, help="file that train_lens wrote")
    parser.add_argument("--limit", type=int, help="number of batches to measure (default: all)")
    parser.add_argument("--device", type=torch.device, default=torch.device("cpu"), help="cpu or cuda (default: cpu)")
    add_settings_option(parser)
    options = parser.parse_args(arguments)
    report = evaluate_lens(options.model, options.data, options.file, options.settings, options.device, options.limit)
    print("| layer | raw | tuned |\n| --- | --- | --- |")
    for layer, (raw, tuned) in enumerate(zip(report.raw, report.tuned, strict=True)):
        print(f"| {layer} | {raw:.3f} | {tuned:.3f} |")
    print(f"\n{report.masks:,} masks")


if __name__ == "__main__":
    main()
