"""Scores of given words in a mask, whatever their number of pieces.

A word of n pieces is scored in a mask that is widened to n masks. Its log-probability is then

- TargetScore.L2R: the sum over its pieces of ln p(piece | the pieces before it filled in, the later ones masked);
- TargetScore.MEAN: the mean over its pieces of ln p(piece | all pieces masked), which does not shrink with n.

For a word of one piece both are the logarithm of its probability.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from bertcli.analysis.masks.predictions import MaskLogits
from bertcli.analysis.masks.variants import Variant, run_variants, with_ids_at
from bertcli.choices import TargetScore
from bertcli.errors import BadText, WrongUsage
from bertcli.input.records import FailedText
from bertcli.lazy_dataclass import dataclass
from bertcli.model.ops.base import Array, Ops
from bertcli.model.ops.numpy_activations import softmax
from bertcli.model.session import Session
from bertcli.model.tokenizer import TextTokenizer, TokenizedText
from bertcli.quoting import is_utf8, shortened
from bertcli.results.masks import MaskPredictions, TargetPrediction


@dataclass(frozen=True, slots=True)
class Target:
    """A word to score.

    Attributes:
        word: The word as the user gave it.
        ids: The ids of its pieces.
        pieces: The pieces, as the vocabulary spells them.
    """

    word: str
    ids: tuple[int, ...]
    pieces: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TargetScores:
    """Analysis that scores each target in each mask.

    Attributes:
        targets: The words.
        method: Way to combine the pieces of a word into one score.
    """

    targets: Sequence[Target]
    method: TargetScore = TargetScore.L2R

    def __call__(self, mask_logits: MaskLogits, masks: Sequence[MaskPredictions]) -> list[MaskPredictions]:
        """Return the masks with their targets."""
        scored = score_targets(mask_logits, mask_logits.logits, self.targets, self.method)
        return [replace(mask, targets=of_mask) for mask, of_mask in zip(masks, scored, strict=True)]


def score_targets(
    mask_logits: MaskLogits, logits: Array, targets: Sequence[Target], method: TargetScore
) -> list[list[TargetPrediction]]:
    """Score each target in each mask.

    Args:
        mask_logits: The masks.
        logits: (masks, vocab), for the words of one piece. Longer words are run in variants of the text.
        targets: The words.
        method: Way to combine the pieces of a word.

    Returns:
        For each mask, the targets in their order.
    """
    logprobs = _piecewise_logprobs(mask_logits, targets, method)
    ops = mask_logits.session.engine.ops
    normalizers = ops.to_numpy(ops.log_sum_exp(logits))
    columns: dict[int, _Column] = {}
    for index, target in enumerate(targets):
        if len(target.ids) == 1:
            columns[index] = _column(ops, logits, normalizers, target.ids[0])
            logprobs[:, index] = columns[index].logprobs
    shares = _shares(logprobs)
    return [
        [
            _prediction(
                mask_logits, mask, target, method, logprobs[mask, index], shares[mask, index], columns.get(index)
            )
            for index, target in enumerate(targets)
        ]
        for mask in range(len(mask_logits.places))
    ]


@dataclass(frozen=True, slots=True)
class _Column:
    """Values of one token in every mask, (masks,) each, in float32. Ranks count from 1."""

    logits: np.ndarray[Any, Any]
    logprobs: np.ndarray[Any, Any]
    ranks: np.ndarray[Any, Any]


def _column(ops: Ops, logits: Array, normalizers: np.ndarray[Any, Any], id_: int) -> _Column:
    column = logits[:, id_]
    own = ops.to_numpy(column)
    ranks = 1 + ops.to_numpy((logits > column[:, None]).sum(-1))
    return _Column(own, own - normalizers, ranks)


def _prediction(
    mask_logits: MaskLogits,
    mask: int,
    target: Target,
    method: TargetScore,
    logprob: float,
    share: float,
    column: _Column | None,
) -> TargetPrediction:
    """Return the record of a target in a mask. column is None for a word of several pieces."""
    return TargetPrediction(
        target=target.word,
        pieces=target.pieces,
        method=method,
        logprob=float(logprob),
        share=float(share),
        score=float(np.exp(logprob if column is None else column.logprobs[mask])),
        rank=None if column is None else int(column.ranks[mask]),
        logit=None if column is None else float(column.logits[mask]),
        token=None if column is None else target.ids[0],
        token_str=mask_logits.session.tokenizer.decode(target.ids),
        sequence=mask_logits.sequence(mask, target.ids),
    )


def _shares(logprobs: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return the probabilities scaled to sum to 1 in each row, (masks, targets)."""
    return np.asarray(softmax(logprobs)) if logprobs.size else logprobs


@dataclass(frozen=True, slots=True)
class _PieceQuery:
    """Pieces of a target to score in one variant of a text.

    Attributes:
        mask: Index of the mask.
        target: Index of the target.
        ids: Ids of the pieces, one for each position of the variant.
    """

    mask: int
    target: int
    ids: Sequence[int]


def _piecewise_logprobs(
    mask_logits: MaskLogits, targets: Sequence[Target], method: TargetScore
) -> np.ndarray[Any, Any]:
    """Return the log-probability of each target of several pieces, and 0 for the others, (masks, targets)."""
    logprobs = np.zeros((len(mask_logits.places), len(targets)))
    session = mask_logits.session
    for run, logits in run_variants(session, _variants(mask_logits, targets, method)):
        for variant, sums in zip(run, _query_sums(session, run, logits), strict=True):
            for query, found in zip(variant.about, sums, strict=True):
                logprobs[query.mask, query.target] += found
    counts = np.array([len(target.ids) for target in targets])
    return logprobs / counts if method == TargetScore.MEAN and len(targets) else logprobs


