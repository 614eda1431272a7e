"""Request of attn: its options, which of them go together, and which formats can hold them."""

from collections.abc import Mapping, Sequence
from dataclasses import field, replace

from bertcli.choices import AttributionMethod, Statistic
from bertcli.commands.attn.explanations import check_explanations
from bertcli.commands.corpus import check_corpus_options, check_needs_folder, check_ray
from bertcli.commands.options import CorpusOptions, HeadOptions, MapOptions, PageOptions, RayOptions, TextOptions
from bertcli.commands.request import options_of_fields
from bertcli.errors import WrongUsage
from bertcli.lazy_dataclass import dataclass
from bertcli.model.request import SessionRequest
from bertcli.output.catalogs.attn import HEAD_MATRICES, ONE_HEAD, SINGLE_HEADS, STAT, attn_fields
from bertcli.output.catalogs.texts import WORDS
from bertcli.output.destination import (
    FOLDER,
    HTML_SUFFIX,
    TENSOR_SUFFIXES,
    Destination,
    OutputFormats,
    OutputOptions,
    check_has_figure,
    with_named_file,
)
from bertcli.output.fields import FieldCatalog


@dataclass(frozen=True, slots=True)
class AttnRequest:
    """The options of attn, by group.

    output_options holds the options as given. `output` also takes the file of --html or --png as that of -o.
    """

    texts: TextOptions
    model: SessionRequest
    output_options: OutputOptions
    heads: HeadOptions
    maps: MapOptions
    page: PageOptions
    corpus: CorpusOptions = field(default_factory=CorpusOptions)
    ray: RayOptions = field(default_factory=RayOptions)

    @property
    def session(self) -> SessionRequest:
        """The request for the session."""
        return replace(self.model, with_gradients=self.page.attribute == AttributionMethod.IG)

    @property
    def output(self) -> OutputOptions:
        """Options of the output, with the file that --html or --png names as that of -o.

        Raises:
            WrongUsage: Two options name a file, or the suffix is wrong.
        """
        page = self.page
        return with_named_file(self.output_options, {"--html": page.html, "--png": page.png}, "attention")

    @property
    def writes_page(self) -> bool:
        """True if the interactive page is requested."""
        path = self.output.path
        return path is not None and path.suffix.lower() == HTML_SUFFIX

    @property
    def shows_one_head(self) -> bool:
        """True if the weights of one head are requested."""
        heads = self.heads
        layer = heads.layer if heads.layers is None or self.writes_page else heads.layers
        return layer is not None and layer != "all" and "," not in layer and heads.head is not None

    @property
    def has_figures(self) -> bool:
        """True if the results are matrices, which a picture can show."""
        maps = self.maps
        is_matrix = self.shows_one_head or maps.rollout or maps.value_norms or maps.head_distance
        return maps.from_token is None and (is_matrix or self.heads.grid is not None)

    @property
    def formats(self) -> OutputFormats:
        """Formats that attn can write for these options."""
        if self.writes_page:
            return OutputFormats("attn", (HTML_SUFFIX,))
        if self.maps.expansion:
            return OutputFormats("attn")
        return OutputFormats(
            "attn", TENSOR_SUFFIXES, has_figures=self.has_figures, takes_folder=True, folder_takes_fields=True
        )

    @property
    def catalog(self) -> FieldCatalog:
        """Fields of the records."""
        heads, maps = self.heads, self.maps
        given = {
            ONE_HEAD: self.shows_one_head,
            HEAD_MATRICES: self.shows_one_head or maps.value_norms,
            SINGLE_HEADS: heads.group is None,
            WORDS: maps.words,
            "--rows": maps.rows is not None or maps.cols is not None,
            "--rollout": maps.rollout,
            "--head-distance": maps.head_distance,
            **{f"{STAT} {name}": name in self._statistics for name in Statistic},
        }
        return FieldCatalog(attn_fields(self._kind), options_of_fields(self.texts, self.model, given))

    @property
    def _kind(self) -> str:
        """The kind of records, for attn_fields."""
        maps = self.maps
        if maps.expansion:
            return "expansion"
        if self.heads.aggregate:
            return "summary-maps" if maps.head_distance else "summary"
        if maps.from_token is not None:
            return "from"
        if maps.rollout or maps.value_norms or maps.head_distance:
            return "maps"
        return "matrix" if self.shows_one_head else "heads"

    @property
    def _statistics(self) -> Sequence[Statistic]:
        """The statistics that are shown. Raises WrongUsage for an unknown one."""
        from bertcli.analysis.attention.selection import parse_statistic, parse_statistics

        if self.heads.grid is not None:
            return [parse_statistic("--grid", self.heads.grid)]
        return tuple(Statistic) if self.heads.stat is None else parse_statistics("--stat", self.heads.stat)

    def check_options(self) -> None:
        """Check that the options go together. Raises WrongUsage."""
        self.model.check_options()
        check_corpus_options(self.corpus, self.ray, self.output)
        if self.heads.aggregate and self.model.reads_windows:
            raise WrongUsage(
                "--aggregate averages over whole texts, and --long windows reads a long text in parts",
                hint="use --long truncate, or leave --aggregate out",
            )
        if self.page.open_page and not self.writes_page:
            raise WrongUsage("--open needs --html FILE", hint="add --html page.html, or leave --open out")
        check_explanations(self.page, self.model.engine, writes_page=self.writes_page)
        if self.writes_page:
            _check_page(self)
            return
        if self.heads.layer is not None and self.heads.layers is not None:
            raise WrongUsage("--layer and --layers cannot be combined without a page", hint="leave one of them out")
        if self.maps.expansion:
            _check_expansion(self)
        else:
            check_has_figure(
                self.output,
                self.formats,
                "choose one: --layer L --head H, --grid, --rollout, --value-norms or --head-distance",
            )
            _check_combination(self)

    def check_format(self, destination: Destination) -> None:
        """Check that the format can hold what is requested. Raises WrongUsage."""
        sums = self.heads.aggregate
        check_needs_folder(self.corpus, self.ray, destination, is_summary=sums, merges_sums=sums)
        check_ray(self.texts, self.model, self.corpus, self.ray)
        if self.writes_page or self.maps.expansion:
            return
        if destination.format == FOLDER:
            self._check_folder(destination)
        lost = [each for each in (*_shown(self), *_details(self)) if each not in _IN_TENSORS]
        if destination.format in TENSOR_SUFFIXES and lost:
            raise WrongUsage(
                f"{lost[0]} is not available in {destination.format}, which holds all weights over tokens",
                hint=f"use {destination.instead('json')}, or leave {lost[0]} out",
            )
        if self.maps.value_norms and destination.wants_table and not self.shows_one_head:
            raise WrongUsage(
                "a table shows the value norms of one head only",
                hint=f"add --layer 0 --head 0, or use {destination.instead('json')} for all heads",
            )

    def _check_folder(self, destination: Destination) -> None:
        """Check that a folder gets a row for each text. Raises WrongUsage."""
        if self.heads.aggregate:
            raise WrongUsage(
                "--aggregate shows one summary, and a folder has a row for each text",
                hint=f"use {destination.instead('json')}, or leave --aggregate out",
            )
        if self.model.reads_windows:
            raise WrongUsage(
                "--long windows shows each window of a long text, and a folder has a row for each text",
                hint=f"use {destination.instead('jsonl')}, or --long truncate",
            )


