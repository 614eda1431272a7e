"""Fields of fill-mask's scores of words and minimal pairs, of its expected words, and of its summaries."""

from collections.abc import Sequence

from bertcli.output.catalogs.fill_mask import SCORED, mask_fields, only_fields
from bertcli.output.catalogs.texts import PAIR, TEXT, WINDOWS_READ, all_keys, fields_of
from bertcli.output.fields import Field
from bertcli.results.summaries import AVERAGED

_TEXT_SCORE = (
    ("sum", "pseudo-log-likelihood of the text"),
    ("mean", "mean of its tokens"),
    ("perplexity", "e to the power of -mean"),
    ("method", "name of the method in the literature"),
)
_WORD = (
    ("word", "word", "the word as it is written in the text", ""),
    ("sentence", "sentence", "0 or 1, the sentence of a pair", PAIR),
    ("index", "word_index", "number of the word in its sentence, from 0", ""),
    ("start", "start", "its first character in its sentence", ""),
    ("end", "end", "the character after its last", ""),
    ("positions", "positions", "positions of its tokens", ""),
    ("logprob", "logprob", "natural logarithm of its probability, the sum over its tokens", ""),
    ("surprisal", "surprisal", "-log2 of its probability, in bits", ""),
)
_EXPECTED = (
    ("target", "the word that the text expects"),
    ("rank", "its rank in the vocabulary, from 1; empty if it has several pieces"),
    ("reciprocal_rank", "1 / rank"),
    ("score", "its probability"),
    ("logprob", "natural logarithm of its probability"),
)
_PAIR_SUMMARY = (
    ("count", "number of pairs"),
    ("accuracy", "share of pairs whose first text is more probable"),
    ("accuracy_interval", "its Wilson interval of 95 %"),
    ("ties", "number of pairs in which neither text is more probable"),
    ("mean_difference", "mean of the differences"),
    ("mean_difference_interval", "its normal interval of 95 %"),
)
_PROBE_SUMMARY = (
    ("count", "number of expected words that have a rank"),
    ("unranked", "number of expected words of several pieces, which have none"),
    ("precision_at_1", "share of words with rank 1"),
    ("precision_at_1_interval", "its Wilson interval of 95 %"),
    ("precision_at_5", "share of words with rank 5 or better"),
    ("precision_at_10", "share of words with rank 10 or better"),
    ("mean_reciprocal_rank", "mean of 1 / rank"),
    ("mean_reciprocal_rank_interval", "its normal interval of 95 %"),
    ("mean_rank", "mean of the ranks"),
)
_INTERVAL = "_interval"


def word_score_fields() -> Sequence[Field]:
    """Return the fields of the scores of words."""
    return [
        *TEXT,
        *(Field(f"score.words[].{key}", column, about, shown_with=option) for key, column, about, option in _WORD),
        *fields_of("score", _TEXT_SCORE, ()),
        *only_fields("score"),
        *fields_of("score.tokens[]", SCORED, ()),
        *mask_fields(),
    ]


def pair_fields(group_fields: Sequence[str]) -> Sequence[Field]:
    """Return the fields of minimal pairs.

    Args:
        group_fields: Fields of the input that name the group of a pair.
    """
    other = [
        Field(f"versus.{field.path}", "", f"{field.about}, of the other text", field.needs)
        for field in (*TEXT[-3:], *WINDOWS_READ, *mask_fields())
    ]
    return [
        *TEXT,
        *WINDOWS_READ,
        Field("versus.text", "versus", "the text to compare with"),
        Field("versus.pair", "", "its sentence B", "--pair"),
        *fields_of("score", _TEXT_SCORE, ("sum", "mean")),
        *only_fields("score"),
        Field("versus.score.sum", "versus_sum", "pseudo-log-likelihood of the other text"),
        Field("versus.score.mean", "versus_mean", "mean of its tokens"),
        *fields_of("versus.score", _TEXT_SCORE[2:], ()),
        *only_fields("versus.score"),
        Field("difference", "difference", "sum of the text minus that of the other"),
        Field("preferred", "preferred", "true if the first text is more probable"),
        *fields_of("score.tokens[]", SCORED, ()),
        *fields_of("versus.score.tokens[]", SCORED, ()),
        *mask_fields(),
        *other,
        *_group_fields(group_fields),
    ]


def probe_fields(group_fields: Sequence[str]) -> Sequence[Field]:
    """Return the fields of expected words.

    Args:
        group_fields: Fields of the input that name the group of a text.
    """
    return [
        *TEXT,
        *fields_of("expected", _EXPECTED, all_keys(_EXPECTED)),
        Field("masks[].targets[].pieces", "pieces", "pieces of the expected word"),
        Field("", "best", "the most probable token"),
        Field("", "best_score", "its probability"),
        *mask_fields(),
        *mask_fields("targets"),
        *_group_fields(group_fields),
    ]


def pair_summary_fields(group_fields: Sequence[str]) -> Sequence[Field]:
    """Return the fields of the summary of minimal pairs.

    Args:
        group_fields: Fields of the input that name the group of a pair.
    """
    return _summary_fields(_PAIR_SUMMARY, group_fields)


def probe_summary_fields(group_fields: Sequence[str]) -> Sequence[Field]:
    """Return the fields of the summary of expected words.

    Args:
        group_fields: Fields of the input that name the group of a text.
    """
    return _summary_fields(_PROBE_SUMMARY, group_fields)


def _group_fields(names: Sequence[str], path: str = "group") -> list[Field]:
    return [Field(f"{path}.{name}", f"group_{name}", f"value of {name}, which names the group") for name in names]


def _summary_fields(numbers: Sequence[tuple[str, str]], group_fields: Sequence[str]) -> Sequence[Field]:
    found = [Field("", "level", "group, mean (over the groups) or all")]
    found += _group_fields(group_fields, "groups[].group")
    path = "groups[]." if group_fields else ""
    for key, about in numbers:
        name = key.removesuffix(_INTERVAL)
        found.append(Field(f"{path}{key}", key if name == key else "", about))
        if name != key:
            found.append(Field("", f"{name}_low", f"lower end of the interval of {name}"))
            found.append(Field("", f"{name}_high", f"upper end of the interval of {name}"))
    if group_fields:
        found += [Field(key, "", f"{about}, of all groups together") for key, about in numbers]
        averaged = [(key, about) for key, about in numbers if key in AVERAGED]
        found.append(Field("mean_over_groups.count", "", "number of groups"))
        found += [Field(f"mean_over_groups.{key}", "", f"mean over the groups: {about}") for key, about in averaged]
    return found
