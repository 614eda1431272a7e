"""Measure a model on held-out documents and everyday sentences: python -m tools.bundled_model.evaluate MODEL DATA."""

import json
from argparse import ArgumentParser
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from tokenizers import Tokenizer

from tools.bundled_model.batches import load_corpus
from tools.bundled_model.masking import special_ids
from tools.bundled_model.measure import Figures, answer, by_position, by_source, heldout_batches
from tools.bundled_model.model import load_model
from tools.bundled_model.probes import ProbeAnswer, ask
from tools.bundled_model.settings import Settings, add_settings_option
from tools.bundled_model.vectors import cosines, rank_correlation, sentence_pairs

_POSITIONS = (0, 64, 128, 256, 512)
_SENTENCE_PAIRS = 2000


@dataclass(frozen=True, slots=True)
class Report:
    """All measurements of a model.

    sources has a line for each source and one for all together. positions covers long examples, which come only from
    dialogues and books. sentence_vectors is the rank correlation between the cosines of this model and of a reference,
    None without a reference.
    """

    has_next_head: bool
    sources: tuple[Figures, ...]
    positions: tuple[Figures, ...]
    probes: tuple[ProbeAnswer, ...]
    sentence_vectors: float | None = None


def evaluate(
    folder: Path,
    data: Path,
    settings: Settings,
    device: torch.device,
    limit: int | None = None,
    reference: Path | None = None,
) -> Report:
    """Measure a checkpoint.

    Args:
        folder: The folder of the checkpoint.
        data: The folder that prepare wrote.
        settings: The settings that prepare was run with.
        device: The device to compute on.
        limit: Number of batches to measure, None for all.
        reference: The folder of a model to compare sentence vectors with.
    """
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    special = special_ids(tokenizer)
    corpus = load_corpus(data, "heldout", settings)
    model, has_next_head = load_model(folder, settings.seed)
    model = model.to(device)
    short, long = (
        answer(model, heldout_batches(corpus, settings, special, is_long)[:limit], special, settings, device)
        for is_long in (False, True)
    )
    pairs = sentence_pairs(corpus, _SENTENCE_PAIRS, settings.seed) if reference else []
    return Report(
        has_next_head,
        tuple(by_source(short)),
        tuple(by_position(long, _POSITIONS)),
        tuple(ask(model.eval(), tokenizer, device)),
        rank_correlation(cosines(folder, pairs, device), cosines(reference, pairs, device)) if reference else None,
    )


def print_report(report: Report) -> None:
    """Print the report as tables."""
    print_figures("source", report.sources, report.has_next_head)
    print("\nlong examples by position")
    print_figures("position", report.positions, False)
    print(f"\n{'probe':44} {'wanted':8} {'place':>5} {'prob.':>6}  likeliest")
    for probe in report.probes:
        words = " ".join(probe.likeliest)
        print(f"{probe.text:44} {probe.wanted:8} {probe.place:5} {probe.probability:6.3f}  {words}")
    first, first_five = (sum(probe.place <= place for probe in report.probes) for place in (1, 5))
    print(f"first: {first} of {len(report.probes)}, in the first five: {first_five}")
    if report.sentence_vectors is not None:
        print(f"rank correlation of sentence-vector cosines with the reference: {report.sentence_vectors:.3f}")


def print_figures(title: str, lines: Sequence[Figures], has_next_head: bool) -> None:
    """Print a line for each of the figures. A cell without a measurement is empty."""
    print(f"{title:14} {'masks':>7} {'loss':>6} {'top-1':>6} {'top-5':>6} {'pairs':>6} {'next':>6}")
    for line in lines:
        next_sentence = _percent(line.next_sentence if has_next_head else None)
        loss = "" if line.loss is None else f"{line.loss:.3f}"
        print(
            f"{line.name:14} {line.masks:7,} {loss:>6} {_percent(line.top1)} {_percent(line.top5)} "
            f"{line.pairs:6,} {next_sentence}"
        )


def _percent(share: float | None) -> str:
    return f"{'' if share is None else format(100 * share, '.1f'):>6}"


def main(arguments: list[str] | None = None) -> None:
    """Run the program."""
    parser = ArgumentParser(prog="evaluate", description=__doc__)
    parser.add_argument("model", type=Path, help="folder with config.json, model.safetensors and tokenizer.json")
    parser.add_argument("data", type=Path, help="folder that prepare wrote")
    parser.add_argument("--limit", type=int, help="number of batches to measure (default: all)")
    parser.add_argument(
        "--reference", type=Path, metavar="FOLDER", help="compare sentence vectors with those of this model"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of tables")
    parser.add_argument("--device", type=torch.device, default=torch.device("cpu"), help="cpu or cuda (default: cpu)")
    add_settings_option(parser)
    options = parser.parse_args(arguments)
    report = evaluate(options.model, options.data, options.settings, options.device, options.limit, options.reference)
    if options.json:
        print(json.dumps(asdict(report), indent=1))
    else:
        print_report(report)


if __name__ == "__main__":
    main()
