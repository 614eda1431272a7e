"""Values that tables, pictures and figures share: a choice of what to show, heatmaps and one-line titles."""

import json
from collections.abc import Callable, Sequence

from bertcli.choices import LayerOp, Pooling, RecipeSource, WordPooling
from bertcli.lazy_dataclass import dataclass
from bertcli.output.formatting import counted
from bertcli.results.recipe import Recipe
from bertcli.results.summaries import Interval, PairCounts, ProbeCounts, Summary
from bertcli.results.texts import FloatArray, RunInfo, TextInfo

_REVISION_DIGITS, _SHA1_DIGITS = 8, 40
_POOLINGS = {
    Pooling.MEAN: "mean of tokens",
    Pooling.CLS: "[CLS]",
    Pooling.MAX: "max of tokens",
    Pooling.MEAN_SQRT: "mean-sqrt of tokens",
    Pooling.WEIGHTED_MEAN: "weighted mean of tokens",
    Pooling.LAST: "last token",
    Pooling.POOLER: "pooler_output",
    Pooling.LEXICAL: "lexical",
}
_WORD_POOLINGS = {
    WordPooling.MEAN: "mean of the pieces",
    WordPooling.FIRST: "first piece",
    WordPooling.LAST: "last piece",
}
_SOURCES = {
    RecipeSource.CHECKPOINT: "recipe of the checkpoint",
    RecipeSource.DEFAULT: "default",
    RecipeSource.OPTIONS: "set by --pooling",
}


@dataclass(frozen=True, slots=True)
class AttentionDisplay:
    """Choice of what to show of attention.

    Attributes:
        statistics: Names of the statistics to show, in order.
        thresholds: Lines that explain the labels.
        grid: Statistic to show as a grid of layers by heads, or None for a table of heads.
        is_ordered: True if heads are sorted by a statistic instead of by layer.
        rows, columns: Part of each matrix to show, or None for as much as is readable.
        is_distance: True if distances between heads are shown.
    """

    statistics: Sequence[str]
    thresholds: str
    grid: str | None = None
    is_ordered: bool = False
    rows: range | None = None
    columns: range | None = None
    is_distance: bool = False

    def part(self, size: int) -> tuple[range, range]:
        """Return the rows and columns to show of a square matrix of that size."""
        whole = range(size)
        rows, columns = (
            whole if chosen is None else whole[chosen.start : chosen.stop] for chosen in (self.rows, self.columns)
        )
        return rows, columns


@dataclass(frozen=True, slots=True)
class Heatmap:
    """Matrix with the names, numbers and scale that it is drawn with.

    Attributes:
        name: Heading of the matrix.
        note: Explanation beside the heading.
        quantity: Name of a value, for example weight or distance.
        unit: Unit that digits writes values in, or "" if it writes them unchanged.
        values: (rows, columns), NaN at cells to leave empty.
        rows, columns: Numbers of the rows and columns.
        row_names, column_names: Their names, for example tokens.
        row_axis, column_axis: Titles of the two axes.
        digits: Function that writes a value.
        faint, strong: Values drawn weakest and strongest. strong is the smaller one if small values matter.
        is_symmetric: True if the cells above the diagonal hold all information.
        is_even: True if values spread over the whole scale; weights crowd at its faint end.
        is_signed: True if values are changes: 0 is drawn weakest, and the signs have different colours.
    """

    name: str
    note: str
    quantity: str
    unit: str
    values: Sequence[Sequence[float]] | FloatArray
    rows: Sequence[int]
    columns: Sequence[int]
    row_names: Sequence[str]
    column_names: Sequence[str]
    row_axis: str
    column_axis: str
    digits: Callable[[float], str]
    faint: float = 0.0
    strong: float = 1.0
    is_symmetric: bool = False
    is_even: bool = False
    is_signed: bool = False

    def cell(self, row: int, column: int) -> tuple[str, float]:
        """Return the text of a cell and its strength from 0 to 1; an empty text and 0 if it has no value.

        The strength of a negative value is negative, down to -1, if values are changes.
        """
        value = float(self.values[row][column])
        if value != value:
            return "", 0.0
        if self.is_signed:
            return self.digits(value), min(max(value / self.strong, -1.0), 1.0) if self.strong else 0.0
        span = self.strong - self.faint
        return self.digits(value), min(max((value - self.faint) / span, 0.0), 1.0) if span else 0.0


