"""Figures of heatmaps in PNG and SVG, drawn by matplotlib on a white background, without a window."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, BinaryIO
from warnings import catch_warnings, filterwarnings

from matplotlib import font_manager, rc_context
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, Normalize
from matplotlib.figure import Figure
from matplotlib.ft2font import FT2Font
from rich.cells import cell_len, set_cell_size

from bertcli.choices import ColorName
from bertcli.input.records import FailedText
from bertcli.lazy_dataclass import dataclass
from bertcli.output.display import Heatmap, HeatmapSet, run_line
from bertcli.output.formatting import visible
from bertcli.output.schema import Schema
from bertcli.results.texts import RunInfo

# In inches: a cell, the smallest cell that has digits, and the largest matrix. Cells shrink to fit a large matrix.
_CELL, _SMALLEST_WITH_DIGITS, _LARGEST = 0.34, 0.27, 16.0
_POINTS = 72  # per inch
_LABEL_POINTS, _LEAST_POINTS = 9.0, 6.0
_LABEL_CELLS, _TITLE_CELLS, _UPRIGHT_CELLS = 28, 100, 2
_GAP, _BAR, _LONGEST_BAR = 0.35, 0.16, 2.4
_COLORS, _GREYS = "BuPu", "Greys"  # both start with white
_SIGNED = "PiYG_r"  # white in the middle
_DOTS_PER_INCH, _MOST_DOTS = 144, 1 << 15
_BRIGHTEST_UNDER_WHITE = 0.55  # brightness of a colour under which its digits are white
_FIRST_FONT = "DejaVu Sans"  # comes with matplotlib


class FigureWriter:
    """Writer of one picture that shows the heatmaps of all records, one under another."""

    def __init__(self, stream: BinaryIO, schema: Schema[Any], file_format: str, info: RunInfo, color: str) -> None:
        """Prepare the picture.

        Args:
            stream: Binary stream to write the picture to.
            schema: Schema that has heatmaps.
            file_format: png or svg.
            info: Run to name under the heatmaps.
            color: never for shades of grey.
        """
        assert schema.to_heatmaps is not None
        self._stream, self._to_heatmaps, self._format = stream, schema.to_heatmaps, file_format
        self._caption = run_line(info)
        self._colors = _GREYS if color == ColorName.NEVER else _COLORS
        self._sets: list[HeatmapSet] = []

    def write(self, record: Any) -> None:
        self._sets.append(self._to_heatmaps(record))

    def skip(self, failed: FailedText) -> None:
        pass

    def finish(self) -> None:
        # Letters of an SVG use the fonts of the reader, so that every script is shown. A fixed salt keeps ids stable.
        settings: dict[Any, Any] = {
            "svg.fonttype": "none",
            "svg.hashsalt": "bertcli",
            "font.size": _LABEL_POINTS,
            "font.family": _font_families("".join(_names_in(self._sets))),
        }
        with rc_context(settings), catch_warnings():
            filterwarnings("ignore", "Glyph .* missing")  # the box that is drawn for it shows as much
            figure = _figure(self._sets, self._caption, self._colors)
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


def _names_in(sets: Iterable[HeatmapSet]) -> Iterable[str]:
    for each in sets:
        yield each.title
        for heatmap in each.heatmaps:
            yield from (*heatmap.row_names, *heatmap.column_names)


def _figure(sets: Sequence[HeatmapSet], caption: str, colors: str) -> Figure:
    """Return a figure with the heatmaps one under another.

    Places are computed in inches from the top. Labels lie in the margins between the axes.
    """
    sizes = [(each, heatmap, _Size.of(heatmap)) for each in sets for heatmap in each.heatmaps]
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
        bar.set_ylabel(_scale_name(heatmap, size), color="0.4", fontsize=_LABEL_POINTS - 1, parse_math=False)
        title = "" if each is before else f"{_fit(each.title, _TITLE_CELLS)}\n"
        axes.set_title(f"{title}{heatmap.name}", loc="left", pad=8, parse_math=False, fontsize=_LABEL_POINTS + 2)
        before = each
    figure.text(0, 0, visible(caption), va="top", color="0.4", fontsize=_LABEL_POINTS - 1, parse_math=False)
    return figure


def _scale_name(heatmap: Heatmap, size: "_Size") -> str:
    """Return the name of the colour scale, followed by the unit of the digits in the cells if it differs."""
    has_other_unit = heatmap.unit and size.has_digits
    return f"{heatmap.quantity} (digits: {heatmap.unit})" if has_other_unit else heatmap.quantity


@dataclass(frozen=True, slots=True)
class _Size:
    """Size of a heatmap in inches.

    Attributes:
        cell: Width and height of a cell.
        matrix: Width and height of all cells.
        height: Height of the cells, the names above them, the title and the gap below.
    """

    cell: float
    matrix: tuple[float, float]
    height: float

    @classmethod
    def of(cls, heatmap: Heatmap) -> "_Size":
        """Return the size of a heatmap."""
        rows, columns = len(heatmap.row_names), len(heatmap.column_names)
        cell = min(_CELL, _LARGEST / max(rows, columns))
        names = max((min(cell_len(name), _LABEL_CELLS) for name in heatmap.column_names), default=1)
        letters = names * 0.62 * _points(cell) / _POINTS
        return cls(cell, (columns * cell, rows * cell), rows * cell + letters + 1.1 + _GAP)

    @property
    def has_digits(self) -> bool:
        """True if the cells are large enough for digits."""
        return self.cell >= _SMALLEST_WITH_DIGITS

    @property
    def width(self) -> float:
        """Return the width of the cells and the colour scale beside them."""
        return self.matrix[0] + 3 * _BAR


def _matrix(axes: Axes, heatmap: Heatmap, size: _Size, colors: str) -> ScalarMappable:
    """Draw a heatmap on the axes and return its image, which the colour scale needs."""
    values = [[float(value) for value in row] for row in heatmap.values]
    seen = [value for row in values for value in row if value == value]
    is_near_strong = heatmap.strong < heatmap.faint and not heatmap.is_signed
    # The scale ends at the largest value present. Else small weights over many tokens would all be white.
    norm = Normalize(
        min(min(seen, default=0), heatmap.strong if is_near_strong else heatmap.faint), max(seen, default=1)
    )
    if heatmap.is_signed:
        norm, colors = Normalize(-heatmap.strong or -1, heatmap.strong or 1), colors if colors == _GREYS else _SIGNED
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
    if size.has_digits:
        _digits(axes, heatmap, image.get_cmap(), norm, values)
    return image


def _names(
    set_ticks: Callable[..., Any],
    names: Sequence[str],
    numbers: Sequence[int],
    cell: float,
    rotation: int = 0,
) -> None:
    """Write a name at the middle of each cell, or of every Nth cell if cells are smaller than letters."""
    points = _points(cell)
    step = max(1, round(1.1 * points / (cell * _POINTS)))
    labels = [_fit(name or str(number), _LABEL_CELLS) for name, number in zip(names, numbers, strict=True)][::step]
    at = [place + 0.5 for place in range(0, len(names), step)]
    set_ticks(at, labels, fontsize=points, rotation=rotation, parse_math=False)


def _digits(axes: Axes, heatmap: Heatmap, colors: Colormap, norm: Normalize, values: Sequence[Sequence[float]]) -> None:
    """Write the digits of each cell, white on dark colours."""
    for row, of_row in enumerate(values):
        for column, value in enumerate(of_row):
            if value == value:
                red, green, blue, _ = colors(norm(value))
                is_dark = 0.299 * red + 0.587 * green + 0.114 * blue < _BRIGHTEST_UNDER_WHITE
                axes.text(
                    column + 0.5,
                    row + 0.5,
                    heatmap.cell(row, column)[0],
                    ha="center",
                    va="center",
                    color="white" if is_dark else "black",
                    fontsize=_LABEL_POINTS - 2,
                    parse_math=False,
                )


def _rotation(names: Sequence[str]) -> int:
    """Return the angle of column names: upright if one is wider than a cell."""
    return 90 if max(map(cell_len, names), default=0) > _UPRIGHT_CELLS else 0


def _points(cell: float) -> float:
    """Return the font size that fits a cell."""
    return max(_LEAST_POINTS, min(_LABEL_POINTS, 0.75 * cell * _POINTS))


def _fit(text: str, cells: int) -> str:
    """Return the text, cut to the given number of terminal cells."""
    shown = visible(text)
    return shown if cell_len(shown) <= cells else f"{set_cell_size(shown, cells - 1)}…"


def _font_families(text: str) -> list[str]:
    """Return the fonts that together have the letters of the text, matplotlib's own first.

    matplotlib draws a letter that no font has as a box.
    """
    missing = {ord(character) for character in text}
    missing -= _characters(font_manager.findfont(_FIRST_FONT))
    found = [_FIRST_FONT]
    for name, path in _installed_fonts() if missing else ():
        if has := missing & _characters(path):
            found.append(name)
            missing -= has
        if not missing:
            break
    return found


def _installed_fonts() -> Iterator[tuple[str, str]]:
    """Yield the name and path of each upright font of regular weight, sorted by name."""
    fonts = {font.name: font.fname for font in reversed(font_manager.fontManager.ttflist) if _is_plain(font)}
    return iter(sorted(fonts.items()))


def _is_plain(font: font_manager.FontEntry) -> bool:
    # The font Last Resort has a placeholder for every letter, which nobody can read.
    return font.style == "normal" and font.weight in (400, "normal", "regular") and "Last Resort" not in font.name


def _characters(path: str) -> set[int]:
    """Return the code points that a font has."""
    try:
        return set(FT2Font(path).get_charmap())
    except (OSError, RuntimeError):  # FreeType cannot read the font
        return set()
