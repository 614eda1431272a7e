"""The words of --targets."""

import csv
from collections.abc import Sequence

from bertcli.analysis.masks.targets import Target, TargetScores, check_targets_fit, parse_targets
from bertcli.choices import TargetScore
from bertcli.commands.fill_mask.question import Check, has_mask
from bertcli.commands.fill_mask.request import FillMaskRequest
from bertcli.model.session import Session


def targets_of(words: str, session: Session) -> list[Target]:
    """The words between the commas, as the session's tokenizer has them. Raises WrongUsage.

    As in CSV a word in quotes may have commas in it.
    """
    return parse_targets(session.tokenizer, next(csv.reader([words], skipinitialspace=True)) or [""])


def method_of(request: FillMaskRequest) -> TargetScore:
    """How the pieces of a word make one number."""
    return request.target_score or TargetScore.L2R


def scores_of(request: FillMaskRequest, targets: Sequence[Target]) -> TargetScores:
    """What scores them."""
    return TargetScores(targets, method_of(request))


def check_with(targets: Sequence[Target], session: Session) -> Check:
    """What is wrong with a text that is to have a mask, and room for the targets in it."""
    return lambda text: has_mask(session, text) or check_targets_fit(text, targets, session.tokenizer.limit)
