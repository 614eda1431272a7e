"""Request of fill-mask: its options, and which of them go together."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import isnan

from bertcli.choices import AttributionMethod, Baseline, EngineName, FillOrder, TargetScore, WithinWord
from bertcli.commands.options import TextOptions
from bertcli.commands.request import options_of_fields
from bertcli.errors import WrongUsage
from bertcli.model.request import SessionRequest
from bertcli.output.catalogs.fill_mask import fill_mask_fields
from bertcli.output.destination import TENSOR_SUFFIXES, Destination, OutputFormats, OutputOptions
from bertcli.output.fields import FieldCatalog

# Options that go with each analysis. The empty name is the default analysis: predictions for each mask.
_OPTIONS_OF: Mapping[str, set[str]] = {
    "": {"--top-k", "--mass", "--entropy", "--targets", "--target-score"},
    "--joint": {"--top-k", "--order"},
    "--score": {"--within-word"},
    "--lens": {"--top-k", "--targets"},
    "--compare": {"--top-k", "--targets", "--target-score"},
    "--mutual": set(),
    "--head-effects": {"--top-k", "--targets"},
    "--attribute": {"--top-k", "--targets", "--baseline", "--steps"},
}
_NEEDS = {"--order": "--joint", "--within-word": "--score", "--target-score": "--targets"}
_OF_IG = ("--baseline", "--steps")
# Analyses that compare all masks or tokens of a text with each other, or whole texts.
_WHOLE_TEXTS = ("--joint", "--compare", "--mutual", "--attribute")
# Analyses with a bare answer: a filled text, or a score.
_WITH_ANSWER = ("", "--joint", "--score")
# Analyses whose results are matrices, which a picture can show.
_FIGURES = ("--mutual", "--head-effects", "--attribute")


@dataclass(frozen=True, slots=True)
class FillMaskRequest:
    """The options of fill-mask. None and False mean that an option is not given.

    Attributes:
        top_k: Number of candidates for each mask.
        mass: Probability that the candidates should cover together.
        entropy: Add the entropy of each distribution.
        targets: Words to score, separated by commas.
        target_score: How the pieces of a target make one score.
        joint: Fill all masks of a text together.
        order: The order of joint filling.
        score: Compute the pseudo-log-likelihood of each text.
        within_word: Pieces of its word to mask together with a scored token.
        lens: Show the prediction of every layer.
        compare: A second model to compare with.
        mutual: Compute the mutual influence of tokens.
        head_effects: Compute the effect of each attention head.
        attribute: Method that attributes the prediction to the tokens of the text.
        baseline: Baseline of integrated gradients.
        steps: Number of their steps.
    """

    texts: TextOptions
    model: SessionRequest
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
    head_effects: bool = False
    attribute: AttributionMethod | None = None
    baseline: Baseline | None = None
    steps: int | None = None

    @property
    def session(self) -> SessionRequest:
        """The request for the session."""
        return replace(self.model, with_gradients=self.attribute == AttributionMethod.IG)

    @property
    def analysis(self) -> str:
        """The option that names the analysis, empty for the default one."""
        return next(iter(self._analyses()), "")

    @property
    def needs_whole_texts(self) -> bool:
        """True if the analysis cannot read a text in windows."""
        return self.analysis in _WHOLE_TEXTS

    @property
    def formats(self) -> OutputFormats:
        """Formats that fill-mask can write."""
        return OutputFormats(
            "fill-mask",
            TENSOR_SUFFIXES if self.mutual else (),
            has_figures=self.analysis in _FIGURES,
            has_plain=self.analysis in _WITH_ANSWER,
        )

    @property
    def catalog(self) -> FieldCatalog:
        """Fields of the records."""
        given = options_of_fields(self.texts, self.model, self._details())
        return FieldCatalog(fill_mask_fields(self.analysis), given)

    def check_options(self) -> None:
        """Check that the options go together. Raises WrongUsage."""
        self.model.check_options()
        if self.model.reads_windows and self.needs_whole_texts:
            raise WrongUsage(
                f"{self.analysis} needs a whole text, and --long windows reads a long text in parts",
                hint=f"use --long truncate, or leave {self.analysis} out",
            )
        if self.mass is not None and isnan(self.mass):
            raise WrongUsage("--mass nan is not a probability", hint="use a number from 0 to 1")
        analyses = self._analyses()
        if len(analyses) > 1:
            raise WrongUsage(f"{analyses[0]} and {analyses[1]} cannot be combined", hint="use one of them at a time")
        given = [option for option, is_given in self._details().items() if is_given]
        for option in given:
            if option in _OF_IG and self.attribute != AttributionMethod.IG:
                raise WrongUsage(f"{option} needs --attribute ig", hint=f"use --attribute ig, or leave {option} out")
            needed = _NEEDS.get(option)
            if needed is not None and needed not in (*analyses, *given):
                raise WrongUsage(f"{option} needs {needed}", hint=f"add {needed}, or leave {option} out")
            if option not in _OPTIONS_OF[self.analysis]:
                raise WrongUsage(f"{option} and {self.analysis} cannot be combined", hint="leave one of them out")

        if self.attribute == AttributionMethod.IG and self.model.engine in (EngineName.NUMPY, EngineName.TRANSFORMERS):
            raise WrongUsage(
                f"--attribute ig needs gradients, which the {self.model.engine} engine does not compute",
                hint="use --engine torch, or --attribute occlusion",
            )

    def check_format(self, destination: Destination) -> None:
        """Accept every format: each analysis has rows, JSON and a table."""

    def _analyses(self) -> list[str]:
        requested = {
            "--joint": self.joint,
            "--score": self.score,
            "--lens": self.lens,
            "--compare": self.compare is not None,
            "--mutual": self.mutual,
            "--head-effects": self.head_effects,
            "--attribute": self.attribute is not None,
        }
        return [option for option, is_requested in requested.items() if is_requested]

    def _details(self) -> Mapping[str, bool]:
        return {
            "--top-k": self.top_k is not None,
            "--mass": self.mass is not None,
            "--entropy": self.entropy,
            "--targets": self.targets is not None,
            "--target-score": self.target_score is not None,
            "--order": self.order is not None,
            "--within-word": self.within_word is not None,
            "--baseline": self.baseline is not None,
            "--steps": self.steps is not None,
        }
