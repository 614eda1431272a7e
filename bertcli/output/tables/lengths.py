"""Table of shapes --lengths: percentiles of the lengths of texts, and their histogram."""

import os
from collections.abc import Sequence

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.text import Text

from bertcli.lazy_dataclass import dataclass
from bertcli.output.display import corpus_title
from bertcli.output.formatting import counted
from bertcli.output.tables import cells
from bertcli.output.tables.blocks import Blocks
from bertcli.results.lengths import LengthBin, TextLengths
from bertcli.results.texts import RunInfo

_WIDEST_BAR = 40
_ASCII_BLOCK = "#"


def lengths_table(lengths: TextLengths, info: RunInfo, unknown_token: str) -> RenderableType:
    """Draw the percentiles and the histogram of the lengths, and the shares of long texts and of unknown tokens."""
    drawn = cells.table()
    cells.add_numbers(drawn, "min", "median", "90 %", "99 %", "max")
    found = (lengths.min, lengths.median, lengths.p90, lengths.p99, lengths.max)
    drawn.add_row(*(Text("-" if length is None else f"{length:,}") for length in found))
    over = (f"over the limit of {lengths.limit:,}", lengths.over_limit, "text", lengths.over_limit_share, "")
    rare = f", in {counted(lengths.unknown_texts, 'text')}"
    unknown = (f"unknown ({unknown_token})", lengths.unknown, "token", lengths.unknown_share, rare)
    width = max(len(over[0]), len(unknown[0]))
    shares = Text("\n").join(_share_line(*line, width=width) for line in (over, unknown))
    caption = cells.caption(info, "tokens in a text, special tokens included; percentiles by nearest rank")
    heading = Text(corpus_title(lengths.texts, lengths.tokens), cells.STRONG)
    return cells.figure(heading, Blocks(drawn, keys=0), Histogram(lengths.histogram), shares, caption)


def _share_line(name: str, count: int, noun: str, share: float, more: str, *, width: int) -> Text:
    """Return a line with a count and its share, marked if it is not 0."""
    line = Text(f"{name:<{width}}  ")
    if not count:
        return line.append(f"no {noun}", cells.QUIET)
    return line.append(f"{counted(count, noun)} ({_percent(share)})", cells.ALARM).append(more)


def _percent(share: float) -> str:
    """Return a share in percent.

    >>> _percent(0.12345), _percent(0.00001)
    ('12.35 %', 'less than 0.01 %')
    """
    return f"{100 * share:.2f} %" if share >= 0.00005 else "less than 0.01 %"


@dataclass(frozen=True, slots=True)
class Histogram:
    """A bar for each bin, as wide as the terminal allows."""

    bins: Sequence[LengthBin]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the heading and a line for each bin."""
        ranges = [f"{each.min:,}" if each.min == each.max else f"{each.min:,}-{each.max:,}" for each in self.bins]
        counts = [f"{each.texts:,}" for each in self.bins]
        first, second = max(map(len, (*ranges, "tokens"))), max(map(len, (*counts, "texts")))
        room = min(options.max_width - first - second - 4, _WIDEST_BAR)
        most = max((each.texts for each in self.bins), default=0)
        yield Text(f"{'tokens':>{first}}  {'texts':>{second}}", cells.STRONG)
        is_ascii = console.is_terminal and not can_show_blocks()
        for each, shown, count in zip(self.bins, ranges, counts, strict=True):
            bar = _bar(each.texts / most, room, is_ascii=is_ascii) if most and room > 0 else ""
            yield Text.assemble(f"{shown:>{first}}  {count:>{second}}", *([f"  {bar}"] if bar else []))


def can_show_blocks() -> bool:
    """Return True unless the locale of the terminal names an encoding other than UTF-8, as LC_ALL=C does."""
    named = next(filter(None, map(os.environ.get, ("LC_ALL", "LC_CTYPE", "LANG"))), "UTF-8")
    return "utf" in named.lower()


def _bar(share: float, width: int, *, is_ascii: bool) -> str:
    """Return a bar for a share of the widest bar. Any text has a bar that can be seen."""
    least = 1 if share else 0
    if is_ascii:
        return _ASCII_BLOCK * max(round(share * width), least)
    return cells.eighths_bar(max(round(share * width * 8), least))
