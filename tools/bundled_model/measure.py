"""How good a model is on held-out text: masked words and next sentences, told apart by source and position."""

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
    """What a model answered: an entry a masked token, and an entry a sentence pair.

    rank: how many tokens of the vocabulary the model found likelier. pair_is_right: whether the next-sentence head was.
    """

    source: npt.NDArray[np.str_]
    position: npt.NDArray[np.int64]
    loss: npt.NDArray[np.float32]
    rank: npt.NDArray[np.int64]
    pair_source: npt.NDArray[np.str_]
    pair_is_right: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Figures:
    """A line of the table. top1, top5, next_sentence: shares; None where nothing was asked."""

    name: str
    masks: int
    loss: float | None
    top1: float | None
    top5: float | None
    pairs: int
    next_sentence: float | None


def heldout_batches(corpus: Corpus, settings: Settings, special: SpecialIds, long: bool = False) -> list[Batch]:
    """Held-out documents as batches, the same ones each time. long: in long examples, of dialogues and books alone."""
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
    """The model's answers where a share of each batch is masked."""
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
    """The figures of each source, then of all together."""
    for source in dict.fromkeys(sorted(answers.source)):
        yield summarize(str(source), answers, answers.source == source, answers.pair_source == source)
    yield summarize("all", answers)


def by_position(answers: Answers, edges: tuple[int, ...]) -> Iterator[Figures]:
    """The figures of the masked tokens between each two of the edges; pairs do not count."""
    for start, end in pairwise(edges):
        chosen = (answers.position >= start) & (answers.position < end)
        yield summarize(f"{start}-{end - 1}", answers, chosen, np.zeros(len(answers.pair_source), bool))


def summarize(
    name: str,
    answers: Answers,
    masks: npt.NDArray[np.bool_] | slice = slice(None),
    pairs: npt.NDArray[np.bool_] | slice = slice(None),
) -> Figures:
    """The figures over some masked tokens and some pairs."""
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
