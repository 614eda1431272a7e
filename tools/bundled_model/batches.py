"""Batches of examples. All rows of a batch have one length, so nothing is padded and attention needs no mask."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tools.bundled_model.documents import Documents, load_documents
from tools.bundled_model.examples import PAIR_SPECIAL, SINGLE_SPECIAL, Example, PairMaker, single_examples
from tools.bundled_model.masking import SpecialIds
from tools.bundled_model.settings import Examples, Settings, Source

Corpus = Mapping[Source, Documents]
Array = npt.NDArray[np.int64]
NO_PAIR = -100  # the label that torch's cross-entropy ignores


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of one length.

    input_ids and token_type_ids are (rows, seq). next_labels is (rows,): 0 if B follows A, 1 if it does not (BERT's
    convention), NO_PAIR for a row that is a single segment. sources names the source of each row.
    """

    input_ids: Array
    token_type_ids: Array
    next_labels: Array
    sources: tuple[str, ...]


def load_corpus(data: Path, split: str, settings: Settings) -> dict[Source, Documents]:
    """Read the documents of every source that prepare wrote.

    Args:
        data: The folder that prepare wrote.
        split: "train" or "heldout".
        settings: The settings that name the sources.
    """
    return {source: load_documents(data / split / f"{source.name}.npz") for source in settings.texts.source}


def round_examples(corpus: Corpus, settings: Settings, number: int) -> list[Example]:
    """Cut the examples of one round of training.

    In each source a round continues where the round before it stopped.
    """
    wanted = examples_at(number / settings.training.rounds, settings.examples)
    examples: list[Example] = []
    for source, documents in corpus.items():
        rng = np.random.default_rng([settings.seed, number, *source.name.encode()])
        indices = round_documents(documents, source, settings, number)
        examples += cut_documents(documents, source, indices, wanted, rng)
    return examples


def examples_at(done: float, settings: Examples) -> Examples:
    """Return the settings of examples at a point of the training: short at the beginning, some long ones at the end.

    The same number of tokens holds more short pairs than long ones, and a new next-sentence head must see many pairs
    before it learns.

    Args:
        done: Share of the training that is done, 0 to 1.
        settings: The settings for the whole training.
    """
    if done < settings.early_until:
        return replace(settings, length=settings.early_length, long=0.0)
    return replace(settings, long=settings.long_late) if done >= settings.long_from else settings


def round_documents(documents: Documents, source: Source, settings: Settings, number: int) -> Iterator[int]:
    """Yield the indices of the documents that a round reads from a source: its part of successive shuffled passes."""
    order: dict[int, Array] = {}
    first, end = (int(_documents_before(documents, source, settings, each)) for each in (number, number + 1))
    for position in range(first, end):
        turn, place = divmod(position, len(documents))
        if turn not in order:
            rng = np.random.default_rng([settings.seed, turn, *source.name.encode()])
            order[turn] = rng.permutation(len(documents))
        yield int(order[turn][place])


def _documents_before(documents: Documents, source: Source, settings: Settings, number: int) -> float:
    """Return the number of documents of a source that the earlier rounds read."""
    training = settings.training
    a_round = training.tokens / max(1, len(documents.ids)) * len(documents) / training.rounds
    late = max(0, number - math.ceil(training.late_from * training.rounds))
    late_share = source.share if source.late_share is None else source.late_share
    return a_round * ((number - late) * source.share + late * late_share)


def cut_documents(
    documents: Documents,
    source: Source,
    indices: Iterable[int],
    settings: Examples,
    rng: np.random.Generator,
) -> Iterator[Example]:
    """Yield the examples of some documents: pairs if the source has them, otherwise single segments."""
    maker = PairMaker(source.name, documents, settings)
    for index in indices:
        if source.has_pairs:
            yield from maker.examples(index, rng)
        else:
            yield from single_examples(source.name, documents[index], settings.length)


def make_batches(
    examples: Sequence[Example], tokens: int, special: SpecialIds, rng: np.random.Generator
) -> list[Batch]:
    """Return all examples as batches, in random order.

    Rows that do not fill a batch of their length are shortened and join the rows of the next shorter length.

    Args:
        examples: The examples, of any length.
        tokens: Largest number of tokens in a batch (a row longer than that is a batch of its own).
        special: Ids of the special tokens.
        rng: Draws the order.
    """
    by_length: dict[int, list[Example]] = {}
    for index in rng.permutation(len(examples)):
        by_length.setdefault(len(examples[index]), []).append(examples[index])
    batches: list[Batch] = []
    waiting: list[Example] = []
    for length in sorted(by_length, reverse=True):
        shortened = [shorten(example, length) for example in waiting]
        rows = [*(row for row in shortened if len(row) == length), *by_length[length]]
        size = max(1, tokens // length)
        full = len(rows) - len(rows) % size
        batches += [make_batch(rows[start : start + size], special) for start in range(0, full, size)]
        waiting = rows[full:]
    if waiting:
        batches.append(make_batch(waiting, special))
    return [batches[index] for index in rng.permutation(len(batches))]


def shorten(example: Example, length: int) -> Example:
    """Return the example cut to `length` tokens, special ones included.

    B loses its last tokens first, down to one token; then A loses its first tokens. If a pair cannot be that short,
    only A is kept, which may be shorter than `length`.
    """
    if example.second is None or length < PAIR_SPECIAL + 2:
        return Example(example.source, example.first[: length - SINGLE_SPECIAL])
    first = example.first[-(length - PAIR_SPECIAL - 1) :]
    return Example(example.source, first, example.second[: length - PAIR_SPECIAL - len(first)], example.follows)


def make_batch(rows: Sequence[Example], special: SpecialIds) -> Batch:
    """Return examples of one length as a batch, with their special tokens."""
    return Batch(
        np.array([_input_ids(row, special) for row in rows], np.int64),
        np.array([_token_type_ids(row) for row in rows], np.int64),
        np.array([NO_PAIR if row.follows is None else int(not row.follows) for row in rows], np.int64),
        tuple(row.source for row in rows),
    )


def _input_ids(row: Example, special: SpecialIds) -> list[int]:
    first = [special.cls, *row.first.tolist(), special.sep]
    return first if row.second is None else [*first, *row.second.tolist(), special.sep]


def _token_type_ids(row: Example) -> list[int]:
    second = 0 if row.second is None else len(row.second) + 1
    return [0] * (len(row) - second) + [1] * second