# Options that go with each thing that can be shown. If several are shown, at least one has to take the option.
_HEADS = "the table of heads"
_MATRIX = "--layer and --head"
_STATISTICS = {"--label", "--top", "--by"}
_PART = {"--words", "--rows", "--cols"}
_OPTIONS_OF: Mapping[str, set[str]] = {
    _HEADS: {*_STATISTICS, "--group", "--stat", "--aggregate"},
    "--grid": {*_STATISTICS, "--group", "--aggregate"},
    _MATRIX: _PART,
    "--from": {"--top-k"},
    "--rollout": _PART,
    "--value-norms": {*_STATISTICS, *_PART, "--stat"},
    "--head-distance": {*_STATISTICS, "--stat", "--aggregate"},
}
# Options that have no meaning without one of some others.
_NEEDS = {
    "--top-k": (["--from"], "add --from TOKEN"),
    "--top": (["--by"], "add --by entropy or another statistic"),
    **dict.fromkeys(
        sorted(_PART),
        ([_MATRIX, "--rollout", "--value-norms"], "add --layer 0 --head 0, or --rollout, or --value-norms"),
    ),
}
_ALONE = ("--from", "--grid")
_IN_TENSORS = (_HEADS, _MATRIX)
# A page starts with these.
_ON_PAGE = (_HEADS, _MATRIX, "--grid", "--rollout", "--label")


