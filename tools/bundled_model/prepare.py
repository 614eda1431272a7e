"""Turn a folder of texts into a folder of tokenised documents: python -m tools.bundled_model.prepare TEXTS DATA."""

from argparse import ArgumentParser
from pathlib import Path

from tokenizers import Tokenizer

from tools.bundled_model.documents import Documents, tokenize
from tools.bundled_model.duplicates import HeldoutIndex, without_duplicates
from tools.bundled_model.settings import Settings, Source, add_settings_option
from tools.bundled_model.texts import Block, documents, limit_repetition, split_sentences, split_source

BUNDLED = Path(__file__).parents[2] / "bertcli" / "bundled"
SPLITS = ("train", "heldout")


def prepare(texts: Path, data: Path, tokenizer: Tokenizer, settings: Settings) -> None:
    """Clean the texts, hold out a part, remove near-duplicates, split into sentences and tokenise.

    Args:
        texts: The folder of texts, one file a source.
        data: The folder to write: one file a source in data/train and data/heldout.
        tokenizer: The tokenizer.
        settings: The settings that name the sources.

    Raises:
        SystemExit: A source has no file.
    """
    for name in SPLITS:
        (data / name).mkdir(parents=True, exist_ok=True)
    splits = {source: split_source(texts, source, settings.texts, settings.seed) for source in settings.texts.source}
    heldout = HeldoutIndex(
        (line for split in splits.values() for block in split.heldout for line in block),
        settings.texts.duplicate_words,
        settings.texts.duplicate_share,
    )
    print(f"{'source':14} {'lines':>8} {'removed':>8} {'train tokens':>13} {'held-out tokens':>16}")
    for source, split in splits.items():
        train = without_duplicates(split.train, heldout)
        trained = tokenize(limit_repetition(_sentences(train, source), settings.texts.sentence_limit), tokenizer)
        asked = tokenize(_sentences(split.heldout, source), tokenizer)
        trained.save(data / "train" / f"{source.name}.npz")
        asked.save(data / "heldout" / f"{source.name}.npz")
        _report(source, split.train, train, trained, asked)


def _sentences(blocks: list[Block], source: Source) -> list[list[str]]:
    return [split_sentences(document) for document in documents(blocks, source)]


def _report(source: Source, before: list[Block], after: list[Block], train: Documents, heldout: Documents) -> None:
    lines, kept = sum(map(len, before)), sum(map(len, after))
    print(f"{source.name:14} {lines:8,} {lines - kept:8,} {len(train.ids):13,} {len(heldout.ids):16,}", flush=True)


def main(arguments: list[str] | None = None) -> None:
    """Run the program."""
    parser = ArgumentParser(prog="prepare", description=__doc__)
    parser.add_argument("texts", type=Path, help="folder of NAME.txt.gz or NAME.txt, with the names from the settings")
    parser.add_argument("data", type=Path, help="folder to write")
    parser.add_argument(
        "--tokenizer", type=Path, default=BUNDLED, help="folder with tokenizer.json (default: the bundled model)"
    )
    add_settings_option(parser)
    options = parser.parse_args(arguments)
    tokenizer = Tokenizer.from_file(str(options.tokenizer / "tokenizer.json"))
    prepare(options.texts, options.data, tokenizer, options.settings)


if __name__ == "__main__":
    main()
