"""Request of fill-mask: its options, and which of them go together."""

from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from math import isnan

from bertcli.choices import (
    AttributionMethod,
    Baseline,
    FillOrder,
    LensMethod,
    ScoreOnly,
    TargetScore,
    WithinWord,
    WordRank,
)
from bertcli.commands.attributions import check_attribution
from bertcli.commands.corpus import check_corpus_options, check_needs_folder, check_ray
from bertcli.commands.options import CorpusOptions, PairOptions, RayOptions, TextOptions
from bertcli.commands.request import options_of_fields
from bertcli.errors import WrongUsage
from bertcli.input.records import TextSource
from bertcli.lazy_dataclass import dataclass
from bertcli.model.request import SessionRequest
from bertcli.output.catalogs.fill_mask import fill_mask_fields, word_attribution_fields
from bertcli.output.catalogs.scores import (
    pair_fields,
    pair_summary_fields,
    probe_fields,
    probe_summary_fields,
    word_score_fields,
)
from bertcli.output.catalogs.texts import PAIR
from bertcli.output.destination import (
    FOLDER,
    TENSOR_SUFFIXES,
    Destination,
    OutputFormats,
    OutputOptions,
    check_has_figure,
)
from bertcli.output.fields import Field, FieldCatalog
from bertcli.quoting import shortened

# Options that go with each analysis. The empty name is the default analysis: predictions for each mask.
_OPTIONS_OF: Mapping[str, set[str]] = {
    "": {"--top-k", "--mass", "--entropy", "--targets", "--target-score"},
    "--joint": {"--top-k", "--order"},
    "--pieces": {"--top-k", "--rank"},
    "--target-field": {"--top-k", "--target-score", "--aggregate", "--group-by"},
    "--score": {"--within-word", "--words", "--versus", "--only", "--only-words", "--aggregate", "--group-by"},
    "--lens": {"--top-k", "--targets", "--lens-file"},
    "--compare": {"--top-k", "--targets", "--target-score"},
    "--mutual": set(),
    "--head-effects": {"--top-k", "--targets"},
    "--attribute": {"--top-k", "--targets", "--baseline", "--steps", "--words"},
}
# Options that need one of others; a message names the first.
_NEEDS: Mapping[str, Sequence[str]] = {
    "--order": ["--joint"],
    "--rank": ["--pieces"],
    "--lens-file": ["--lens"],
    "--within-word": ["--score"],
    "--words": ["--score", "--attribute"],
    "--versus": ["--score"],
    "--only": ["--score"],
    "--only-words": ["--score"],
    "--target-score": ["--targets", "--target-field"],
    "--aggregate": ["--versus", "--target-field"],
    "--group-by": ["--versus", "--target-field"],
}
# Options with a value, as a hint names them.
_EXAMPLES = {
    "--pieces": "--pieces 1-3",
    "--attribute": "--attribute occlusion",
    "--versus": "--score --versus FIELD",
    "--targets": "--targets are,is",
    "--target-field": "--target-field FIELD",
}
# The value of --versus for the sentences that --pairs divides.
_SENTENCE_B = "B"
# Analyses that compare all masks or tokens of a text with each other, or whole texts, and options that need all tokens.
_WHOLE_TEXTS = (
    "--target-field", "--joint", "--compare", "--mutual", "--attribute", "--words", "--only", "--only-words",
)  # fmt: skip
# Analyses with a bare answer: a filled text, a score, a difference of scores, or a rank.
_WITH_ANSWER = ("", "--joint", "--pieces", "--score", "--target-field")
# Largest number of pieces of a word.
_MOST_PIECES = 10
# Analyses whose results are matrices, which a picture can show.
_FIGURES = ("--mutual", "--head-effects", "--attribute")


