"""Candidates and targets of fill-mask, as its options name them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bertcli.choices import TargetScore
from bertcli.commands.fill_mask.request import FillMaskRequest, split_words
from bertcli.errors import WrongUsage
from bertcli.quoting import printable_name

if TYPE_CHECKING:
    from bertcli.analysis.masks.targets import Target, TargetScores
    from bertcli.model.session import Session

_TOP_K = 5


def checked_top_k(request: FillMaskRequest, session: Session) -> int:
    """Return the number of candidates. Raises WrongUsage if the vocabulary is smaller."""
    top_k, vocab_size = request.top_k or _TOP_K, session.config.vocab_size
    if top_k > vocab_size and request.top_k is None:
        return vocab_size
    if top_k > vocab_size:
        raise WrongUsage(
            f"--top-k {top_k:,} is more than the {vocab_size:,} tokens of the vocabulary",
            hint=f"use a number from 1 to {vocab_size:,}",
        )
    return top_k


def parse_words(words: str, session: Session) -> list[Target]:
    """Return the words of --targets, tokenized: those between the commas, or those of a file.

    Raises:
        WrongUsage: A word is empty or unknown, or the file cannot be read.
    """
    from bertcli.analysis.masks.targets import parse_targets

    return parse_targets(session.tokenizer, list_targets(words))


def list_targets(words: str) -> Sequence[str]:
    """Return the words of --targets as they are written. Raises WrongUsage."""
    is_file = words.startswith("@") and words != "@"
    return _read_words(words[1:]) if is_file else split_words(words, "--targets")


def parse_pieces(option: str, words: str | None, session: Session) -> list[Target] | None:
    """Return the words of --targets for an option that takes words of one piece only; None without --targets.

    Raises:
        WrongUsage: As for parse_words, or a word has several pieces.
    """
    if words is None:
        return None
    from bertcli.analysis.masks.targets import check_one_piece

    targets = parse_words(words, session)
    check_one_piece(option, targets)
    return targets


def _read_words(name: str) -> list[str]:
    """Return the words of a file, one on each line, without blank lines. Raises WrongUsage."""
    try:
        words = [line for line in Path(name).read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    except UnicodeDecodeError:
        problem = "is not UTF-8"
    except (OSError, ValueError) as error:
        problem = f"cannot be read: {error.strerror if isinstance(error, OSError) else error}"
    else:
        if words:
            return words
        problem = "has no words"
    raise WrongUsage(
        f"the file of --targets, {printable_name(name)}, {problem}",
        hint="write a word on each line, or leave --targets out; put a word that begins with @ in double quotes",
    )


def target_scores(request: FillMaskRequest, targets: Sequence[Target]) -> TargetScores:
    """Return the analysis that scores targets in the way that the request names."""
    from bertcli.analysis.masks.targets import TargetScores

    return TargetScores(targets, request.target_score or TargetScore.L2R)
