"""Probes: the rank of the word that each text expects in its mask, as in LAMA (Petroni et al. 2019)."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np

from bertcli.analysis.masks.predictions import MaskLogits
from bertcli.analysis.masks.targets import Target, check_targets_fit, parse_targets, score_targets
from bertcli.analysis.statistics import RunningMean, wilson_interval
from bertcli.choices import TargetScore
from bertcli.errors import BadText, WrongUsage
from bertcli.input.records import FailedText
from bertcli.model.session import Session
from bertcli.model.tokenizer import TokenizedText
from bertcli.results.masks import FillMaskRecord, MaskPredictions, TargetPrediction, expected_word
from bertcli.results.summaries import ProbeCounts

# Expected words whose pieces are remembered.
_REMEMBERED = 4096
_PRECISIONS = (1, 5, 10)


class ExpectedWords:
    """Analysis that scores, in the mask of each text, the word that the text expects.

    Args:
        session: The open checkpoint.
        method: Way to combine the pieces of a word into one score.
    """

    def __init__(self, session: Session, method: TargetScore) -> None:
        self._session, self._method = session, method
        self._parsed = lru_cache(_REMEMBERED)(self._parse)

    def check(self, text: TokenizedText) -> FailedText | None:
        """Return the text as failed if it has several masks, or if its word cannot be scored, else None."""
        masks = list(text.input_ids).count(self._session.mask_token_id)
        if masks != 1:
            problem = BadText(
                f"the text has {masks} masks, and its field of --target-field has the word for one",
                hint="use texts with one mask, or skip such texts with --on-error skip",
            )
            return text.record.failed(problem)
        target = self._parsed(text.record.target or "")
        if isinstance(target, BadText):
            return text.record.failed(target)
        return check_targets_fit(text, [target], self._session.tokenizer.limit)

    def __call__(self, mask_logits: MaskLogits, masks: Sequence[MaskPredictions]) -> list[MaskPredictions]:
        """Return the masks, each with the expected word of its text as its only target."""
        by_word: dict[str, list[int]] = defaultdict(list)
        for mask, (text, _) in enumerate(mask_logits.places):
            by_word[text.record.target or ""].append(mask)
        found: dict[int, list[TargetPrediction]] = {}
        for word, of_word in by_word.items():
            target = self._parsed(word)
            assert isinstance(target, Target)  # checked before the text was computed
            part = _part(mask_logits, of_word)
            found.update(zip(of_word, score_targets(part, part.logits, [target], self._method), strict=True))
        return [replace(mask, targets=found[index]) for index, mask in enumerate(masks)]

    def _parse(self, word: str) -> Target | BadText:
        if not word.strip():
            return BadText("the expected word is empty", hint="leave the text out, or skip it with --on-error skip")
        try:
            return parse_targets(self._session.tokenizer, [word])[0]
        except WrongUsage as error:
            return BadText(error.message, hint=f"{error.hint}, or skip such texts with --on-error skip")


def _part(mask_logits: MaskLogits, masks: Sequence[int]) -> MaskLogits:
    """Return some of the masks."""
    chosen = np.array(masks)
    logits = mask_logits.logits[mask_logits.session.engine.ops.asarray(chosen)]
    return replace(
        mask_logits, rows=mask_logits.rows[chosen], columns=mask_logits.columns[chosen], logits=logits, hidden_states=()
    )


class ProbeCounter:
    """Counter of the ranks of expected words; a bertcli.analysis.statistics.Counter."""

    def __init__(self) -> None:
        self._unranked = 0
        self._found = dict.fromkeys(_PRECISIONS, 0)
        self._ranks, self._reciprocals = RunningMean(), RunningMean()

    def add(self, record: FillMaskRecord) -> None:
        """Count the expected word of a text."""
        rank = expected_word(record).rank
        if rank is None:
            self._unranked += 1
            return
        self._ranks.add(rank)
        self._reciprocals.add(1 / rank)
        for limit in _PRECISIONS:
            self._found[limit] += rank <= limit

    def counts(self) -> ProbeCounts:
        """Return the summary of the words."""
        count = self._ranks.count
        if not count:
            return ProbeCounts(0, self._unranked, *[None] * 7)
        first, fifth, tenth = (self._found[limit] / count for limit in _PRECISIONS)
        return ProbeCounts(
            count,
            self._unranked,
            first,
            wilson_interval(self._found[1], count),
            fifth,
            tenth,
            self._reciprocals.mean,
            self._reciprocals.interval(),
            self._ranks.mean,
        )
