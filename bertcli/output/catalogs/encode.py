"""Fields of encode: in text formats, and in Parquet."""

from collections.abc import Sequence

from bertcli.choices import Similarity
from bertcli.output.catalogs.texts import (
    ID_FIELD,
    LENGTH,
    PAIR,
    PER_WINDOW,
    PLACE,
    SEVERAL_FILES,
    WINDOW,
    WINDOWS_READ,
    fields_of,
)
from bertcli.output.fields import Field

_LABELS = (
    Field("labels[].label", "label", "label of the text; the most probable one in rows"),
    Field("labels[].score", "score", "score of the label"),
    Field("labels", "labels", "all labels with their scores"),
    Field("token_labels", "token_labels", "label of each token"),
    Field("token_labels[].label", "", "label of a token"),
    Field("token_labels[].score", "", "score of the label of a token"),
    Field("entities", "entities", "label and place of each entity"),
    *fields_of(
        "entities[]",
        (
            ("label", "label of an entity"),
            ("score", "score of an entity"),
            ("start", "first character of an entity"),
            ("end", "character after the last one of an entity"),
            ("text", "text of an entity"),
            ("positions", "positions of the tokens of an entity"),
            ("sentence", "text or pair, the sentence of an entity"),
        ),
        (),
    ),
    Field("answer.text", "answer", "answer to the question, from the context", shown_with=PAIR),
    Field("answer.score", "answer_score", "score of the answer", shown_with=PAIR),
    Field("answer.start", "answer_start", "first character of the answer in the context", shown_with=PAIR),
    Field("answer.end", "answer_end", "character after the last one of the answer", shown_with=PAIR),
)
_SIMILARITY = (
    ("rows", "positions of the tokens of sentence A"),
    ("columns", "positions of the tokens of sentence B"),
    ("row_tokens", "tokens of sentence A"),
    ("column_tokens", "tokens of sentence B"),
    ("cosine", "similarity of each pair of tokens"),
    ("precision", "precision, as BERTScore defines it"),
    ("recall", "recall, as BERTScore defines it"),
    ("f1", "F1, as BERTScore defines it"),
)
# What a row shows of each of two texts beside the text itself, and the option that it is for.
_OF_COMPARED = (
    ("word", "--word", "the word, as it is written in the text"),
    ("start", "--word", "first character of the word in its sentence"),
    ("end", "--word", "character after the last one of the word"),
    ("pair", PAIR, "sentence B"),
    ("id", ID_FIELD, "id that the input gives the text"),
    ("file", SEVERAL_FILES, "file of the text, if there are several"),
    ("window", PER_WINDOW, "number of the window, from 0"),
)
_OF_TOKENS = (
    ("i", "position of the token of sentence A"),
    ("j", "position of the token of sentence B"),
    ("token_i", "the token of sentence A"),
    ("token_j", "the token of sentence B"),
    ("cosine", "similarity of the two tokens"),
)
_WORD = (
    Field("words[].word", "word", "the word, as it is written in the text"),
    Field("words[].index", "word_index", "number of the word in its sentence, from 0"),
    Field("words[].sentence", "sentence", "0 for sentence A, 1 for sentence B", shown_with=PAIR),
    Field("words[].start", "start", "first character of the word in its sentence"),
    Field("words[].end", "end", "character after the last one of the word"),
    Field("words[].positions", "positions", "positions of its tokens"),
    Field("words[].embedding", "embedding", "vector of the word"),
)


def encode_fields(*, has_words: bool, has_labels: bool) -> Sequence[Field]:
    """Return the fields of encode.

    Args:
        has_words: Rows are words instead of texts.
        has_labels: Labels are shown if the checkpoint has a head for them.
    """
    column = "" if has_words else "embedding"
    labels = _LABELS if has_labels else ()
    return [
        *PLACE,
        Field("tokens", "" if has_words else "tokens", "the tokens, special tokens included"),
        *LENGTH,
        *(_WORD if has_words else WINDOWS_READ),
        *(Field(name, name, about, PER_WINDOW) for name, about in (() if has_words else WINDOW)),
        Field("embedding", column, "vector of the text"),
        *(() if has_words else _TERMS),
        Field("next_sentence", "" if has_words else "next_sentence", "probability that B follows A", shown_with=PAIR),
        Field("token_vectors", "", "vector of each token", "--tokens"),
        Field("pooler_output", "", "pooler_output", "--pooler"),
        Field("layers", "", "numbers of the hidden states", "--layers"),
        Field("hidden_states", "", "hidden states of the layers", "--layers"),
        *fields_of("token_similarity", _SIMILARITY, (), "--similarity tokens"),
        *(Field(each.path, "", each.about) if has_words else each for each in labels),
    ]


def similarity_fields() -> Sequence[Field]:
    """Return the fields of pairs of texts or of occurrences of a word: columns, and keys of a line."""
    return [
        Field("i", "i", "number of one text in the run, from 0"),
        Field("j", "j", "number of the other text"),
        Field("text_i", "text_i", "one text"),
        Field("text_j", "text_j", "the other text"),
        *(Field(measure, measure, f"similarity, if the model is compared by {measure}") for measure in Similarity),
        *(
            Field(f"{name}_{side}", f"{name}_{side}", f"{about}, of {which}", option)
            for name, option, about in _OF_COMPARED
            for side, which in (("i", "one text"), ("j", "the other text"))
        ),
    ]


def token_similarity_fields(*, has_pairs: bool) -> Sequence[Field]:
    """Return the fields of pairs of tokens.

    Args:
        has_pairs: Each text is compared with its own sentence B, so each row shows the text.
    """
    return [
        *((*PLACE, *LENGTH) if has_pairs else ()),
        *(Field("", name, about) for name, about in _OF_TOKENS),
        *fields_of("token_similarity", _SIMILARITY, ()),
    ]


_TERMS = (
    Field("terms", "terms", "terms of a lexical vector with their weights"),
    Field("terms[].token", "", "token of a term"),
    Field("terms[].token_id", "", "id of a term"),
    Field("terms[].weight", "", "weight of a term"),
)


def parquet_fields(*, has_words: bool, has_labels: bool) -> Sequence[Field]:
    """Return the columns of a Parquet file of encode. Names of JSON select them too.

    Args:
        has_words: Rows are words instead of texts.
        has_labels: Labels are written if the checkpoint has a head for them.
    """
    place = (
        Field("id", "id", "id that the input gives the text, or its number in the run"),
        Field("index", "index", "number of the text in the run, from 0"),
        Field("text", "text", "the text, or sentence A of a pair"),
        Field("pair", "pair", "sentence B", PAIR),
        Field("n_tokens", "n_tokens", "number of tokens"),
        Field("truncated", "truncated", "true if the text was cut"),
    )
    if has_words:
        return [*place, *_WORD]
    return [
        *place,
        *(Field(name, name, about, PER_WINDOW) for name, about in WINDOW),
        Field("embedding", "embedding", "vector of the text"),
        Field("indices", "indices", "token ids of a lexical vector"),
        Field("values", "values", "weights of a lexical vector"),
        Field("pooler_output", "pooler_output", "pooler_output", "--pooler"),
        Field("next_sentence", "next_sentence", "probability that B follows A", PAIR),
        Field("tokens", "tokens", "the tokens, special tokens included", "--tokens"),
        Field("token_vectors", "token_vectors", "vector of each token", "--tokens"),
        *(Field(each.path, each.key, each.about) for each in (_LABELS if has_labels else ())),
        *([Field("answer", "answer", "answer to the question, from the context")] if has_labels else ()),
    ]
