"""Heads over many texts, and which of them are told of."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bertcli.analysis.attention.aggregate import Aggregate, TextStatistics
from bertcli.analysis.attention.heads import AttnOptions, aggregated, attend, summarise
from bertcli.analysis.attention.selection import Selection, statistics_named
from bertcli.analysis.attention.statistics import STATISTICS
from bertcli.errors import BadText, WrongUsage
from bertcli.input.records import FailedText
from bertcli.results.attention import HeadStatistics
from tests.tiny import DEFAULTS, one_batch, open_bert

TEXTS = ["how are you", "the cat, sat! (on) the mat ...", ("a", "the cat sat on the mat?"), "!"]
LAYERS, HEADS = DEFAULTS["num_hidden_layers"], DEFAULTS["num_attention_heads"]
EVERYTHING = AttnOptions(range(LAYERS), range(HEADS), head_distance=True)


def head(layer: int, number: int, **numbers: float) -> HeadStatistics:
    values = {**dict.fromkeys(STATISTICS, 0.0), **numbers}
    label = "previous" if values["previous"] > 0.5 else None
    return HeadStatistics(layer=layer, head=number, **values, label=label)


@pytest.mark.parametrize("engine", ["numpy", "torch", "transformers"])
def test_a_corpus_is_the_mean_over_all_queries_of_its_texts(tiny_bert: Path, engine: str) -> None:
    session = open_bert(tiny_bert, engine)
    batch = one_batch(session, TEXTS)
    alone = attend(session, batch, EVERYTHING)
    [summary] = aggregated(summarise(session, batch, EVERYTHING), EVERYTHING)
    sizes = [len(answer.text.tokens) for answer in alone]
    assert (summary.text_count, summary.token_count) == (len(TEXTS), sum(sizes))
    for at, found in enumerate(summary.heads):
        assert (found.layer, found.head) == divmod(at, HEADS)
        for name in STATISTICS:
            weights = [size - 1 if name in ("previous", "next") else size for size in sizes]
            wanted = np.average([getattr(answer.heads[at], name) for answer in alone], weights=weights)
            assert getattr(found, name) == pytest.approx(wanted, abs=1e-6), name
    distances = np.average([answer.head_distance for answer in alone], axis=0, weights=sizes)
    np.testing.assert_allclose(summary.head_distance, distances, 0, 1e-6)


def test_texts_without_an_answer_go_by_and_count_for_nothing(tiny_bert: Path) -> None:
    session = open_bert(tiny_bert)
    missing = FailedText(1, 2, BadText("it is empty"))
    answers = summarise(session, one_batch(session, TEXTS), EVERYTHING)
    passed, summary = aggregated([answers[0], missing, *answers[1:]], EVERYTHING)
    assert passed is missing
    assert summary.text_count == len(TEXTS)
    assert list(aggregated([missing], EVERYTHING)) == [missing]


def test_previous_and_next_are_weighted_by_the_queries_that_have_a_neighbour() -> None:
    aggregate = Aggregate()
    for tokens, value in ((3, 0.5), (6, 0.8)):
        aggregate.add(TextStatistics(tokens, np.full((1, 1, len(STATISTICS)), value, np.float32)))
    found = aggregate.summary([4], [2]).heads[0]
    assert (found.layer, found.head, found.label) == (4, 2, "previous")
    assert found.entropy == pytest.approx((3 * 0.5 + 6 * 0.8) / 9)
    assert found.next == pytest.approx((2 * 0.5 + 5 * 0.8) / 7)


def test_a_long_stream_of_texts_loses_no_digits() -> None:
    aggregate, value = Aggregate(), np.float32(0.1)
    text = TextStatistics(7, np.full((1, 1, len(STATISTICS)), value, np.float32))
    for _ in range(100_000):
        aggregate.add(text)
    assert aggregate.summary([0], [0]).heads[0].entropy == pytest.approx(float(value), rel=1e-9)


HEADS_GIVEN = [head(0, 0, entropy=1.0), head(0, 1, entropy=3.0, previous=0.9), head(1, 0, entropy=2.0, previous=0.7)]


@pytest.mark.parametrize(
    ("selection", "wanted"),
    [
        (Selection(), [(0, 0), (0, 1), (1, 0)]),
        (Selection(label="previous"), [(0, 1), (1, 0)]),
        (Selection(by="entropy"), [(0, 1), (1, 0), (0, 0)]),
        (Selection(by="-entropy", top=2), [(0, 0), (1, 0)]),
        (Selection(by="previous", top=1, label="previous"), [(0, 1)]),
        (Selection(label="broad"), []),
        (Selection(by_layer=True), [(0, None), (1, None)]),
    ],
    ids=str,
)
def test_heads_are_chosen_by_label_and_order(selection: Selection, wanted: list[tuple[int, int | None]]) -> None:
    assert [(found.layer, found.head) for found in selection.of(HEADS_GIVEN)] == wanted


def test_a_layer_is_the_mean_of_its_heads() -> None:
    first, _ = Selection(by_layer=True).of(HEADS_GIVEN)
    assert (first.entropy, first.previous, first.label) == (2.0, 0.45, None)


def test_what_is_told_of_is_in_the_order_of_the_heads(tiny_bert: Path) -> None:
    session = open_bert(tiny_bert)
    batch = one_batch(session, ["the cat sat"])
    plain = AttnOptions(range(LAYERS), range(HEADS), value_norms=True, head_distance=True)
    [found] = attend(session, batch, replace(plain, selection=Selection(by="cls", top=3)))
    [every] = attend(session, batch, plain)
    told = [head.layer * HEADS + head.head for head in found.heads]
    assert len(told) == 3 and told != sorted(told)
    np.testing.assert_array_equal(found.value_norms, every.value_norms[told])
    np.testing.assert_array_equal(found.head_distance, every.head_distance[np.ix_(told, told)])


def test_statistics_are_named_by_their_columns() -> None:
    assert statistics_named("--stat", "cls, entropy,cls") == ["cls", "entropy"]
    with pytest.raises(WrongUsage, match="--by 'entrpy': there is no such statistic"):
        statistics_named("--by", "entrpy")
