"""Matrices as figures, through matplotlib's Figure API: no window, no state, a page's white background."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO
from warnings import catch_warnings, filterwarnings

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, Normalize
from matplotlib.figure import Figure
from rich.cells import cell_len, set_cell_size

from bertcli.input.records import FailedText
from bertcli.output.fonts import families
from bertcli.output.formatting import visible
from bertcli.output.heatmap import Heatmap, HeatmapSet
from bertcli.output.schema import Schema
from bertcli.output.tables.cells import run_line
from bertcli.results.texts import RunInfo

# In inches. Cells shrink where a matrix would be larger than that; under the second size they hold no digits.
_CELL, _SMALLEST_WITH_DIGITS, _LARGEST = 0.34, 0.27, 16.0
_POINTS = 72  # to an inch
_LABEL_POINTS, _LEAST_POINTS = 9.0, 6.0
_LABEL_CELLS, _TITLE_CELLS, _UPRIGHT_CELLS = 28, 100, 2
_GAP, _BAR, _LONGEST_BAR = 0.35, 0.16, 2.4
_COLORS, _GREYS = "BuPu", "Greys"  # both begin with white
_DOTS_PER_INCH, _MOST_DOTS = 144, 1 << 15
_TEXT_ON_DARK = 0.55  # from which part of the colours on


class FigureWriter:
    """Draws all matrices of a run under one another into one file. file_format: png or svg."""

    def __init__(self, stream: BinaryIO, view: Schema[Any], file_format: str, info: RunInfo, color: str) -> None:
        assert view.to_heatmaps is not None
        self._stream, self._to_figured, self._format = stream, view.to_heatmaps, file_format
        self._caption = run_line(info)
        self._colors = _GREYS if color == "never" else _COLORS
        self._drawn: list[HeatmapSet] = []

    def write(self, record: Any) -> None:
        self._drawn.append(self._to_figured(record))

    def skip(self, missing: FailedText) -> None:
        pass

    def finish(self) -> None:
        # Letters of an SVG are the reader's own, so that no script is without its font; ids are the same each time.
        settings: dict[Any, Any] = {
            "svg.fonttype": "none",
            "svg.hashsalt": "bertcli",
            "font.size": _LABEL_POINTS,
            "font.family": families("".join(_letters(self._drawn))),
        }
        with rc_context(settings), catch_warnings():
            filterwarnings("ignore", "Glyph .* missing")  # it is drawn as a box, which says as much
            figure = _figure(self._drawn, self._caption, self._colors)
            metadata = {"Date": None, "Creator": "bertcli"} if self._format == "svg" else {"Software": "bertcli"}
            height = figure.get_figheight()
            figure.savefig(
                self._stream,
                format=self._format,
                dpi=min(_DOTS_PER_INCH, _MOST_DOTS / height),
                bbox_inches="tight",
                pad_inches=0.15,
                metadata=metadata,
            )


def _letters(drawn: Iterable[HeatmapSet]) -> Iterable[str]:
    for each in drawn:
        yield each.title
        for heatmap in each.heatmaps:
            yield from (*heatmap.row_names, *heatmap.column_names)


def _figure(drawn: Sequence[HeatmapSet], caption: str, colors: str) -> Figure:
    """Axes at places counted in inches from the top; the margins are what their labels need."""
    sizes = [(each, heatmap, _Size.of(heatmap)) for each in drawn for heatmap in each.heatmaps]
    height = sum(size.height for _, _, size in sizes) + _GAP
    width = max((size.width for _, _, size in sizes), default=4.0)
    figure = Figure(figsize=(width, height))
    top, before = height, None
    for each, heatmap, size in sizes:
        top -= size.height
        axes = figure.add_axes((0, top / height, size.matrix[0] / width, size.matrix[1] / height))
        image = _matrix(axes, heatmap, size, colors)
        bar_height = min(size.matrix[1], _LONGEST_BAR)
        bar = figure.add_axes(
            (
                (size.matrix[0] + _BAR) / width,
                (top + size.matrix[1] - bar_height) / height,
                _BAR / width,
                bar_height / height,
            )
        )
        figure.colorbar(image, cax=bar)
        bar.tick_params(labelsize=_LABEL_POINTS - 1)
        title = "" if each is before else f"{_fit(each.title, _TITLE_CELLS)}\n"
        axes.set_title(f"{title}{heatmap.name}", loc="left", pad=8, parse_math=False, fontsize=_LABEL_POINTS + 2)
        before = each
    figure.text(0, 0, visible(caption), va="top", color="0.4", fontsize=_LABEL_POINTS - 1, parse_math=False)
    return figure


@dataclass(frozen=True, slots=True)
class _Size:
    """In inches. matrix: width and height of its cells alone. height: with names above, title and the gap below."""

    cell: float
    matrix: tuple[float, float]
    height: float

    @classmethod
    def of(cls, heatmap: Heatmap) -> "_Size":
        rows, columns = len(heatmap.row_names), len(heatmap.column_names)
        cell = min(_CELL, _LARGEST / max(rows, columns))
        names = max((min(cell_len(name), _LABEL_CELLS) for name in heatmap.column_names), default=1)
        letters = names * 0.62 * _points(cell) / _POINTS
        return cls(cell, (columns * cell, rows * cell), rows * cell + letters + 1.1 + _GAP)

    @property
    def width(self) -> float:
        """Of the cells and the scale beside them."""
        return self.matrix[0] + 3 * _BAR


def _matrix(axes: Axes, heatmap: Heatmap, size: _Size, colors: str) -> ScalarMappable:
    values = [[float(value) for value in row] for row in heatmap.values]
    seen = [value for row in values for value in row if value == value]
    is_near_strong = heatmap.strong < heatmap.faint
    # The scale goes to what is there, or small weights over many tokens would all look like none.
    norm = Normalize(
        min(min(seen, default=0), heatmap.strong if is_near_strong else heatmap.faint), max(seen, default=1)
    )
    image = axes.pcolormesh(values, cmap=f"{colors}_r" if is_near_strong else colors, norm=norm)
    image.set_rasterized(len(seen) > 10_000)
    axes.invert_yaxis()
    _names(axes.set_yticks, heatmap.row_names, heatmap.rows, size.cell)
    _names(axes.set_xticks, heatmap.column_names, heatmap.columns, size.cell, rotation=_rotation(heatmap.column_names))
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.set_ylabel(heatmap.row_axis, color="0.4")
    axes.set_xlabel(heatmap.column_axis, color="0.4")
    for spine in axes.spines.values():
        spine.set_color("0.8")
    if size.cell >= _SMALLEST_WITH_DIGITS:
        _digits(axes, heatmap, image.get_cmap(), norm, values)
    return image


def _names(
    set_ticks: Callable[..., Any],
    names: Sequence[str],
    numbers: Sequence[int],
    cell: float,
    rotation: int = 0,
) -> None:
    """A name in the middle of each cell, or of every so many where cells are smaller than letters."""
    points = _points(cell)
    step = max(1, round(1.1 * points / (cell * _POINTS)))
    labels = [_fit(name or str(number), _LABEL_CELLS) for name, number in zip(names, numbers, strict=True)][::step]
    at = [place + 0.5 for place in range(0, len(names), step)]
    set_ticks(at, labels, fontsize=points, rotation=rotation, parse_math=False)


def _digits(axes: Axes, heatmap: Heatmap, colors: Colormap, norm: Normalize, values: Sequence[Sequence[float]]) -> None:
    for row, of_row in enumerate(values):
        for column, value in enumerate(of_row):
            if value == value:
                red, green, blue, _ = colors(norm(value))
                is_dark = 0.299 * red + 0.587 * green + 0.114 * blue < _TEXT_ON_DARK
                axes.text(
                    column + 0.5,
                    row + 0.5,
                    heatmap.shown(row, column)[0],
                    ha="center",
                    va="center",
                    color="white" if is_dark else "black",
                    fontsize=_LABEL_POINTS - 2,
                    parse_math=False,
                )


def _rotation(names: Sequence[str]) -> int:
    """Upright where names are wider than a cell."""
    return 90 if max(map(cell_len, names), default=0) > _UPRIGHT_CELLS else 0


def _points(cell: float) -> float:
    return max(_LEAST_POINTS, min(_LABEL_POINTS, 0.75 * cell * _POINTS))


def _fit(text: str, cells: int) -> str:
    """The text in so many cells, its end left out where it is longer."""
    shown = visible(text)
    return shown if cell_len(shown) <= cells else f"{set_cell_size(shown, cells - 1)}…"
