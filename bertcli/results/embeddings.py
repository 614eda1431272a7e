"""Results of encode."""

from collections.abc import Sequence

from bertcli.lazy_dataclass import dataclass
from bertcli.results.labels import TextLabels
from bertcli.results.texts import FloatArray, TextInfo


@dataclass(frozen=True, slots=True)
class LexicalVector:
    """A lexical vector: the tokens of the vocabulary that have a weight, the largest weight first.

    Attributes:
        token_ids: Their ids, (terms,).
        weights: Their weights, (terms,), in float32.
        tokens: Their spellings in the vocabulary. Empty if they were not requested.
    """

    token_ids: FloatArray
    weights: FloatArray
    tokens: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class WordVector:
    """A word of a text with its vector.

    Attributes:
        word: Its spelling in the text.
        sentence: 0 if it is in sentence A, 1 if it is in sentence B.
        index: Number of the word in its sentence, from 0.
        start: Place of its first character in its sentence, from 0. None if the tokenizer does not report places.
        end: Place after its last character, or None.
        positions: Positions of its tokens. Empty if the tokenizer makes none of the word.
        embedding: (hidden,), or None if it has no tokens or the vector was not computed.
    """

    word: str
    sentence: int
    index: int
    start: int | None
    end: int | None
    positions: Sequence[int]
    embedding: FloatArray | None = None


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A word with the text that it occurs in."""

    text: TextInfo
    word: WordVector


# What --similarity compares.
ComparedItem = TextInfo | Occurrence


@dataclass(frozen=True, slots=True)
class Neighbours:
    """A text, or an occurrence of a word, with others and their similarity to it, (others,)."""

    item: ComparedItem
    others: Sequence[ComparedItem]
    similarity: FloatArray


@dataclass(frozen=True, slots=True)
class SimilarityMatrix:
    """Texts, or occurrences of a word, with the similarity of each pair of them, (items, items)."""

    items: Sequence[ComparedItem]
    similarity: FloatArray


@dataclass(frozen=True, slots=True)
class SimilarPairs:
    """The most similar pairs among texts, or among occurrences of a word.

    Attributes:
        item_count: Number of texts or occurrences.
        pairs: For each pair its similarity, and its two members with their numbers.
    """

    item_count: int
    pairs: Sequence[tuple[float, int, ComparedItem, int, ComparedItem]]


@dataclass(frozen=True, slots=True)
class TokenSimilarity:
    """The similarity of the tokens of a text (rows) with those of another one (columns).

    Attributes:
        rows: Positions of the tokens of the first text.
        columns: Positions of the tokens of the second text.
        row_tokens: The tokens of the first text.
        column_tokens: The tokens of the second text.
        cosine: (rows, columns).
        precision: Mean over the rows of the largest cosine, without [CLS], [SEP] and the prompt.
        recall: Mean over the columns of the largest cosine, without [CLS], [SEP] and the prompt.
        f1: Harmonic mean of the two.
    """

    rows: Sequence[int]
    columns: Sequence[int]
    row_tokens: Sequence[str]
    column_tokens: Sequence[str]
    cosine: FloatArray
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True, slots=True)
class EncodeRecord:
    """Vectors of a text, in float32. Whatever was not requested is None or empty.

    Attributes:
        text: The text.
        embedding: The vector of the text, (dimension,). None if the recipe is lexical.
        last_hidden_state: The vector of each token, (seq, hidden). With --layer-op it is what that makes of the layers.
        pooler_output: (hidden,), or None if the checkpoint has no pooler.
        layers: Indices into hidden_states of the requested layers, 0 for the embeddings.
        hidden_states: The token vectors of each requested layer, (seq, hidden) each.
        next_sentence: Probability that sentence B follows A, or None if there is no B or the checkpoint has no
            next-sentence head.
        layer_embeddings: The vector that the recipe makes of each requested layer, (dimension,) each.
        terms: The lexical vector of the text, None unless the recipe is lexical.
        words: The words of the text, None if they were not requested.
        token_similarity: The similarity of the tokens of sentence A with those of sentence B.
        labels: Labels and answer from the heads of the checkpoint, None if it has none.
    """

    text: TextInfo
    embedding: FloatArray | None
    last_hidden_state: FloatArray | None = None
    pooler_output: FloatArray | None = None
    layers: Sequence[int] = ()
    hidden_states: Sequence[FloatArray] = ()
    next_sentence: float | None = None
    layer_embeddings: Sequence[FloatArray] = ()
    terms: LexicalVector | None = None
    words: Sequence[WordVector] | None = None
    token_similarity: TokenSimilarity | None = None
    labels: TextLabels | None = None
