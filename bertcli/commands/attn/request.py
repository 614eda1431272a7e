"""What was asked for, which options go together, and what each format has a place for."""

from dataclasses import dataclass

from bertcli.commands.array_files import TENSOR_SUFFIXES
from bertcli.commands.sink import Sink
from bertcli.errors import WrongUsage
from bertcli.options import AttentionMapOptions, HeadOptions, ModelOptions, OutputOptions, PageOptions, TextOptions

_STRUCTURED = ("table", "svg", ".png", "json", "jsonl")


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
        return maps.attended_from is None and (is_matrix or self.heads.grid is not None)

    def check(self) -> None:
        """Raise WrongUsage for options that say nothing without another, or that contradict each other."""
        _check_combination(self)

    def check_has_place(self, sink: Sink) -> None:
        """Raise WrongUsage for what was asked for and would be lost in the format."""
        _check_has_place(self, sink)


def _check_combination(request: AttnRequest) -> None:
    """Raise WrongUsage for options that say nothing without another, or that contradict each other."""
    heads, maps = request.heads, request.maps
    has_part = maps.rows is not None or maps.cols is not None
    shows_matrix = request.wants_matrix or maps.rollout or maps.value_norms
    one_text = {"--from": maps.attended_from is not None, "--rollout": maps.rollout, "--value-norms": maps.value_norms}
    _refuse(
        (
            maps.top_k is not None and maps.attended_from is None,
            "--top-k says how many tokens --from shows",
            "add --from TOKEN, or leave --top-k out",
        ),
        (
            heads.top is not None and heads.by is None,
            "--top takes the first heads of an order, and there is none",
            "add --by and a statistic, such as --by entropy",
        ),
        (
            maps.words and not shows_matrix,
            "--words makes words of a matrix's tokens, and no matrix is asked for",
            "add --layer and --head, --rollout or --value-norms",
        ),
        (
            has_part and not shows_matrix,
            "--rows and --cols choose a part of a matrix, and none is asked for",
            "add --layer and --head, --rollout or --value-norms",
        ),
        (
            heads.group is not None and (maps.value_norms or maps.head_distance or request.wants_matrix),
            "--group averages heads, and what is asked for tells them apart",
            "leave --group out",
        ),
        (
            heads.group is not None and (heads.head is not None or heads.label is not None),
            "--group is the mean of all heads of a layer, and --head and --label choose among them",
            "leave one out",
        ),
        (
            maps.attended_from is not None and (maps.rollout or maps.value_norms or maps.head_distance),
            "--from shows what one token attends to, and nothing beside it",
            "leave out the other map, or --from",
        ),
        (
            heads.grid is not None and heads.stat is not None,
            "--grid shows one statistic, and --stat chooses columns",
            "leave one out",
        ),
        (
            (heads.grid is not None or heads.stat is not None) and maps.rollout,
            "--rollout is of all heads together, and has no statistics",
            "leave out --rollout, or --stat and --grid",
        ),
        (
            heads.grid is not None and (shows_matrix or maps.attended_from is not None or maps.head_distance),
            "--grid draws the statistics of heads, and what is asked for is drawn in its place",
            "leave --grid out",
        ),
        (
            heads.aggregate and (request.wants_matrix or maps.words or has_part),
            "--aggregate puts all texts together, and a matrix is of one text",
            "leave --aggregate out, or --layer with --head, --words, --rows and --cols",
        ),
    )
    if heads.aggregate:
        _refuse(
            *(
                (is_asked, f"{option} is of one text, and --aggregate puts all of them together", "leave one out")
                for option, is_asked in one_text.items()
            )
        )


def _refuse(*cases: tuple[bool, str, str]) -> None:
    for is_wrong, message, hint in cases:
        if is_wrong:
            raise WrongUsage(message, hint=hint)


def _check_has_place(request: AttnRequest, sink: Sink) -> None:
    """Raise WrongUsage for what was asked for and would be lost in the format."""
    maps = request.maps
    for option, is_asked in {
        "--rollout": maps.rollout,
        "--value-norms": maps.value_norms,
        "--head-distance": maps.head_distance,
    }.items():
        if is_asked and sink.format not in _STRUCTURED:
            raise WrongUsage(
                f"{sink.format} has no place for {option}, which goes into {', '.join(_STRUCTURED)}",
                hint=f"use --json, or leave {option} out",
            )
    if sink.format in TENSOR_SUFFIXES and (lost := _not_in_tensors(request)):
        raise WrongUsage(
            f"{sink.format} holds whole weights, over tokens and by layer and head: it has no place for {lost[0]}",
            hint=f"leave {lost[0]} out, or use --json",
        )
    if request.heads.aggregate and sink.format in TENSOR_SUFFIXES:
        raise WrongUsage(
            f"{sink.format} holds the weights of each text, and --aggregate has none", hint="use --json, or .json"
        )
    if maps.value_norms and sink.wants_table and not request.wants_matrix:
        raise WrongUsage(
            "a table shows the value norms of one head", hint="add --layer and --head, or use --json for all of them"
        )


def _not_in_tensors(request: AttnRequest) -> list[str]:
    heads, maps = request.heads, request.maps
    asked = {
        "--label": heads.label,
        "--by": heads.by,
        "--group": heads.group,
        "--stat": heads.stat,
        "--grid": heads.grid,
        "--from": maps.attended_from,
        "--words": maps.words or None,
        "--rows": maps.rows,
        "--cols": maps.cols,
    }
    return [option for option, value in asked.items() if value is not None]
