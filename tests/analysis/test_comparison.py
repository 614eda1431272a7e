"""Comparison of many vectors in blocks, with brute force as the oracle."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from bertcli.analysis.embeddings import comparison
from bertcli.analysis.embeddings.comparison import (
    DenseVectors,
    LexicalVectors,
    Vectors,
    later_similarities,
    nearest,
    strongest_pairs,
)
from bertcli.choices import Similarity
from bertcli.results.embeddings import LexicalVector

# Few different values, so that there are equal vectors, vectors of zeros, and ties.
_SMALL = arrays(np.float32, st.tuples(st.integers(1, 12), st.integers(1, 4)), elements=st.sampled_from([-1, 0, 1, 2]))


def brute(vectors: np.ndarray, measure: Similarity) -> np.ndarray:
    """Return the similarity of each pair, in float64."""
    wide = vectors.astype(np.float64)
    if measure == Similarity.COSINE:
        lengths = np.sqrt((wide**2).sum(1))
        products = np.array([[one @ other for other in wide] for one in wide])
        return products / np.where(lengths > 0, lengths, 1)[:, None] / np.where(lengths > 0, lengths, 1)
    if measure == Similarity.DOT:
        return np.array([[one @ other for other in wide] for one in wide])
    order = 2 if measure == Similarity.EUCLIDEAN else 1
    return np.array([[-np.linalg.norm(one - other, order) for other in wide] for one in wide])


def lexical(vectors: np.ndarray) -> list[LexicalVector]:
    """Return the vectors as terms, the largest weight first."""
    found = []
    for row in vectors:
        (ids,) = row.nonzero()
        order = np.argsort(-row[ids], kind="stable")
        found.append(LexicalVector(ids[order], row[ids[order]]))
    return found


def both_kinds(vectors: np.ndarray, measure: Similarity) -> list[Vectors]:
    return [DenseVectors(vectors, measure), LexicalVectors(lexical(vectors), vectors.shape[1], measure)]


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparison, "_BLOCK_ROWS", 3)


@pytest.mark.parametrize("measure", Similarity)
def test_similarities_are_those_of_brute_force(measure: Similarity) -> None:
    rng = np.random.default_rng(7)
    vectors = rng.normal(size=(40, 12)).astype(np.float32) * (rng.random((40, 12)) < 0.6)
    expected = brute(vectors, measure)
    for found in both_kinds(vectors, measure):
        np.testing.assert_allclose(found.similarity(0, 40), expected, 1e-6, 1e-6)
        np.testing.assert_allclose(found.similarity(5, 9, 5), expected[5:9, 5:], 1e-6, 1e-6)
        for row, values in enumerate(later_similarities(found)):
            np.testing.assert_allclose(values, expected[row, row + 1 :], 1e-6, 1e-6)


@pytest.mark.parametrize("measure", Similarity)
@given(_SMALL, st.integers(1, 14))
def test_the_nearest_are_those_of_brute_force_and_ties_are_in_order(
    measure: Similarity, vectors: np.ndarray, count: int
) -> None:
    for found in both_kinds(vectors, measure):
        exact = found.similarity(0, len(vectors))
        np.testing.assert_allclose(exact, brute(vectors, measure), 1e-6, 1e-6)
        rows = list(nearest(found, count))
        assert len(rows) == len(vectors)
        for row, (others, values) in enumerate(rows):
            candidates = [other for other in range(len(vectors)) if other != row]
            expected = sorted(candidates, key=lambda other: (-exact[row, other], other))[:count]
            assert list(others) == expected
            np.testing.assert_array_equal(values, exact[row, expected])


@pytest.mark.parametrize("measure", Similarity)
@given(_SMALL, st.integers(1, 30))
def test_the_strongest_pairs_are_those_of_brute_force(measure: Similarity, vectors: np.ndarray, count: int) -> None:
    for found in both_kinds(vectors, measure):
        exact = found.similarity(0, len(vectors))
        pairs = [(one, other) for one in range(len(vectors)) for other in range(one + 1, len(vectors))]
        expected = sorted(pairs, key=lambda pair: (-exact[pair], pair))[:count]
        assert strongest_pairs(later_similarities(found), count) == [(*pair, float(exact[pair])) for pair in expected]


def test_equal_vectors_are_equally_similar_wherever_they_are() -> None:
    rng = np.random.default_rng(3)
    some = rng.normal(size=(5, 384)).astype(np.float32)
    vectors = some[rng.integers(0, 5, 200)]
    exact = DenseVectors(vectors).similarity(0, 200)
    np.testing.assert_array_equal(exact, exact.T)
    assert len(np.unique(exact)) <= 1 + 5 * 4 // 2
    assert set(exact.diagonal()) == {1.0}


@pytest.mark.parametrize("measure", [Similarity.EUCLIDEAN, Similarity.MANHATTAN])
def test_equal_vectors_have_no_negative_zero(measure: Similarity) -> None:
    for found in both_kinds(np.ones((2, 3), np.float32), measure):
        assert not np.signbit(found.similarity(0, 2)).any()


def test_orthogonal_vectors_have_the_cosine_0_in_every_block() -> None:
    vectors = np.array([[-1, -1, -1, -1], [1, 2, -1, -2], [2, 1, -1, -2], [0, 1, -1, 0], [-1, 2, 0, -1]], np.float32)
    found = DenseVectors(vectors)
    for start in range(5):
        values = found.similarity(start, start + 1)
        np.testing.assert_array_equal(values, found.similarity(0, 5)[start : start + 1])
        assert not np.any((values != 0) & (np.abs(values) < 1e-9))
        assert not np.signbit(values[values == 0]).any()


def test_no_vectors_and_one_vector() -> None:
    assert list(nearest(LexicalVectors([], 3, Similarity.DOT), 2)) == []
    (only,) = nearest(DenseVectors(np.ones((1, 3), np.float32)), 2)
    assert (only[0], len(only[1])) == ([], 0)
    assert strongest_pairs(later_similarities(DenseVectors(np.ones((1, 3), np.float32))), 2) == []
