"""Quality of a model on held-out text: masked words and next sentences, by source and by position."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F  # noqa: N812
from transformers import BertForPreTraining

from tools.bundled_model.batches import Batch, Corpus, cut_documents, make_batches
from tools.bundled_model.masking import SpecialIds, mask_for_evaluation
from tools.bundled_model.model import score
from tools.bundled_model.settings import Settings

_BATCH_TOKENS = 2048


@dataclass(frozen=True, slots=True)
class Answers:
    """The answers of a model.

    source, position, loss and rank have an entry for each masked token; pair_source and pair_is_right have one for each
    sentence pair. rank is the number of vocabulary entries that the model found more likely than the true token.
    pair_is_right is True if the next-sentence head was right.
    """

    source: npt.NDArray[np.str_]
    position: npt.NDArray[np.int64]
    loss: npt.NDArray[np.float32]
    rank: npt.NDArray[np.int64]
    pair_source: npt.NDArray[np.str_]
    pair_is_right: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Figures:
    """A line of the table.

    loss is the mean over the masked tokens, in nats. top1, top5 and next_sentence are shares from 0 to 1. A value is
    None if there was nothing to measure.
    """

    name: str
    masks: int
    loss: float | None
    top1: float | None
    top5: float | None
    pairs: int
    next_sentence: float | None


def heldout_batches(corpus: Corpus, settings: Settings, special: SpecialIds, long: bool = False) -> list[Batch]:
    """Return held-out documents as batches, the same ones each time.

    Args:
        corpus: The held-out documents of each source.
        settings: The settings of the run.
        special: Ids of the special tokens.
        long: Return only long examples, which come from dialogues and books, instead of examples of the usual length.
    """
    rng = np.random.default_rng(settings.seed)
    wanted = replace(settings.examples, long=float(long))
    examples = []
    for source, documents in corpus.items():
        if source.has_pairs or not long:
            cut = cut_documents(documents, source, range(len(documents)), wanted, rng)
            examples += [example for example in cut if not long or len(example) > settings.examples.length]
    return make_batches(examples, _BATCH_TOKENS, special, rng)


def answer(
    model: BertForPreTraining,
    batches: Iterable[Batch],
    special: SpecialIds,
    settings: Settings,
    device: torch.device,
) -> Answers:
    """Mask a share of the tokens of each batch and return the model's answers."""
    rng = np.random.default_rng(settings.seed)
    model.eval()
    with torch.inference_mode():
        parts = [_answer_batch(model, batch, special, settings.masking.evaluate, rng, device) for batch in batches]
    model.train()
    return Answers(*(np.concatenate([getattr(part, name) for part in parts]) for name in Answers.__slots__))


def _answer_batch(
    model: BertForPreTraining,
    batch: Batch,
    special: SpecialIds,
    share: float,
    rng: np.random.Generator,
    device: torch.device,
) -> Answers:
    masked = mask_for_evaluation(batch.input_ids, special, share, rng)
    row, position = np.divmod(masked.positions, batch.input_ids.shape[1])
    scores = score(model, batch, masked, device)
    labels = torch.from_numpy(masked.labels).to(device)
    logits = scores.mlm.float()
    rank = (logits > logits.gather(1, labels[:, None])).sum(1)
    is_pair = batch.next_labels >= 0
    sources = np.array(batch.sources)
    guessed = scores.next_sentence.argmax(1).cpu().numpy()
    return Answers(
        sources[row],
        position,
        F.cross_entropy(logits, labels, reduction="none").cpu().numpy(),
        rank.cpu().numpy(),
        sources[is_pair],
        (guessed == batch.next_labels)[is_pair],
    )


def by_source(answers: Answers) -> Iterator[Figures]:
    """Yield the figures of each source, then of all sources together."""
    for source in dict.fromkeys(sorted(answers.source)):
        yield summarize(str(source), answers, answers.source == source, answers.pair_source == source)
    yield summarize("all", answers)


def by_position(answers: Answers, edges: tuple[int, ...]) -> Iterator[Figures]:
    """Yield the figures of the masked tokens between each pair of successive edges. Sentence pairs are not counted."""
    for start, end in pairwise(edges):
        chosen = (answers.position >= start) & (answers.position < end)
        yield summarize(f"{start}-{end - 1}", answers, chosen, np.zeros(len(answers.pair_source), bool))


def summarize(
    name: str,
    answers: Answers,
    masks: npt.NDArray[np.bool_] | slice = slice(None),
    pairs: npt.NDArray[np.bool_] | slice = slice(None),
) -> Figures:
    """Return the figures over some masked tokens and some sentence pairs.

    Args:
        name: Name of the line.
        answers: The answers of a model.
        masks: The masked tokens to count (default: all).
        pairs: The sentence pairs to count (default: all).
    """
    loss, rank, right = answers.loss[masks], answers.rank[masks], answers.pair_is_right[pairs]
    return Figures(
        name,
        len(loss),
        _mean(loss),
        _mean(rank < 1),
        _mean(rank < 5),
        len(right),
        _mean(right),
    )


def _mean(values: npt.NDArray[np.generic]) -> float | None:
    return float(values.mean(dtype=np.float64)) if len(values) else None
