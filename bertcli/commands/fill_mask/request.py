"""What was asked for, and which options go together."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isnan

from bertcli.choices import FillOrder, TargetScore, WithinWord
from bertcli.cli.options import ModelOptions, OutputOptions, TextOptions
from bertcli.errors import WrongUsage

TOP_K = 5


@dataclass(frozen=True, slots=True)
class FillMaskRequest:
    """joint, score, lens, compare, mutual: the question that is asked in place of which tokens fit in each mask.

    compare: the second model. targets: words parted by commas. None, False: not given.
    """

    texts: TextOptions
    model: ModelOptions
    output: OutputOptions
    top_k: int | None = None
    mass: float | None = None
    entropy: bool = False
    targets: str | None = None
    target_score: TargetScore | None = None
    joint: bool = False
    order: FillOrder | None = None
    score: bool = False
    within_word: WithinWord | None = None
    lens: bool = False
    compare: str | None = None
    mutual: bool = False

    @property
    def question(self) -> str:
        """The option that says what is asked; empty where it is the candidates for each mask."""
        return next(iter(_asked(self)), "")

    def check(self) -> None:
        """Raise WrongUsage for options that do not go together, and for a mass that is no number."""
        if self.mass is not None and isnan(self.mass):
            raise WrongUsage("--mass nan is no probability", hint="give a number from 0 to 1")
        asked = _asked(self)
        if len(asked) > 1:
            raise WrongUsage(f"{asked[0]} and {asked[1]} ask two questions", hint="ask one of them at a time")
        given = [option for option, is_given in _details(self).items() if is_given]
        for option in given:
            needed = _NEEDS.get(option)
            if needed is not None and needed not in (*asked, *given):
                raise WrongUsage(f"{option} says how {needed} goes", hint=f"add {needed}, or leave {option} out")
            if option not in _TAKES[self.question]:
                raise WrongUsage(f"{self.question} has no place for {option}", hint="leave one of them out")


# What goes with each question, and what is nothing without another option.
_TAKES: Mapping[str, set[str]] = {
    "": {"--top-k", "--mass", "--entropy", "--targets", "--target-score"},
    "--joint": {"--top-k", "--order"},
    "--score": {"--within-word"},
    "--lens": {"--top-k", "--targets"},
    "--compare": {"--top-k", "--targets", "--target-score"},
    "--mutual": set(),
}
_NEEDS = {"--order": "--joint", "--within-word": "--score", "--target-score": "--targets"}


def _asked(request: FillMaskRequest) -> list[str]:
    questions = {
        "--joint": request.joint,
        "--score": request.score,
        "--lens": request.lens,
        "--compare": request.compare is not None,
        "--mutual": request.mutual,
    }
    return [option for option, is_asked in questions.items() if is_asked]


def _details(request: FillMaskRequest) -> Mapping[str, bool]:
    return {
        "--top-k": request.top_k is not None,
        "--mass": request.mass is not None,
        "--entropy": request.entropy,
        "--targets": request.targets is not None,
        "--target-score": request.target_score is not None,
        "--order": request.order is not None,
        "--within-word": request.within_word is not None,
    }
