"""What was asked for, which options go together, and what each format has a place for."""

from collections.abc import Mapping
from dataclasses import dataclass

from bertcli.cli.options import AttentionMapOptions, HeadOptions, ModelOptions, OutputOptions, PageOptions, TextOptions
from bertcli.errors import WrongUsage
from bertcli.output.files.arrays import TENSOR_SUFFIXES
from bertcli.output.sink import Sink


@dataclass(frozen=True, slots=True)
class AttnRequest:
    """heads: which of them, and what of each. maps: what is asked beside their statistics. page: all in one file."""

    texts: TextOptions
    model: ModelOptions
    output: OutputOptions
    heads: HeadOptions
    maps: AttentionMapOptions
    page: PageOptions

    @property
    def wants_matrix(self) -> bool:
        """Whether the weights of one head are to be shown."""
        return self.heads.layer is not None and self.heads.head is not None

    @property
    def has_figures(self) -> bool:
        """Whether what is asked for are matrices, which a picture can show."""
        maps = self.maps
        is_matrix = self.wants_matrix or maps.rollout or maps.value_norms or maps.head_distance
        return maps.from_token is None and (is_matrix or self.heads.grid is not None)

    def check(self) -> None:
        """Raise WrongUsage for options that say nothing without another, or that contradict each other."""
        _check_combination(self)

    def check_has_place(self, sink: Sink) -> None:
        """Raise WrongUsage for what was asked for and would be lost in the format."""
        _check_has_place(self, sink)


# What each thing that can be shown has a place for; where several are shown, it is enough that one of them has.
_MATRIX = "--layer with --head"
_STATISTICS = {"--label", "--top", "--by"}
_PART = {"--words", "--rows", "--cols"}
_TAKES: Mapping[str, set[str]] = {
    "a table of heads": {*_STATISTICS, "--group", "--stat", "--aggregate"},
    "--grid": {*_STATISTICS, "--group", "--aggregate"},
    _MATRIX: _PART,
    "--from": {"--top-k"},
    "--rollout": _PART,
    "--value-norms": {*_STATISTICS, *_PART, "--stat"},
    "--head-distance": {*_STATISTICS, "--stat", "--aggregate"},
}
# What says nothing without another option.
_NEEDS = {
    "--top-k": (["--from"], "add --from TOKEN"),
    "--top": (["--by"], "add --by and a statistic, such as --by entropy"),
    **dict.fromkeys(
        sorted(_PART), ([_MATRIX, "--rollout", "--value-norms"], "add --layer and --head, --rollout or --value-norms")
    ),
}
_ALONE = ("--from", "--grid")
_IN_TENSORS = ("a table of heads", _MATRIX)


def _check_combination(request: AttnRequest) -> None:
    """Raise WrongUsage for options that say nothing without another, or that have no place beside each other."""
    shown, details = _shown(request), _details(request)
    for option in details:
        needed, hint = _NEEDS.get(option, ([], ""))
        if needed and not {*needed} & {*shown, *details}:
            raise WrongUsage(f"{option} says how {needed[0]} goes, which is not asked for", hint=hint)
    for option in shown:
        if option in _ALONE and len(shown) > 1:
            other = next(each for each in shown if each != option)
            raise WrongUsage(f"{option} and {other} show two things", hint="leave one out")
    for option in details:
        without = [each for each in shown if option not in _TAKES[each]]
        chooses_from_one = option in _STATISTICS and _MATRIX in shown
        if len(without) == len(shown) or (option == "--aggregate" and without) or chooses_from_one:
            taken = _MATRIX if chooses_from_one else without[0]
            raise WrongUsage(f"{taken} has no place for {option}", hint="leave one of them out")
    if "--group" in details and (request.heads.head is not None or "--label" in details):
        other = "--head" if request.heads.head is not None else "--label"
        raise WrongUsage(
            f"--group is the mean of all heads of a layer, and {other} chooses among them", hint="leave one out"
        )


def _shown(request: AttnRequest) -> list[str]:
    """What is to be shown of each text."""
    heads, maps = request.heads, request.maps
    asked = {
        "--from": maps.from_token is not None,
        "--grid": heads.grid is not None,
        "--rollout": maps.rollout,
        "--value-norms": maps.value_norms,
        "--head-distance": maps.head_distance,
        _MATRIX: request.wants_matrix and maps.from_token is None,
    }
    return [option for option, is_asked in asked.items() if is_asked] or ["a table of heads"]


def _details(request: AttnRequest) -> list[str]:
    """What is said of how it is shown."""
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


def _check_has_place(request: AttnRequest, sink: Sink) -> None:
    """Raise WrongUsage for what was asked for and would be lost in the format."""
    lost = [each for each in (*_shown(request), *_details(request)) if each not in _IN_TENSORS]
    if sink.format in TENSOR_SUFFIXES and lost:
        raise WrongUsage(
            f"{sink.format} holds whole weights, over tokens and by layer and head: it has no place for {lost[0]}",
            hint=f"leave {lost[0]} out, or use --json",
        )
    if request.maps.value_norms and sink.wants_table and not request.wants_matrix:
        raise WrongUsage(
            "a table shows the value norms of one head", hint="add --layer and --head, or use --json for all of them"
        )
