"""Similarities in encode: what is compared is collected from the answers, and compared after the last one.

JSON has the records too, and closes with the similarities. The other formats show similarities alone.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np

from bertcli.analysis.embeddings.comparison import (
    DenseVectors,
    LexicalVectors,
    Vectors,
    all_similarities,
    later_similarities,
    nearest,
    strongest_pairs,
)
from bertcli.analysis.embeddings.token_similarity import ComparedTokens, token_similarity, tokens_of
from bertcli.choices import Similarity, SimilarityUnit, WordPooling
from bertcli.commands.encode.combinations import not_two_texts
from bertcli.commands.encode.request import EncodeRequest
from bertcli.errors import WrongUsage
from bertcli.input.reader import TextReader
from bertcli.input.records import FailedText
from bertcli.model.session import Session
from bertcli.model.tokenizer import TextTokenizer
from bertcli.output.messages import Reporter
from bertcli.output.schema import Schema
from bertcli.output.schemas.similarity import (
    ComparedColumns,
    closing_nearest,
    closing_similarity,
    pair_similarity_schema,
    similarity_schema,
    token_similarity_schema,
    with_pair_similarity,
    with_token_similarity,
)
from bertcli.results.embeddings import (
    ComparedItem,
    EncodeRecord,
    Neighbours,
    Occurrence,
    SimilarityMatrix,
    SimilarPairs,
    TokenSimilarity,
)
from bertcli.results.recipe import Recipe
from bertcli.results.texts import RunInfo, TextInfo

Answers = Iterator[Any]
# A table shows the matrix of up to this many texts, and the most similar pairs of more.
_MATRIX_ITEMS, _SHOWN_PAIRS = 30, 20


class Comparison(Protocol):
    """The vectors that --similarity compares in a run."""

    def watch(self, answers: Iterable[EncodeRecord | FailedText]) -> Answers:
        """Yield the answers unchanged, and keep what is compared."""

    def add_to(self, schema: Schema[EncodeRecord]) -> Schema[EncodeRecord]:
        """Return a schema whose JSON has the similarity too."""

    def compare(self, answers: Iterable[EncodeRecord | FailedText], *, is_table: bool) -> Answers:
        """Yield the failed texts, and the similarities of the others."""

    def schema(self, info: RunInfo) -> Schema[Any]:
        """Return the schema of the similarities."""


def open_comparison(
    request: EncodeRequest, session: Session, reader: TextReader, reporter: Reporter
) -> Comparison | None:
    """Return what a request compares, None without --similarity.

    Args:
        request: The options.
        session: The open checkpoint.
        reader: The texts.
        reporter: Shows the progress of the comparison.
    """
    if request.similarity is None:
        return None
    if request.similarity == SimilarityUnit.TOKENS:
        return PairComparison() if request.texts.has_pairs else TokenComparison(session.tokenizer)
    recipe = session.recipe.shown
    compares_words = request.words.word is not None
    measure = Similarity.COSINE if compares_words else recipe.similarity or Similarity.COSINE
    given = {
        "word": compares_words,
        "start": compares_words,
        "end": compares_words,
        "pair": request.texts.has_pairs,
        "id": request.texts.id_field is not None,
        "file": reader.has_several_files,
        "window": request.per_window,
    }
    columns = ComparedColumns(measure, [name for name, is_given in given.items() if is_given])
    pooling = (request.words.word_pooling or WordPooling.MEAN) if compares_words else None
    return VectorComparison(recipe, columns, pooling, request.top_k, reporter)


def check_dialogue(request: EncodeRequest) -> None:
    """Check that a dialogue, which answers one text at a time, has something to compare. Raises WrongUsage."""
    has_two = request.similarity == SimilarityUnit.TOKENS and request.texts.has_pairs
    if request.similarity is not None and not has_two:
        raise WrongUsage(
            "--similarity compares texts, and there are none", hint='give them as arguments ("..." "..."), or with -f'
        )


@dataclass(slots=True)
class VectorComparison:
    """The texts of a run with their embeddings, or the occurrences of a word with their vectors.

    Attributes:
        recipe: How embeddings are made.
        columns: The measure, and the columns of rows.
        word_pooling: How the vectors of words are made if occurrences are compared; None for texts.
        top_k: Number of nearest ones to show for each; None to show all pairs.
        reporter: Shows the progress.
    """

    recipe: Recipe
    columns: ComparedColumns
    word_pooling: WordPooling | None
    top_k: int | None
    reporter: Reporter
    items: list[ComparedItem] = field(default_factory=list)
    vectors: list[Any] = field(default_factory=list)

    def watch(self, answers: Iterable[EncodeRecord | FailedText]) -> Answers:
        for answer in answers:
            if not isinstance(answer, FailedText):
                self._keep(answer)
            yield answer

    def add_to(self, schema: Schema[EncodeRecord]) -> Schema[EncodeRecord]:
        if self.top_k is not None:
            return closing_nearest(schema, self._neighbours, self.columns)
        return closing_similarity(schema, self._rows)

    def compare(self, answers: Iterable[EncodeRecord | FailedText], *, is_table: bool) -> Answers:
        for answer in answers:
            if isinstance(answer, FailedText):
                yield answer
            else:
                self._keep(answer)
        if not self.items:
            return
        if is_table and self.top_k is None:
            yield self._summarize()
        else:
            yield from self._neighbours()

    def schema(self, info: RunInfo) -> Schema[Any]:
        shows_nearest = self.top_k is not None
        return similarity_schema(info, self.recipe, self.columns, self.word_pooling, shows_nearest=shows_nearest)

    def _keep(self, record: EncodeRecord) -> None:
        # Without its tokens, a text takes little memory.
        text = replace(record.text, tokens=(), input_ids=(), token_type_ids=())
        if self.word_pooling is None:
            self.items.append(text)
            self.vectors.append(record.embedding if record.terms is None else record.terms)
            return
        for word in record.words or ():
            if word.embedding is not None:
                self.items.append(Occurrence(text, word))
                self.vectors.append(word.embedding)

    def _compared(self) -> Vectors:
        """Return the vectors. Print a note if there is a single one, since the answer is empty then."""
        if len(self.items) == 1:
            only = "one text" if self.word_pooling is None else "one occurrence of the word"
            self.reporter.note(f"there is only {only}, and so nothing to compare it with")
        if self.recipe.is_lexical and self.word_pooling is None:
            return LexicalVectors(self.vectors, self.recipe.dimension, self.columns.measure)
        return DenseVectors(np.asarray(self.vectors) if self.vectors else np.empty((0, 1)), self.columns.measure)

    def _neighbours(self) -> Iterator[Neighbours]:
        """Yield each item with its nearest ones, or with all later ones."""
        vectors = self._compared()
        if self.top_k is not None:
            for number, (others, values) in enumerate(self._watched(nearest(vectors, self.top_k))):
                yield Neighbours(self.items[number], [self.items[other] for other in others], values)
        else:
            for number, values in enumerate(self._watched(later_similarities(vectors))):
                yield Neighbours(self.items[number], self.items[number + 1 :], values)

    def _rows(self) -> Iterator[Any]:
        """Yield the rows of the matrix."""
        return self._watched(all_similarities(self._compared()))

    def _summarize(self) -> SimilarityMatrix | SimilarPairs:
        """Return the whole matrix, or the most similar pairs of one that is too large to read."""
        vectors, count = self._compared(), len(self.items)
        if count <= _MATRIX_ITEMS:
            return SimilarityMatrix(self.items, vectors.similarity(0, count))
        pairs = strongest_pairs(self._watched(later_similarities(vectors)), _SHOWN_PAIRS)
        return SimilarPairs(count, [(value, one, self.items[one], two, self.items[two]) for one, two, value in pairs])

    def _watched(self, found: Iterable[Any]) -> Iterator[Any]:
        """Yield what is found for each item, and show how many are done."""
        for done, each in enumerate(found):
            if done % 16 == 0:
                self.reporter.show_step("comparing texts", done, len(self.items))
            yield each


@dataclass(slots=True)
class TokenComparison:
    """The tokens of the two texts of a run."""

    tokenizer: TextTokenizer
    texts: list[ComparedTokens] = field(default_factory=list)
    infos: list[TextInfo] = field(default_factory=list)

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

    def add_to(self, schema: Schema[EncodeRecord]) -> Schema[EncodeRecord]:
        return with_token_similarity(schema, self._similarity)

    def compare(self, answers: Iterable[EncodeRecord | FailedText], *, is_table: bool) -> Answers:
        yield from (answer for answer in self.watch(answers) if isinstance(answer, FailedText))
        if (found := self._similarity()) is not None:
            yield found

    def schema(self, info: RunInfo) -> Schema[Any]:
        return token_similarity_schema(info)

    def _similarity(self) -> TokenSimilarity | None:
        """Return the similarity of the first text's tokens with the second's, None if there are not two texts."""
        return token_similarity(*self.texts) if len(self.texts) == 2 else None


@dataclass(frozen=True, slots=True)
class PairComparison:
    """The tokens of each pair of sentences, which the analysis compares: see EncodeOptions.token_similarity."""

    def watch(self, answers: Iterable[EncodeRecord | FailedText]) -> Answers:
        yield from answers

    def add_to(self, schema: Schema[EncodeRecord]) -> Schema[EncodeRecord]:
        return with_pair_similarity(schema)

    def compare(self, answers: Iterable[EncodeRecord | FailedText], *, is_table: bool) -> Answers:
        yield from answers

    def schema(self, info: RunInfo) -> Schema[Any]:
        return pair_similarity_schema(info)