@dataclass(frozen=True, slots=True)
class HeatmapSet:
    """Heatmaps of one record, under one title."""

    title: str
    heatmaps: Sequence[Heatmap]


def text_title(text: TextInfo) -> str:
    """Return a text, and its pair if it has one, in one line."""
    return text.text if text.pair is None else f"{text.text}  +  {text.pair}"


def corpus_title(text_count: int, token_count: int) -> str:
    """Return the size of a corpus.

    >>> corpus_title(1234, 56789)
    '1,234 texts, 56,789 tokens'
    """
    return f"{counted(text_count, 'text')}, {token_count:,} tokens"


def pair_summary_lines(summary: Summary[PairCounts]) -> list[str]:
    """Return the summary of minimal pairs in one or two lines."""
    counts = summary.counts
    accuracy = f"accuracy {counts.accuracy:.4f} ({interval_text(counts.accuracy_interval, 4)})"
    difference = f"mean difference {counts.mean_difference:.3f}"
    if counts.mean_difference_interval is not None:
        difference += f" ({interval_text(counts.mean_difference_interval, 3)})"
    ties = "1 tie" if counts.ties == 1 else f"{counts.ties:,} ties"
    lines = [f"{counted(counts.count, 'pair')}: {accuracy}, {ties}, {difference}"]
    if summary.groups is not None:
        mean = f"accuracy {summary.mean('accuracy'):.4f}, mean difference {summary.mean('mean_difference'):.3f}"
        lines.append(f"mean over {counted(summary.averaged_groups('accuracy'), 'group')}: {mean}")
    return lines


def probe_summary_lines(summary: Summary[ProbeCounts]) -> list[str]:
    """Return the summary of the ranks of expected words in one or two lines."""
    counts = summary.counts
    shown = f"P@1 {counts.precision_at_1:.4f}"
    if counts.precision_at_1_interval is not None:
        shown += f" ({interval_text(counts.precision_at_1_interval, 4)})"
    shown += f", P@5 {counts.precision_at_5:.4f}, P@10 {counts.precision_at_10:.4f}"
    shown += f", mean reciprocal rank {counts.mean_reciprocal_rank:.4f}"
    unranked = f", {counts.unranked:,} without a rank" if counts.unranked else ""
    lines = [f"{counted(counts.count, 'expected word')}: {shown}{unranked}"]
    if summary.groups is not None:
        mean = ", ".join(
            f"{name} {summary.mean(key):.4f}"
            for name, key in (("P@1", "precision_at_1"), ("mean reciprocal rank", "mean_reciprocal_rank"))
        )
        lines.append(f"mean over {counted(summary.averaged_groups('precision_at_1'), 'group')}: {mean}")
    return lines


def interval_text(interval: Interval, decimals: int) -> str:
    """Return a confidence interval in words."""
    return f"95 % from {interval.low:.{decimals}f} to {interval.high:.{decimals}f}"


def run_line(info: RunInfo) -> str:
    """Return the model, its revision, the engine, the device and the number type of a run in one line."""
    model = info.model if info.revision is None else f"{info.model}@{short_revision(info.revision)}"
    parts = (model, info.engine, info.device, info.dtype, heads_off(info.ablated))
    return " · ".join(part for part in parts if part)