def _variants(
    mask_logits: MaskLogits, targets: Sequence[Target], method: TargetScore
) -> Iterator[Variant[list[_PieceQuery]]]:
    """Yield the texts to run, each once. Words with the same number of pieces share their first step."""
    mask_token_id = mask_logits.session.mask_token_id
    for count in sorted({len(target.ids) for target in targets} - {1}, reverse=True):
        of_count = [(index, target.ids) for index, target in enumerate(targets) if len(target.ids) == count]
        for mask, (text, column) in enumerate(mask_logits.places):
            for known_ids, queries in _steps(mask, of_count, method).items():
                masks = [mask_token_id] * (count - len(known_ids))
                first = column + len(known_ids)
                positions = range(first, first + (count if method == TargetScore.MEAN else 1))
                yield Variant(with_ids_at(text, column, [*known_ids, *masks]), positions, queries)


def _steps(
    mask: int, targets: Sequence[tuple[int, tuple[int, ...]]], method: TargetScore
) -> dict[tuple[int, ...], list[_PieceQuery]]:
    """Return the queries for one mask by the ids that are filled in before they are scored.

    Args:
        mask: Index of the mask.
        targets: Index and ids of each target.
        method: L2R fills in the pieces before the scored one, MEAN fills in none.
    """
    steps: dict[tuple[int, ...], list[_PieceQuery]] = defaultdict(list)
    for index, ids in targets:
        if method == TargetScore.MEAN:
            steps[()].append(_PieceQuery(mask, index, ids))
        else:
            for known in range(len(ids)):
                steps[ids[:known]].append(_PieceQuery(mask, index, ids[known : known + 1]))
    return steps


def _query_sums(session: Session, run: Sequence[Variant[list[_PieceQuery]]], logits: Array) -> Iterator[list[float]]:
    """Yield, for each variant, the sum of the log-probabilities of the pieces of each query."""
    ops = session.engine.ops
    normalizers = ops.to_numpy(ops.log_sum_exp(logits)).astype(np.float64)
    start = 0
    rows: list[int] = []
    ids: list[int] = []
    for variant in run:
        for query in variant.about:
            rows += range(start, start + len(query.ids))
            ids += query.ids
        start += len(variant.positions)
    pieces = iter(ops.to_numpy(logits[ops.asarray(np.array(rows)), ops.asarray(np.array(ids))]) - normalizers[rows])
    for variant in run:
        yield [sum(float(next(pieces)) for _ in query.ids) for query in variant.about]


def check_targets_fit(text: TokenizedText, targets: Sequence[Target], limit: int) -> FailedText | None:
    """Return the text as failed if the pieces of a target would make it too long, else None.

    Args:
        text: The text, in which a mask is to be widened.
        targets: The targets.
        limit: Largest number of tokens of a text.
    """
    longest = max(targets, key=lambda target: len(target.ids), default=None)
    if longest is None or len(text) + len(longest.ids) - 1 <= limit:
        return None
    problem = BadText(
        f"the target {shortened(longest.word)} has {len(longest.ids)} pieces, and the text has room for "
        f"{limit - len(text) + 1}: it has {len(text)} tokens, and the limit is {limit}",
        hint="use a shorter text, or leave the target out",
    )
    return text.record.failed(problem)


def parse_targets(tokenizer: TextTokenizer, words: Sequence[str]) -> list[Target]:
    """Return each word with its pieces.

    Raises:
        WrongUsage: A word is empty, unknown, or given twice.
    """
    targets: dict[tuple[int, ...], Target] = {}
    for word in (word.strip() for word in words):
        target = _target(tokenizer, word)
        if target.ids in targets:
            before = targets[target.ids].word
            if before == word:
                raise WrongUsage(f"the target {word!r} is given twice", hint="give each target once")
            raise WrongUsage(
                f"the targets {before!r} and {word!r} are the same word to this model", hint="leave one of them out"
            )
        targets[target.ids] = target
    return list(targets.values())


def check_one_piece(option: str, targets: Sequence[Target]) -> None:
    """Check that every target is one piece. A longer one has no probability in a single mask.

    Args:
        option: Name of the option that needs it, for the error message.
        targets: The targets.

    Raises:
        WrongUsage: A target has several pieces.
    """
    for target in targets:
        if len(target.ids) > 1:
            raise WrongUsage(
                f"{option} is for a single piece in each mask, and the target {target.word!r} has "
                f"{len(target.ids)} ({' '.join(target.pieces)})",
                hint=f"use targets of one piece, or leave {option} out",
            )


def _target(tokenizer: TextTokenizer, word: str) -> Target:
    if not word:
        raise WrongUsage("one of the targets is empty", hint="separate words with commas: --targets are,is")
    if not is_utf8(word):
        raise WrongUsage(f"the target {word!r} is not UTF-8", hint="check the encoding of the terminal")
    ids = tokenizer.encode_word(word)
    pieces = tuple(tokenizer.token(id_) for id_ in ids)
    unknown = tokenizer.special_tokens.unk
    if not ids:
        raise WrongUsage(
            f"the tokenizer makes no token of the target {word!r}", hint="use targets with visible characters"
        )
    if unknown in pieces and word != unknown:
        raise WrongUsage(f"the target {word!r} is not in the vocabulary", hint="use words that the model knows")
    return Target(word, tuple(ids), pieces)
