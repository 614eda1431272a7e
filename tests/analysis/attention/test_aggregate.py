"""Means of head statistics over many texts, and the order of what a selection returns."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bertcli.analysis.attention.heads import AttnOptions, compute_attention, compute_statistics, summarize_texts
from bertcli.analysis.attention.selection import HeadOrder, Selection
from bertcli.analysis.attention.statistics import Aggregate, TextStatistics
from bertcli.choices import Statistic
from bertcli.errors import BadText
from bertcli.input.records import FailedText
from bertcli.results.attention import HeadStatistics
from tests.tiny import DEFAULTS, one_batch, open_bert

TEXTS = ["how are you", "the cat, sat! (on) the mat ...", ("a", "the cat sat on the mat?"), "!"]
LAYERS, HEADS = DEFAULTS["num_hidden_layers"], DEFAULTS["num_attention_heads"]
EVERYTHING = AttnOptions(range(LAYERS), range(HEADS), head_distance=True)


def head(layer: int, number: int, **numbers: float) -> HeadStatistics:
    values = {**dict.fromkeys(list(Statistic), 0.0), **numbers}
    label = "previous" if values["previous"] > 0.5 else None
    return HeadStatistics(layer=layer, head=number, **values, label=label)


@pytest.mark.parametrize("engine", ["numpy", "torch", "transformers"])
def test_a_summary_is_the_mean_over_all_queries_of_all_texts(tiny_bert: Path, engine: str) -> None:
    session = open_bert(tiny_bert, engine)
    batch = one_batch(session, TEXTS)
    alone = compute_attention(session, batch, EVERYTHING)
    [summary] = summarize_texts(compute_statistics(session, batch, EVERYTHING), EVERYTHING)
    sizes = [len(answer.text.tokens) for answer in alone]
    assert (summary.text_count, summary.token_count) == (len(TEXTS), sum(sizes))
    for at, found in enumerate(summary.heads):
        assert (found.layer, found.head) == divmod(at, HEADS)
        for name in list(Statistic):
            weights = [size - 1 if name in ("previous", "next") else size for size in sizes]
            wanted = np.average([getattr(answer.heads[at], name) for answer in alone], weights=weights)
            assert getattr(found, name) == pytest.approx(wanted, abs=1e-6), name
    distances = np.average([answer.head_distance for answer in alone], axis=0, weights=sizes)
    np.testing.assert_allclose(summary.head_distance, distances, 0, 1e-6)


def test_failed_texts_are_passed_on_and_not_counted(tiny_bert: Path) -> None:
    session = open_bert(tiny_bert)
    missing = FailedText(1, 2, BadText("it is empty"))
    answers = compute_statistics(session, one_batch(session, TEXTS), EVERYTHING)
    passed, summary = summarize_texts([answers[0], missing, *answers[1:]], EVERYTHING)
    assert passed is missing
    assert summary.text_count == len(TEXTS)
    assert list(summarize_texts([missing], EVERYTHING)) == [missing]


def test_previous_and_next_are_weighted_by_the_queries_that_have_a_neighbour() -> None:
    aggregate = Aggregate()
    for tokens, value in ((3, 0.5), (6, 0.8)):
        aggregate.add(TextStatistics(tokens, np.full((1, 1, len(list(Statistic))), value, np.float32)))
    found = aggregate.summary([4], [2]).heads[0]
    assert (found.layer, found.head, found.label) == (4, 2, "previous")
    assert found.entropy == pytest.approx((3 * 0.5 + 6 * 0.8) / 9)
    assert found.next == pytest.approx((2 * 0.5 + 5 * 0.8) / 7)


def summed_label(*texts: tuple[int, float]) -> str | None:
    """Return the label of a head over texts, each with a number of tokens and an entropy as a share of ln n."""
    aggregate, at = Aggregate(), list(Statistic).index(Statistic.ENTROPY)
    for tokens, share in texts:
        values = np.zeros((1, 1, len(list(Statistic))), np.float32)
        values[..., at] = share * math.log(tokens)
        aggregate.add(TextStatistics(tokens, values))
    return aggregate.summary([0], [0]).heads[0].label


def test_a_head_is_broad_over_texts_by_the_mean_share_of_ln_n_over_queries() -> None:
    assert summed_label((10, 0.9)) == "broad"
    assert summed_label((10, 0.9), (500, 0.7)) is None
    assert summed_label((500, 0.9), (10, 0.1)) == "broad"
    assert summed_label((10, 0.84), (10, 0.78)) == "broad"
    assert summed_label((10, 0.84), (10, 0.74)) is None


def test_texts_of_fewer_than_8_tokens_do_not_count_for_broad() -> None:
    assert summed_label(*[(7, 1.0)] * 10) is None
    assert summed_label(*[(7, 0.1)] * 10, (8, 0.9)) == "broad"
    assert summed_label(*[(7, 1.0)] * 10, (8, 0.7)) is None


def test_a_long_stream_of_texts_loses_no_digits() -> None:
    aggregate, value = Aggregate(), np.float32(0.1)
    text = TextStatistics(7, np.full((1, 1, len(list(Statistic))), value, np.float32))
    for _ in range(100_000):
        aggregate.add(text)
    assert aggregate.summary([0], [0]).heads[0].entropy == pytest.approx(float(value), rel=1e-9)


def test_value_norms_and_distances_are_in_the_order_of_the_selected_heads(tiny_bert: Path) -> None:
    session = open_bert(tiny_bert)
    batch = one_batch(session, ["the cat sat"])
    plain = AttnOptions(range(LAYERS), range(HEADS), value_norms=True, head_distance=True)
    [found] = compute_attention(
        session, batch, replace(plain, selection=Selection(order=HeadOrder(Statistic.CLS), top=3))
    )
    [every] = compute_attention(session, batch, plain)
    selected = [head.layer * HEADS + head.head for head in found.heads]
    assert len(selected) == 3 and selected != sorted(selected)
    np.testing.assert_array_equal(found.value_norms, every.value_norms[selected])
    np.testing.assert_array_equal(found.head_distance, every.head_distance[np.ix_(selected, selected)])