def heads_off(ablated: Sequence[str]) -> str:
    """Return the attention heads that were switched off, those of a row as a range; "" if there are none.

    >>> heads_off(["1.0", "1.1", "1.2", "3.2", "4.0", "4.1"])
    'heads off: 1.0 to 1.2, 3.2, 4.0, 4.1'
    """
    rows: list[list[tuple[int, int]]] = []
    for name in ablated:
        layer, _, head = name.partition(".")
        place = int(layer), int(head)
        if rows and rows[-1][-1] == (place[0], place[1] - 1):
            rows[-1].append(place)
        else:
            rows.append([place])
    shown = []
    for row in rows:
        names = [f"{layer}.{head}" for layer, head in row]
        shown += [f"{names[0]} to {names[-1]}"] if len(names) > 2 else names
    return f"heads off: {', '.join(shown)}" if shown else ""


def recipe_line(recipe: Recipe) -> str:
    """Return how embeddings were made, and where the recipe comes from, in one line."""
    prompt = [] if recipe.prompt is None else [f"prompt {json.dumps(recipe.prompt, ensure_ascii=False)}"]
    return " · ".join([f"embedding: {recipe_steps(recipe)}", *prompt, _SOURCES[recipe.source]])


def recipe_steps(recipe: Recipe) -> str:
    """Return the steps of a recipe: the pooling, the layers after it, and the normalisation.

    >>> from bertcli.choices import Pooling, RecipeSource
    >>> recipe_steps(Recipe(RecipeSource.CHECKPOINT, [Pooling.CLS, Pooling.MEAN], [128], True, None, 128, 512))
    '[CLS] and mean of tokens, dense 128, normalised'
    """
    names = " and ".join(_POOLINGS[pooling] for pooling in recipe.pooling)
    if recipe.lexical is not None:
        names = f"lexical weights, {recipe.lexical} over tokens"
    layers = ""
    if recipe.layer_op is not None:
        layers = f" in {mixed_layers(recipe)}"
    elif recipe.layers is not None:
        layers = f" in hidden states {recipe.layers[0]} to {recipe.layers[-1]}, weighted"
    steps = [f"{names}{layers}", *(f"dense {size}" for size in recipe.dense)]
    steps += ["LayerNorm"] if recipe.layer_norm else []
    return ", ".join([*steps, *(["normalised"] if recipe.normalize else [])])


def words_line(recipe: Recipe, pooling: WordPooling) -> str:
    """Return how the vectors of words were made, in one line."""
    has_more = recipe.dense or recipe.layer_norm or recipe.normalize
    more = ", without later steps" if has_more else ""
    return f"words: {_WORD_POOLINGS[pooling]} in {token_states(recipe)}{more}"


def token_states(recipe: Recipe) -> str:
    """Return the hidden states that the vectors of tokens and words are from."""
    return mixed_layers(recipe) or "last_hidden_state"


def mixed_layers(recipe: Recipe) -> str:
    """Return the hidden states that --layer-op makes one of, and how, or "" if there are none.

    >>> from dataclasses import replace
    >>> recipe = Recipe(RecipeSource.DEFAULT, [Pooling.MEAN], [], False, None, 384, 512, layer_op=LayerOp.MEAN)
    >>> mixed_layers(replace(recipe, layers=(3,))), mixed_layers(replace(recipe, layers=(3, 4, 5)))
    ('hidden state 3', 'the mean of hidden states 3 to 5')
    """
    if not recipe.layers or recipe.layer_op is None:
        return ""
    first, last = recipe.layers[0], recipe.layers[-1]
    is_range = len(recipe.layers) > 2 and list(recipe.layers) == list(range(first, last + 1))
    numbers = f"{first} to {last}" if is_range else ", ".join(map(str, recipe.layers))
    if len(recipe.layers) == 1:
        return f"hidden state {numbers}"
    states = f"hidden states {numbers}"
    return f"{states}, joined" if recipe.layer_op == LayerOp.CONCAT else f"the {recipe.layer_op} of {states}"


def short_revision(revision: str) -> str:
    """Return the first eight digits of a commit's hash; a branch or tag unchanged."""
    is_commit = len(revision) == _SHA1_DIGITS and revision.isalnum()
    return revision[:_REVISION_DIGITS] if is_commit else revision
