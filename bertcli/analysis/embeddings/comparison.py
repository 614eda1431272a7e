"""Comparison of many vectors with one another, in blocks, so that memory stays far below one value for each pair."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

import numpy as np

from bertcli.analysis.embeddings.lexical import dense_vector
from bertcli.analysis.embeddings.pooling import normalize
from bertcli.choices import Similarity
from bertcli.model.ops.base import DoubleArray, FloatArray, IntArray
from bertcli.results.embeddings import LexicalVector

# Similarities of a block, at most: 32 MB of float64.
_BLOCK_VALUES = 1 << 22
# Decimals of a cosine that float64 computes exactly, whatever the order of the sum.
_COSINE_DECIMALS = 12
# Vectors of a block, at most, so that a block takes a fraction of a second.
_BLOCK_ROWS = 256


class Vectors(Protocol):
    """Vectors that can be compared."""

    def __len__(self) -> int:
        """Return the number of vectors."""

    def similarity(self, start: int, stop: int, first: int = 0) -> FloatArray:
        """Return the similarity of the vectors from start to stop with those from `first` on.

        Returns:
            (stop - start, len(self) - first), in float32.
        """


class DenseVectors:
    """Vectors of one array.

    Products are computed in float64 and rounded to float32. So equal vectors have equal similarities, wherever they
    are in a block, and each vector has exactly the cosine 1 with itself.

    Args:
        vectors: (vectors, dimension).
        measure: COSINE, DOT (dot product), or the negative EUCLIDEAN or MANHATTAN distance.
    """

    def __init__(self, vectors: FloatArray | DoubleArray, measure: Similarity = Similarity.COSINE) -> None:
        self._measure = measure
        wide = np.asarray(vectors, np.float64)
        self._vectors = normalize(wide) if measure == Similarity.COSINE else wide

    def __len__(self) -> int:
        return len(self._vectors)

    def similarity(self, start: int, stop: int, first: int = 0) -> FloatArray:
        rows, others = self._vectors[start:stop], self._vectors[first:]
        if self._measure == Similarity.COSINE:
            # BLAS rounds differently in blocks of other shapes: the cosine 0 may come out as 1e-17, also as float32.
            return np.asarray(np.round(rows @ others.T, _COSINE_DECIMALS) + 0.0, np.float32)
        if self._measure == Similarity.DOT:
            return np.asarray(rows @ others.T, np.float32)
        order = 2 if self._measure == Similarity.EUCLIDEAN else 1
        # Subtracted, since -0 would be shown as -0.0.
        return np.asarray([0 - np.linalg.norm(others - row, ord=order, axis=-1) for row in rows], np.float32)


class LexicalVectors:
    """Lexical vectors. Only the terms that two vectors share are multiplied.

    Args:
        vectors: The vectors.
        dimension: Size of the vocabulary.
        measure: As for DenseVectors.
    """

    def __init__(self, vectors: Sequence[LexicalVector], dimension: int, measure: Similarity) -> None:
        self._dimension, self._measure = dimension, measure
        self._ids = [terms.token_ids for terms in vectors]
        weights = [np.asarray(terms.weights, np.float64) for terms in vectors]
        self._weights = [normalize(each) for each in weights] if measure == Similarity.COSINE else weights
        # For each term of the vocabulary the vectors that have it, and its weights there.
        ids = np.concatenate([*self._ids, np.empty(0, np.int64)]).astype(np.int64)
        order = np.argsort(ids, kind="stable")
        self._numbers = np.repeat(np.arange(len(vectors)), [len(each) for each in self._ids])[order]
        self._values = np.concatenate([*self._weights, np.empty(0)])[order]
        self._starts = np.searchsorted(ids[order], np.arange(dimension + 1))

    def __len__(self) -> int:
        return len(self._ids)

    def similarity(self, start: int, stop: int, first: int = 0) -> FloatArray:
        if self._measure in (Similarity.COSINE, Similarity.DOT):
            return np.asarray([self._products(row)[first:] for row in range(start, stop)], np.float32)
        order = 2 if self._measure == Similarity.EUCLIDEAN else 1
        found = np.empty((stop - start, len(self) - first), np.float32)
        rows = np.array([self._dense(row) for row in range(start, stop)])
        for column in range(first, len(self)):
            found[:, column - first] = 0 - np.linalg.norm(rows - self._dense(column), ord=order, axis=-1)
        return found

    def _products(self, row: int) -> DoubleArray:
        """Return the dot product of a vector with each vector."""
        starts, stops = self._starts[self._ids[row]], self._starts[self._ids[row] + 1]
        counts = stops - starts
        # The places of all vectors that have the first term, then of those that have the second, and so on.
        places = np.arange(counts.sum()) + np.repeat(starts - np.cumsum(counts) + counts, counts)
        products = self._values[places] * np.repeat(self._weights[row], counts)
        return np.asarray(np.bincount(self._numbers[places], products, len(self)), np.float64)

    def _dense(self, row: int) -> FloatArray:
        return dense_vector(LexicalVector(self._ids[row], self._weights[row]), self._dimension)


def blocks(vectors: Vectors) -> Iterator[tuple[int, int]]:
    """Yield the first vector of each block, and the one after its last."""
    rows = max(1, min(_BLOCK_ROWS, _BLOCK_VALUES // max(len(vectors), 1)))
    for start in range(0, len(vectors), rows):
        yield start, min(start + rows, len(vectors))


def all_similarities(vectors: Vectors) -> Iterator[FloatArray]:
    """Yield the similarities of each vector with all vectors."""
    for start, stop in blocks(vectors):
        yield from vectors.similarity(start, stop)


def later_similarities(vectors: Vectors) -> Iterator[FloatArray]:
    """Yield the similarities of each vector with all later vectors, so that every pair occurs once."""
    for start, stop in blocks(vectors):
        block = vectors.similarity(start, stop, start)
        for row in range(stop - start):
            yield block[row, row + 1 :]


def nearest(vectors: Vectors, count: int) -> Iterator[tuple[Sequence[int], FloatArray]]:
    """Yield for each vector the others that are most similar to it, the most similar one first.

    Equally similar ones are in their order.

    Args:
        vectors: The vectors.
        count: Number of others, at most.

    Yields:
        The numbers of the others, and their similarities, (count,).
    """
    count = min(count, len(vectors) - 1)
    for start, stop in blocks(vectors):
        block = vectors.similarity(start, stop)
        for row, values in enumerate(block):
            values[start + row] = -np.inf
            found = _largest(values, count)
            yield found.tolist(), values[found]


def strongest_pairs(similarities: Iterable[FloatArray], count: int) -> list[tuple[int, int, float]]:
    """Return the most similar pairs, the most similar one first. Equally similar ones are in their order.

    Args:
        similarities: For each vector its similarity with each later one.
        count: Number of pairs, at most.

    Returns:
        The number of one vector, that of a later one, and their similarity.
    """
    pairs: list[tuple[int, int, float]] = []
    for row, values in enumerate(similarities):
        least = pairs[-1][2] if len(pairs) == count else -np.inf
        if len(values) and values.max() > least:
            found = _largest(values, min(count, len(values)))
            pairs += [(row, row + 1 + int(at), float(values[at])) for at in found]
            pairs = sorted(pairs, key=lambda pair: -pair[2])[:count]
    return pairs


def _largest(values: FloatArray, count: int) -> IntArray:
    """Return the places of the largest values, the largest first, and equal ones in their order.

    Args:
        values: (values,).
        count: Number of places, from 0 to that of the values.
    """
    if not count:
        return np.empty(0, np.int64)
    least = np.partition(values, len(values) - count)[len(values) - count]
    found = np.flatnonzero(values >= least)
    return found[np.argsort(-values[found], kind="stable")][:count]
