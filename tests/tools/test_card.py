"""Tests that the figures in the bundled model's card match the file that ships."""

import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch

from bertcli.checkpoints.find import BUNDLED_FOLDER
from tools.bundled_model.card import fill_tables, tables
from tools.bundled_model.evaluate import Report, evaluate
from tools.bundled_model.probes import PROBES
from tools.bundled_model.settings import read_settings

CARD = BUNDLED_FOLDER / "MODEL_CARD.md"
# A part of the held-out text, from sources in the public domain, in the format of prepare.
SAMPLE = Path(__file__).parent / "heldout"


def rows(name: str) -> Iterator[list[str]]:
    """Yield the cells of each row of a table in the card, without its header."""
    table = CARD.read_text(encoding="utf-8").partition(f"<!-- {name} -->\n")[2].partition("<!-- end -->")[0]
    for line in table.splitlines()[2:]:
        yield [cell.strip() for cell in line.strip("|").split("|")]


@pytest.fixture(scope="module")
def report() -> Report:
    """Return the report of evaluate over the sample."""
    settings = read_settings()
    names = {path.stem for path in SAMPLE.glob("*.npz")}
    texts = replace(settings.texts, source=tuple(each for each in settings.texts.source if each.name in names))
    return evaluate(BUNDLED_FOLDER, SAMPLE.parent, replace(settings, texts=texts), torch.device("cpu"))


def test_the_card_has_the_figures_of_the_sample(report: Report) -> None:
    found = {line.name: line for line in report.sources}
    card = {name: cells for name, *cells in rows("sample")}
    assert card.keys() == found.keys()
    for name, (masks, loss, top1, top5, pairs, follows) in card.items():
        line = found[name]
        assert (masks, pairs) == (f"{line.masks:,}", f"{line.pairs:,}")
        assert float(loss) == pytest.approx(line.loss, abs=0.002)
        for share, cell in ((line.top1, top1), (line.top5, top5), (line.next_sentence, follows)):
            assert (share is None) == (not cell)
            if share is not None:
                # Allow one answer more or less, which another processor's last digits may decide.
                assert float(cell.removesuffix(" %")) == pytest.approx(100 * share, abs=0.05 + 100 / line.masks)


def test_the_card_has_the_answers_to_the_probes(report: Report) -> None:
    card = list(rows("probes"))
    assert [(text, wanted) for text, wanted, *_ in card] == list(PROBES)
    for (_, _, place, probability, likeliest), probe in zip(card, report.probes, strict=True):
        assert float(probability) == pytest.approx(probe.probability, abs=0.002)
        assert int(place) == pytest.approx(probe.place, abs=1, rel=0.02)
        assert likeliest.split()[0] == probe.likeliest[0]


def test_the_required_probes_are_answered_first(report: Report) -> None:
    assert [probe.place for probe in report.probes[:4]] == [1, 1, 1, 1]


def test_tables_replace_the_text_between_their_comments(report: Report) -> None:
    raw = json.loads(json.dumps(asdict(report)))
    card = "# A card\n\n<!-- sample -->\nstale\n<!-- end -->\n\nBetween.\n\n<!-- probes -->\n<!-- end -->\n"
    new = fill_tables(card, tables(raw, raw))
    assert "stale" not in new
    assert fill_tables(new, tables(raw, raw)) == new
    assert [new.count(f"| {text} |") for text, _ in PROBES] == [1] * len(PROBES)
    before, _, after = new.partition("Between.")
    assert before.count("\n|") == 2 + len(report.sources)
    assert after.count("\n| ") == 2 + len(PROBES)