def _check_page(request: AttnRequest) -> None:
    expansion = ["--expansion"] if request.maps.expansion else []
    lost = [each for each in (*_shown(request), *_details(request), *expansion) if each not in _ON_PAGE]
    if lost:
        raise WrongUsage(
            f"{lost[0]} cannot be combined with a page, which holds every head and token of its layers",
            hint=f"leave {lost[0]} out",
        )


def _check_expansion(request: AttnRequest) -> None:
    heads, maps = request.heads, request.maps
    layers_only = HeadOptions(layer=heads.layer, layers=heads.layers)
    if request.texts != TextOptions() or heads != layers_only or maps != MapOptions(expansion=True):
        raise WrongUsage(
            "--expansion is computed from the weights alone and can be combined with --layer or --layers only",
            hint="leave out texts and other options",
        )


def _check_combination(request: AttnRequest) -> None:
    shown, details = _shown(request), _details(request)
    for option in details:
        needed, hint = _NEEDS.get(option, ([], ""))
        if needed and not {*needed} & {*shown, *details}:
            raise WrongUsage(f"{option} needs {needed[0]}", hint=hint)
    for option in shown:
        if option in _ALONE and len(shown) > 1:
            other = next(each for each in shown if each != option)
            raise WrongUsage(f"{option} and {other} cannot be combined", hint="leave one out")
    for option in details:
        without = [each for each in shown if option not in _OPTIONS_OF[each]]
        chooses_from_one = option in _STATISTICS and _MATRIX in shown
        if len(without) == len(shown) or (option == "--aggregate" and without) or chooses_from_one:
            taken = _MATRIX if chooses_from_one else without[0]
            raise WrongUsage(f"{option} cannot be combined with {taken}", hint=f"leave out {option} or {taken}")
    if "--group" in details and (request.heads.head is not None or "--label" in details):
        other = "--head" if request.heads.head is not None else "--label"
        raise WrongUsage(
            f"--group averages over all heads of a layer and cannot be combined with {other}", hint="leave one out"
        )


def _shown(request: AttnRequest) -> list[str]:
    heads, maps = request.heads, request.maps
    requested = {
        "--from": maps.from_token is not None,
        "--grid": heads.grid is not None,
        "--rollout": maps.rollout,
        "--value-norms": maps.value_norms,
        "--head-distance": maps.head_distance,
        _MATRIX: request.shows_one_head and maps.from_token is None,
    }
    return [option for option, is_requested in requested.items() if is_requested] or [_HEADS]


def _details(request: AttnRequest) -> list[str]:
    heads, maps = request.heads, request.maps
    given = {
        "--label": heads.label,
        "--top": heads.top,
        "--by": heads.by,
        "--group": heads.group,
        "--stat": heads.stat,
        "--aggregate": heads.aggregate or None,
        "--words": maps.words or None,
        "--rows": maps.rows,
        "--cols": maps.cols,
        "--top-k": maps.top_k,
    }
    return [option for option, value in given.items() if value is not None]
