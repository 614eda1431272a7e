"""Write the figures into a model card: python -m tools.bundled_model.card CARD REPORT.json SAMPLE.json.

REPORT.json and SAMPLE.json are the outputs of evaluate --json: for all held-out text, and for the part of it that the
tests repeat. Each table is between two comments in the card, `<!-- NAME -->` and `<!-- end -->`.
"""

import json
import re
from argparse import ArgumentParser
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

Row = Sequence[str]


def tables(report: dict[str, Any], sample: dict[str, Any]) -> dict[str, list[str]]:
    """Return the lines of each table, by the name in its comment.

    Args:
        report: Output of evaluate for all held-out text.
        sample: Output of evaluate for the part of it that the tests repeat.
    """
    return {
        "held out": _table(_FIGURES, (_figures(line) for line in report["sources"])),
        "positions": _table(_FIGURES[:5], (_figures(line)[:5] for line in report["positions"])),
        "sample": _table(_FIGURES, (_figures(line) for line in sample["sources"])),
        "probes": _table(("text", "wanted", "place", "probability", "likeliest"), map(_probe, report["probes"])),
    }


_FIGURES = ("split", "masks", "loss", "top-1", "top-5", "pairs", "next sentence")


def _figures(line: dict[str, Any]) -> Row:
    loss = "" if line["loss"] is None else f"{line['loss']:.3f}"
    shares = (_percent(line[name]) for name in ("top1", "top5"))
    return (line["name"], f"{line['masks']:,}", loss, *shares, f"{line['pairs']:,}", _percent(line["next_sentence"]))


def _probe(probe: dict[str, Any]) -> Row:
    place, probability = str(probe["place"]), f"{probe['probability']:.3f}"
    return probe["text"], probe["wanted"], place, probability, " ".join(probe["likeliest"])


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.1f} %"


def _table(names: Row, rows: Iterable[Row]) -> list[str]:
    return [_line(names), _line(["---"] * len(names)), *map(_line, rows)]


def _line(cells: Row) -> str:
    return f"| {' | '.join(cells)} |"


def fill_tables(card: str, found: dict[str, list[str]]) -> str:
    """Return the card with its tables replaced.

    Args:
        card: Text of the card.
        found: Lines of each table, by the name in its comment.

    Raises:
        KeyError: A comment in the card names an unknown table.
    """

    def fill(table: re.Match[str]) -> str:
        return "\n".join([f"<!-- {table['name']} -->", *found[table["name"]], "<!-- end -->"])

    return re.sub(r"<!-- (?P<name>(?!end)[\w ]+) -->\n.*?<!-- end -->", fill, card, flags=re.DOTALL)


def main(arguments: list[str] | None = None) -> None:
    """Run the program."""
    parser = ArgumentParser(prog="card", description=__doc__)
    for name in ("card", "report", "sample"):
        parser.add_argument(name, type=Path)
    options = parser.parse_args(arguments)
    report, sample = (json.loads(path.read_text(encoding="utf-8")) for path in (options.report, options.sample))
    card = options.card.read_text(encoding="utf-8")
    options.card.write_text(fill_tables(card, tables(report, sample)), encoding="utf-8")


if __name__ == "__main__":
    main()
