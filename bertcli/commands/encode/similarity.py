"""Similarities in encode: what is compared, collected from the answers while they are written."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from bertcli.analysis.embeddings.lexical import dense_vector
from bertcli.analysis.embeddings.pooling import similarity_matrix
from bertcli.analysis.embeddings.token_similarity import ComparedTokens, token_similarity, tokens_of
from bertcli.choices import Similarity, SimilarityUnit, WordPooling
from bertcli.commands.encode.combinations import not_two_texts
from bertcli.commands.encode.request import EncodeRequest
from bertcli.input.records import FailedText
from bertcli.model.session import Session
from bertcli.model.tokenizer import TextTokenizer
from bertcli.output.schema import Schema
from bertcli.output.schemas.encode import with_text_similarity
from bertcli.output.schemas.similarity import with_occurrences, with_pair_similarity, with_token_similarity
from bertcli.results.embeddings import EncodeRecord, Occurrence, TokenSimilarity
from bertcli.results.recipe import Recipe
from bertcli.results.texts import FloatArray, RunInfo

Answers = Iterator[EncodeRecord | FailedText]


class Comparison(Protocol):
    """The vectors that --similarity compares in a run."""

    def watch(self, answers: Iterable[EncodeRecord | FailedText]) -> Answers:
        """Yield the answers unchanged, and keep what is compared."""

    def add_to(self, schema: Schema[EncodeRecord], info: RunInfo) -> Schema[EncodeRecord]:
        """Return a schema that shows the similarity too."""


def open_comparison(request: EncodeRequest, session: Session) -> Comparison | None:
    """Return what a request compares, None without --similarity."""
    if request.similarity is None:
        return None
    if request.similarity == SimilarityUnit.TOKENS:
        has_pairs = request.texts.pair is not None or request.texts.pairs
        return PairComparison() if has_pairs else TokenComparison(session.tokenizer)
    pooling = request.words.word_pooling or WordPooling.MEAN
    return TextComparison(session.recipe.shown) if request.words.word is None else OccurrenceComparison(pooling)


@dataclass(frozen=True, slots=True)
class TextComparison:
    """The texts and embeddings of a run, for the similarity matrix after the last record."""

    recipe: Recipe
    texts: list[str] = field(default_factory=list)
    embeddings: list[Any] = field(default_factory=list)

    def watch(self, answers: Iterable[EncodeRecord | FailedText]) -> Answers:
        for answer in answers:
            if not isinstance(answer, FailedText):
                self.texts.append(answer.text.text)
                self.embeddings.append(answer.embedding if answer.terms is None else answer.terms)
            yield answer

    def add_to(self, schema: Schema[EncodeRecord], info: RunInfo) -> Schema[EncodeRecord]:
        return with_text_similarity(schema, self.similarity, self.recipe, info)

    def similarity(self) -> tuple[Sequence[str], FloatArray]:
        """Return the texts and the similarity of each pair, (texts, texts)."""
        if not self.texts:
            return self.texts, np.empty((0, 0))
        vectors = self.embeddings
        if self.recipe.is_lexical:
            vectors = [dense_vector(terms, self.recipe.dimension) for terms in self.embeddings]
        return self.texts, similarity_matrix(np.array(vectors), self.recipe.similarity or Similarity.COSINE)


@dataclass(frozen=True, slots=True)
class OccurrenceComparison:
    """The occurrences of a word in a run, for the similarity matrix after the last record."""

    pooling: WordPooling
    occurrences: list[Occurrence] = field(default_factory=list)

    def watch(self, answers: Iterable[EncodeRecord | FailedText]) -> Answers:
        for answer in answers:
            if not isinstance(answer, FailedText):
                found = (word for word in answer.words or () if word.embedding is not None)
                self.occurrences.extend(Occurrence(answer.text, word) for word in found)
            yield answer

    def add_to(self, schema: Schema[EncodeRecord], info: RunInfo) -> Schema[EncodeRecord]:
        return with_occurrences(schema, self.similarity, info, self.pooling)

    def similarity(self) -> tuple[Sequence[Occurrence], FloatArray]:
        """Return the occurrences and the cosine of each pair, (occurrences, occurrences)."""
        if not self.occurrences:
            return self.occurrences, np.empty((0, 0))
        return self.occurrences, similarity_matrix(np.array([each.word.embedding for each in self.occurrences]))


@dataclass(frozen=True, slots=True)
class TokenComparison:
    """The tokens of the two texts of a run."""

    tokenizer: TextTokenizer
    texts: list[ComparedTokens] = field(default_factory=list)

    def watch(self, answers: Iterable[EncodeRecord | FailedText]) -> Answers:
        """Yield the answers unchanged, and keep what is compared.

        Raises:
            WrongUsage: There are more or fewer texts than two.
        """
        for answer in answers:
            if not isinstance(answer, FailedText):
                if len(self.texts) == 2:
                    self.texts.clear()
                    raise not_two_texts("more")
                assert answer.last_hidden_state is not None
                self.texts.append(tokens_of(answer.text, answer.last_hidden_state, self.tokenizer))
            yield answer
        if len(self.texts) == 1:
            raise not_two_texts("1")

    def add_to(self, schema: Schema[EncodeRecord], info: RunInfo) -> Schema[EncodeRecord]:
        return with_token_similarity(schema, self.similarity, info)

    def similarity(self) -> TokenSimilarity | None:
        """Return the similarity of the first text's tokens with the second's, None if there are not two texts."""
        return token_similarity(*self.texts) if len(self.texts) == 2 else None


@dataclass(frozen=True, slots=True)
class PairComparison:
    """The tokens of each pair of sentences, which the analysis compares: see EncodeOptions.token_similarity."""

    def watch(self, answers: Iterable[EncodeRecord | FailedText]) -> Answers:
        yield from answers

    def add_to(self, schema: Schema[EncodeRecord], info: RunInfo) -> Schema[EncodeRecord]:
        return with_pair_similarity(schema, info)