@dataclass(frozen=True, slots=True)
class FillMaskRequest:
    """The options of fill-mask. None and False mean that an option is not given.

    Attributes:
        top_k: Number of candidates for each mask.
        mass: Probability that the candidates should cover together.
        entropy: Add the entropy of each distribution.
        targets: Words to score, separated by commas, or @ and a file with a word on each line.
        target_field: Field that holds the word that each text expects.
        target_score: How the pieces of a target make one score.
        joint: Fill all masks of a text together.
        order: The order of joint filling.
        pieces: Numbers of pieces of the words to find for each mask, such as 1-3 or 2.
        rank: The order of these words.
        score: Compute the pseudo-log-likelihood of each text.
        within_word: Tokens to mask together with a scored token.
        words: Show the score or the contribution of each word instead of each token.
        lens: Show the prediction of every layer, by this method.
        lens_file: File with the translators of the tuned lens.
        compare: A second model to compare with.
        mutual: Compute the mutual influence of tokens.
        head_effects: Compute the effect of each attention head.
        attribute: Method that attributes the prediction to the tokens of the text.
        baseline: Baseline of integrated gradients.
        steps: Number of their steps.
        pairs: Texts to compare, tokens to score, and summaries.
        corpus: Options of a folder.
        ray: Options of Ray.
    """

    texts: TextOptions
    model: SessionRequest
    output: OutputOptions
    top_k: int | None = None
    mass: float | None = None
    entropy: bool = False
    targets: str | None = None
    target_field: str | None = None
    target_score: TargetScore | None = None
    joint: bool = False
    order: FillOrder | None = None
    pieces: str | None = None
    rank: WordRank | None = None
    score: bool = False
    within_word: WithinWord | None = None
    words: bool = False
    lens: LensMethod | None = None
    lens_file: str | None = None
    compare: str | None = None
    mutual: bool = False
    head_effects: bool = False
    attribute: AttributionMethod | None = None
    baseline: Baseline | None = None
    steps: int | None = None
    pairs: PairOptions = field(default_factory=PairOptions)
    corpus: CorpusOptions = field(default_factory=CorpusOptions)
    ray: RayOptions = field(default_factory=RayOptions)

    @property
    def session(self) -> SessionRequest:
        """The request for the session."""
        return replace(self.model, with_gradients=self.attribute == AttributionMethod.IG)

    @property
    def group_fields(self) -> Sequence[str]:
        """Names of the fields that name the group of a text."""
        return [] if self.pairs.group_by is None else split_words(self.pairs.group_by, "--group-by")

    def source(self) -> TextSource:
        """Return the source of the texts. Raises WrongUsage."""
        return replace(
            self.texts.source(), versus=self.pairs.versus, group_by=self.group_fields, target_field=self.target_field
        )

    @property
    def widths(self) -> range:
        """Numbers of pieces of the words to find for each mask. Raises WrongUsage."""
        first, dash, last = ("1" if self.pieces is None else self.pieces).partition("-")
        ends = [first, last] if dash else [first]
        if all(end.isascii() and end.isdecimal() and len(end) <= len(str(_MOST_PIECES)) for end in ends):
            least, most = int(ends[0]), int(ends[-1])
            if 1 <= least <= most <= _MOST_PIECES:
                return range(least, most + 1)
        raise WrongUsage(
            f"--pieces cannot be {shortened(self.pieces or '')}",
            hint=f"use a number of pieces or a range, from 1 to {_MOST_PIECES}, such as --pieces 1-3",
        )

    @property
    def score_method(self) -> WithinWord:
        """The tokens to mask together with a scored token: L2R for words, unless the user names others."""
        return self.within_word or (WithinWord.L2R if self.words else WithinWord.ORIGINAL)

    @property
    def analysis(self) -> str:
        """The option that names the analysis, empty for the default one."""
        return next(iter(self._analyses()), "")

    @property
    def needs_whole_texts(self) -> bool:
        """True if the analysis cannot read a text in windows."""
        return bool(self._whole_text_option)

    @property
    def _whole_text_option(self) -> str:
        """The first option that cannot read a text in windows, "" if there is none."""
        given = {**self._details(), self.analysis: True}
        return next((option for option in _WHOLE_TEXTS if given.get(option)), "")

    @property
    def formats(self) -> OutputFormats:
        """Formats that fill-mask can write."""
        return OutputFormats(
            "fill-mask",
            TENSOR_SUFFIXES if self.mutual else (),
            has_figures=self.analysis in _FIGURES,
            has_plain=self.analysis in _WITH_ANSWER and not self.pairs.aggregate,
            takes_folder=True,
            folder_takes_fields=True,
        )

    @property
    def catalog(self) -> FieldCatalog:
        """Fields of the records."""
        given = options_of_fields(self.texts, self.model, {**self._details(), PAIR: self._has_sentence_b})
        return FieldCatalog(self._fields(), given)

    def check_options(self) -> None:
        """Check that the options go together. Raises WrongUsage."""
        self.model.check_options()
        check_corpus_options(self.corpus, self.ray, self.output)
        if self.model.reads_windows and self.needs_whole_texts:
            raise WrongUsage(
                f"{self._whole_text_option} needs a whole text, and --long windows reads a long text in parts",
                hint=f"use --long truncate, or leave {self._whole_text_option} out",
            )
        if self.mass is not None and isnan(self.mass):
            raise WrongUsage("--mass nan is not a probability", hint="use a number from 0 to 1")
        _ = self.widths
        analyses = self._analyses()
        if len(analyses) > 1:
            raise WrongUsage(f"{analyses[0]} and {analyses[1]} cannot be combined", hint="use one of them at a time")
        instead = f" instead of {self.analysis}" if self.analysis else ""
        check_has_figure(self.output, self.formats, f"use --attribute occlusion, --head-effects or --mutual{instead}")
        if self.words and self.pairs.versus is not None:
            raise WrongUsage("--words and --versus cannot be combined", hint="leave one of them out")
        self._check_pairs()
        check_attribution(self.attribute, self.baseline, self.steps, self.model.engine)
        given = [option for option, is_given in self._details().items() if is_given]
        for option in given:
            needed = _NEEDS.get(option, ())
            if needed and not {*needed} & {*analyses, *given}:
                raise WrongUsage(f"{option} needs {' or '.join(needed)}", hint=self._hint_to_add(needed, option))
            if option not in _OPTIONS_OF[self.analysis]:
                raise WrongUsage(f"{option} and {self.analysis} cannot be combined", hint="leave one of them out")
        if self.lens == LensMethod.RAW and self.lens_file is not None:
            raise WrongUsage(
                "--lens raw and --lens-file cannot be combined", hint="use --lens tuned, or leave --lens-file out"
            )

    def check_format(self, destination: Destination) -> None:
        """Check that a folder gets rows, and options of a folder get one. Raises WrongUsage."""
        check_needs_folder(self.corpus, self.ray, destination, is_summary=self.pairs.aggregate)
        if self.pairs.aggregate and destination.format == FOLDER:
            raise WrongUsage(
                "--aggregate shows one summary, and a folder has a row for each text",
                hint=f"use {destination.instead('json')}, or leave --aggregate out",
            )
        check_ray(self.texts, self.model, self.corpus, self.ray)

    def _analyses(self) -> list[str]:
        requested = {
            "--target-field": self.target_field is not None,
            "--joint": self.joint,
            "--pieces": self.pieces is not None,
            "--score": self.score,
            "--lens": self.lens is not None,
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
            "--rank": self.rank is not None,
            "--lens-file": self.lens_file is not None,
            "--within-word": self.within_word is not None,
            "--baseline": self.baseline is not None,
            "--steps": self.steps is not None,
            "--words": self.words,
            "--versus": self.pairs.versus is not None,
            "--only": self.pairs.only is not None,
            "--only-words": self.pairs.only_words is not None,
            "--aggregate": self.pairs.aggregate,
            "--group-by": self.pairs.group_by is not None,
        }

    @property
    def _has_sentence_b(self) -> bool:
        """True if each text has a sentence B. With --versus, that of --pairs is the text to compare with."""
        return self.texts.pair is not None or (self.texts.pairs and self.pairs.versus is None)

    def _fields(self) -> Sequence[Field]:
        """Return the fields of the records, or of their summary."""
        groups, is_aggregate = self.group_fields, self.pairs.aggregate
        if self.pairs.versus is not None:
            return pair_summary_fields(groups) if is_aggregate else pair_fields(groups)
        if self.target_field is not None:
            return probe_summary_fields(groups) if is_aggregate else probe_fields(groups)
        if self.words:
            return word_score_fields() if self.score else word_attribution_fields()
        return fill_mask_fields(self.analysis)

    def _example(self, option: str) -> str:
        """Return an option as a hint adds it: with its value, and with --score if it needs that."""
        example = _EXAMPLES.get(option, option)
        if option == "--versus" and self.texts.pairs:
            example = f"--score --versus {_SENTENCE_B}"
        return example.removeprefix("--score ") if self.score else example

    def _hint_to_add(self, needed: Sequence[str], option: str, value: str = "") -> str:
        """Return a hint to add one of the needed options that the analysis takes, or else to leave `option` out."""
        allowed = {option, *needed} if not self.analysis else _OPTIONS_OF[self.analysis]
        added = " or ".join(self._example(each) for each in needed if {option, each} <= {*allowed})
        return f"add {added}, or leave {option}{value} out" if added else f"leave {option}{value} out"

    def _check_pairs(self) -> None:
        texts, pairs = self.texts, self.pairs
        if texts.pairs and pairs.versus not in (None, _SENTENCE_B):
            raise WrongUsage(
                f"with --pairs, each text is compared with its sentence B, not with {pairs.versus!r}",
                hint="use --versus B, or leave --pairs out",
            )
        if pairs.only == ScoreOnly.SHARED and pairs.versus is None:
            raise WrongUsage("--only shared needs --versus", hint=self._hint_to_add(("--versus",), "--only", " shared"))
        if pairs.only == ScoreOnly.B and texts.pairs and not self._has_sentence_b:
            raise WrongUsage("--only b needs a sentence B, and --versus B takes it", hint="leave one of them out")
        if pairs.only == ScoreOnly.B and not self._has_sentence_b:
            raise WrongUsage("--only b needs a sentence B", hint="give it with --pair, or leave --only b out")
        if "" in self.group_fields:
            raise WrongUsage(
                "--group-by has an empty name", hint="separate fields with commas, or leave --group-by out"
            )
        if len(set(self.group_fields)) < len(self.group_fields):
            raise WrongUsage("--group-by names a field twice", hint="name each field once, or leave --group-by out")


def split_words(words: str, option: str) -> list[str]:
    """Return the words between the commas. As in CSV, a quoted word may contain commas.

    Args:
        words: The words.
        option: The option that they are from, for messages.

    Raises:
        WrongUsage: The words cannot be separated.
    """
    import csv  # here, since most questions have no words to separate

    try:
        cells = next(csv.reader([words], skipinitialspace=True), [])
    except csv.Error:
        raise WrongUsage(
            f"{option} has a line end or a word that is too long", hint="use words such as 'a,b'"
        ) from None
    return [cell.strip() for cell in cells or [""]]
