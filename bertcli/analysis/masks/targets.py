"""How probable given words are in a mask, whatever the number of their pieces.

A word of n pieces stands in a mask that is widened to n masks. Its log-probability is then

- l2r: the sum over its pieces of ln p(piece | the pieces before it filled in, the later ones masked);
- mean: the mean over its pieces of ln p(piece | all of them masked), which does not shrink with the number of pieces.

Of a word of one piece both are the logarithm of its probability.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from bertcli.analysis.masks.predictions import MaskLogits
from bertcli.analysis.masks.variants import Variant, ask, with_ids_at
from bertcli.errors import BadText, WrongUsage
from bertcli.input.records import FailedText, is_utf8, shortened
from bertcli.model.ops.base import Array, Ops
from bertcli.model.session import Session
from bertcli.model.tokenizer import TextTokenizer, TokenizedText
from bertcli.results.masks import MaskPredictions, TargetPrediction

L2R, MEAN = "l2r", "mean"


@dataclass(frozen=True, slots=True)
class Target:
    """A word, and what the vocabulary makes of it."""

    word: str
    ids: tuple[int, ...]
    pieces: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TargetScores:
    """The addition that scores each target in each mask."""

    targets: Sequence[Target]
    method: str = L2R

    def __call__(self, asked: MaskLogits, masks: Sequence[MaskPredictions]) -> list[MaskPredictions]:
        """The masks with their targets."""
        scored = score_targets(asked, asked.logits, self.targets, self.method)
        return [replace(mask, targets=of_mask) for mask, of_mask in zip(masks, scored, strict=True)]


def score_targets(
    asked: MaskLogits, logits: Array, targets: Sequence[Target], method: str
) -> list[list[TargetPrediction]]:
    """For each mask the targets. logits: (masks, vocab), by which words of one piece go."""
    logprobs = _logprobs_of_several(asked, targets, method)
    ops = asked.session.engine.ops
    normalizers = ops.to_numpy(ops.log_sum_exp(logits))
    single: dict[int, _Column] = {}
    for index, target in enumerate(targets):
        if len(target.ids) == 1:
            single[index] = _column(ops, logits, normalizers, target.ids[0])
            logprobs[:, index] = single[index].logprobs
    shares = _shares(logprobs)
    return [
        [
            _prediction(asked, at, target, method, logprobs[at, index], shares[at, index], single.get(index))
            for index, target in enumerate(targets)
        ]
        for at in range(len(asked.places))
    ]


@dataclass(frozen=True, slots=True)
class _Column:
    """One token in every mask: (masks,) each, in float32; ranks count from 1."""

    logits: np.ndarray[Any, Any]
    logprobs: np.ndarray[Any, Any]
    ranks: np.ndarray[Any, Any]


def _column(ops: Ops, logits: Array, normalizers: np.ndarray[Any, Any], id_: int) -> _Column:
    column = logits[:, id_]
    own = ops.to_numpy(column)
    ranks = 1 + ops.to_numpy((logits > column[:, None]).sum(-1))
    return _Column(own, own - normalizers, ranks)


def _prediction(
    asked: MaskLogits, at: int, target: Target, method: str, logprob: float, share: float, column: _Column | None
) -> TargetPrediction:
    return TargetPrediction(
        target=target.word,
        pieces=target.pieces,
        method=method,
        logprob=float(logprob),
        share=float(share),
        score=float(np.exp(logprob if column is None else column.logprobs[at])),
        rank=None if column is None else int(column.ranks[at]),
        logit=None if column is None else float(column.logits[at]),
        token=None if column is None else target.ids[0],
        token_str=asked.session.tokenizer.decode(target.ids),
        sequence=asked.sequence(at, target.ids),
    )


def _shares(logprobs: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Of each row the probabilities, so that they sum to 1."""
    if not logprobs.size:
        return logprobs
    relative = np.exp(logprobs - logprobs.max(-1, keepdims=True))
    return np.asarray(relative / relative.sum(-1, keepdims=True))


@dataclass(frozen=True, slots=True)
class _Asked:
    """A target in a mask, by their indices, and which of its pieces are asked about."""

    at: int
    target: int
    ids: Sequence[int]


def _logprobs_of_several(asked: MaskLogits, targets: Sequence[Target], method: str) -> np.ndarray[Any, Any]:
    """(masks, targets): the log-probability of each target of several pieces, and 0 for the others."""
    logprobs = np.zeros((len(asked.places), len(targets)))
    session = asked.session
    for run, logits in ask(session, _variants(asked, targets, method)):
        for variant, sums in zip(run, _piece_logprobs(session, run, logits), strict=True):
            for question, found in zip(variant.about, sums, strict=True):
                logprobs[question.at, question.target] += found
    counts = np.array([len(target.ids) for target in targets])
    return logprobs / counts if method == MEAN and len(targets) else logprobs


def _variants(asked: MaskLogits, targets: Sequence[Target], method: str) -> Iterator[Variant[list[_Asked]]]:
    """What has to be run, each text once; words of as many pieces, which have their first step in common, together."""
    mask_token_id = asked.session.mask_token_id
    for count in sorted({len(target.ids) for target in targets} - {1}, reverse=True):
        together = [(index, target.ids) for index, target in enumerate(targets) if len(target.ids) == count]
        for at, (text, column) in enumerate(asked.places):
            for known_ids, about in _steps(at, together, method).items():
                masks = [mask_token_id] * (count - len(known_ids))
                first = column + len(known_ids)
                positions = range(first, first + (count if method == MEAN else 1))
                yield Variant(with_ids_at(text, column, [*known_ids, *masks]), positions, about)


def _steps(at: int, targets: Sequence[tuple[int, tuple[int, ...]]], method: str) -> dict[tuple[int, ...], list[_Asked]]:
    """What is asked of a mask, by the pieces that are filled in: none where each is scored on its own."""
    steps: dict[tuple[int, ...], list[_Asked]] = defaultdict(list)
    for index, ids in targets:
        if method == MEAN:
            steps[()].append(_Asked(at, index, ids))
        else:
            for known in range(len(ids)):
                steps[ids[:known]].append(_Asked(at, index, ids[known : known + 1]))
    return steps


def _piece_logprobs(session: Session, run: Sequence[Variant[list[_Asked]]], logits: Array) -> Iterator[list[float]]:
    """For each variant the sum of the log-probabilities of each question's pieces."""
    ops = session.engine.ops
    normalizers = ops.to_numpy(ops.log_sum_exp(logits)).astype(np.float64)
    start = 0
    rows: list[int] = []
    ids: list[int] = []
    for variant in run:
        for question in variant.about:
            rows += range(start, start + len(question.ids))
            ids += question.ids
        start += len(variant.positions)
    pieces = iter(ops.to_numpy(logits[ops.asarray(np.array(rows)), ops.asarray(np.array(ids))]) - normalizers[rows])
    for variant in run:
        yield [sum(float(next(pieces)) for _ in question.ids) for question in variant.about]


def check_room(text: TokenizedText, targets: Sequence[Target], limit: int) -> FailedText | None:
    """What is wrong with a text in which a target is to stand: that there is no room for its pieces."""
    longest = max(targets, key=lambda target: len(target.ids), default=None)
    if longest is None or len(text) + len(longest.ids) - 1 <= limit:
        return None
    problem = BadText(
        f"the target {shortened(longest.word)} has {len(longest.ids)} pieces, and the text has room for "
        f"{limit - len(text) + 1}: it has {len(text)} tokens, and the limit is {limit}",
        hint="give a shorter text, or leave the target out",
    )
    return text.record.failed(problem)


def parse_targets(tokenizer: TextTokenizer, words: Sequence[str]) -> list[Target]:
    """Each word with its pieces. Raises WrongUsage for one that is empty, unknown, or named twice."""
    targets: dict[tuple[int, ...], Target] = {}
    for word in (word.strip() for word in words):
        target = _target(tokenizer, word)
        if target.ids in targets:
            before = targets[target.ids].word
            twice = f"{word!r} is there twice" if before == word else f"{before!r} and {word!r} are the same"
            raise WrongUsage(f"among the targets {twice} to this model", hint="give each target once")
        targets[target.ids] = target
    return list(targets.values())


def _target(tokenizer: TextTokenizer, word: str) -> Target:
    if not word:
        raise WrongUsage("one of the targets is empty", hint="give words with commas between them: --targets are,is")
    if not is_utf8(word):
        raise WrongUsage(f"the target {word!r} is not UTF-8", hint="check the terminal's encoding")
    ids = tokenizer.encode_word(word)
    pieces = tuple(tokenizer.token(id_) for id_ in ids)
    unknown = tokenizer.special_tokens.unk
    if not ids:
        raise WrongUsage(f"nothing is left of the target {word!r}", hint="give targets that can be seen")
    if unknown in pieces and word != unknown:
        raise WrongUsage(f"the target {word!r} is not in the vocabulary", hint="give targets that the model knows")
    return Target(word, tuple(ids), pieces)
