"""Fields of fill-mask."""

from collections.abc import Collection, Sequence

from bertcli.output.catalogs.texts import PAIR, TEXT, WINDOWS_READ, all_keys, fields_of
from bertcli.output.fields import Field

_PREDICTION = (
    ("rank", "rank in the vocabulary, from 1"),
    ("score", "probability over the whole vocabulary"),
    ("logit", "value before softmax"),
    ("token", "id of the token"),
    ("token_str", "text of the token"),
    ("sequence", "the text with the token filled in"),
)
_TARGET = (
    ("target", "word of --targets"),
    *_PREDICTION,
    ("pieces", "pieces of the word"),
    ("logprob", "natural logarithm of the score"),
    ("share", "part of the probability of all targets"),
    ("method", "how the pieces are combined: l2r or mean"),
)


def _masks(columns: Collection[str] = ()) -> list[Field]:
    """Return the fields of masks and of their predictions, of which some are columns."""
    position = Field("masks[].position", "position" if "position" in columns else "", "position of the mask's token")
    return [position, *fields_of("masks[].predictions[]", _PREDICTION, columns)]


def mask_fields(of: str = "predictions") -> list[Field]:
    """Return the fields of masks that are no columns, with their predictions or targets."""
    if of == "targets":
        return fields_of("masks[].targets[]", [each for each in _TARGET if each[0] != "pieces"], ())
    return _masks()


def only_fields(score: str) -> list[Field]:
    """Return the fields that name the tokens of a score.

    Args:
        score: The path of the score.
    """
    return [
        Field(f"{score}.only", "", "the part of the text whose tokens are scored", "--only"),
        Field(f"{score}.only_words", "", "the words whose tokens are scored", "--only-words"),
    ]


_MASK_NUMBER = Field("", "mask", "number of the mask in its text, from 0")
# Analyses that can read a text in windows.
_IN_WINDOWS = ("", "--pieces", "--score", "--lens", "--head-effects")


def fill_mask_fields(analysis: str) -> Sequence[Field]:
    """Return the fields of fill-mask.

    Args:
        analysis: The option that names the analysis, empty for the default one.
    """
    return [
        *TEXT,
        *(WINDOWS_READ if analysis in _IN_WINDOWS else ()),
        *_ANALYSES[analysis](),
    ]


def _predict() -> list[Field]:
    return [
        _MASK_NUMBER,
        *_masks(["position", *all_keys(_PREDICTION)]),
        *fields_of("masks[].targets[]", _TARGET, all_keys(_TARGET), "--targets"),
        Field("masks[].entropy", "entropy", "entropy of the whole distribution, in bits", "--entropy"),
        Field("masks[].mass", "mass", "total probability of the candidates", "--mass"),
    ]


def _joint() -> list[Field]:
    return [
        Field("", "rank", "rank of the filled text, from 1"),
        Field("sequences[].logprob", "logprob", "natural logarithm of its probability"),
        Field("sequences[].tokens", "tokens", "the tokens that fill the masks"),
        Field("sequences[].sequence", "sequence", "the text with all masks filled"),
        *mask_fields(),
    ]


def _whole_words() -> list[Field]:
    columns = [key for key in all_keys(_WORD) if key != "ids"]
    return [_MASK_NUMBER, *_masks(["position"]), *fields_of("masks[].candidates[]", _WORD, columns)]


_WORD = (
    ("rank", "rank among the words, from 1"),
    ("word", "the word"),
    ("pieces", "its pieces"),
    ("ids", "ids of its pieces"),
    ("width", "number of its pieces"),
    ("logprob", "natural logarithm of its probability, the sum over its pieces"),
    ("mean", "mean over its pieces"),
    ("sequence", "the text with the word filled in"),
)


def _score() -> list[Field]:
    return [
        Field("score.sum", "sum", "pseudo-log-likelihood of the text"),
        Field("score.mean", "mean", "mean of its tokens"),
        Field("score.perplexity", "perplexity", "e to the power of -mean"),
        Field("score.method", "", "name of the method in the literature"),
        *only_fields("score"),
        *fields_of("score.tokens[]", SCORED, all_keys(SCORED)),
        *mask_fields(),
    ]


SCORED = (
    ("position", "position of the token, from 0"),
    ("token", "the token"),
    ("id", "id of the token"),
    ("logprob", "natural logarithm of its probability"),
    ("surprisal", "-log2 of its probability, in bits"),
    ("rank", "its rank in the vocabulary, from 1"),
    ("best", "the most probable token"),
)


def _lens() -> list[Field]:
    layer = "masks[].lens[]"
    candidate = ["rank", "score", "logit", "token", "token_str"]
    return [
        _MASK_NUMBER,
        Field("masks[].position", "position", "position of the mask's token"),
        Field(f"{layer}.layer", "layer", "number of the hidden state, 0 for the embeddings"),
        *fields_of(f"{layer}.predictions[]", _PREDICTION, candidate),
        *fields_of(f"{layer}.targets[]", _TARGET, ["target", *candidate, "logprob", "share"], "--targets"),
        Field("masks[].lens_method", "lens_method", "how the layers were read: raw or tuned"),
        *fields_of("masks[].predictions[]", _PREDICTION, ()),
        *fields_of("masks[].targets[]", _TARGET, (), "--targets"),
    ]


def _compare() -> list[Field]:
    other = "masks[].comparison"
    of_target = ["target", "token_str", "rank", "score", "pieces", "logprob", "share", "method"]
    columns = {"rank": "other_rank", "score": "other_score", "logprob": "other_logprob", "share": "other_share"}
    return [
        _MASK_NUMBER,
        Field("masks[].position", "position", "position of the mask's token"),
        *fields_of(f"{other}.changes[]", _CHANGE, all_keys(_CHANGE)),
        Field(f"{other}.model", "other_model", "name of the other model"),
        Field(f"{other}.revision", "", "its commit, if it is from the hub"),
        Field(f"{other}.jensen_shannon", "jensen_shannon", "distance between the distributions, in nats"),
        *fields_of("masks[].targets[]", _TARGET, of_target, "--targets"),
        *(
            Field(f"{other}.targets[].{key}", columns.get(key, ""), f"{about}, in the other model", "--targets")
            for key, about in _TARGET
        ),
        *fields_of("masks[].predictions[]", _PREDICTION, ()),
        *(Field(f"{other}.predictions[].{key}", "", f"{about}, in the other model") for key, about in _PREDICTION),
    ]


_CHANGE = (
    ("token_str", "text of the token"),
    ("rank", "rank in the first model, from 1"),
    ("other_rank", "rank in the other model"),
    ("change", "number of ranks by which the other model puts it higher"),
    ("score", "probability in the first model"),
    ("other_score", "probability in the other model"),
)


def _mutual() -> list[Field]:
    return [
        Field("", "position", "position of the predicted token"),
        Field("", "token", "the predicted token"),
        Field("", "masked_position", "position of the token that is masked too"),
        Field("", "masked_token", "the token that is masked too"),
        Field("", "distance", "change of the prediction"),
        Field("mutual", "", "the changes, tokens by tokens"),
        *mask_fields(),
    ]


def _head_effects() -> list[Field]:
    found = "masks[].head_effects[]"
    return [
        _MASK_NUMBER,
        *_masks(["position"]),
        *fields_of(found, _EXPLAINED, all_keys(_EXPLAINED)),
        Field("", "layer", "layer of the head, from 0"),
        Field("", "head", "number of the head in its layer, from 0"),
        Field("", "effect", "change of logprob when the head is switched off"),
        Field(f"{found}.values", "", "the changes, layers by heads"),
    ]


def _attribute() -> list[Field]:
    own = [
        Field("", "text_position", "position of a token of the text, from 0"),
        Field("", "text_token", "the token of the text"),
        Field("", "value", "its contribution to logprob"),
    ]
    return _attribution_fields(own)


def word_attribution_fields() -> list[Field]:
    """Return the fields of the contributions of words."""
    of_word = (
        ("word", "word", "a word as it is written in the text", ""),
        ("sentence", "sentence", "0 or 1, the sentence of a pair", PAIR),
        ("index", "word_index", "number of the word in its sentence, from 0", ""),
        ("start", "start", "its first character in its sentence", ""),
        ("end", "end", "the character after its last", ""),
        ("positions", "positions", "positions of its tokens", ""),
        ("value", "value", "its contribution to logprob", ""),
    )
    own = [
        Field(f"masks[].attributions[].words[].{key}", column, about, shown_with=option)
        for key, column, about, option in of_word
    ]
    return [*TEXT, *_attribution_fields(own)]


def _attribution_fields(own: Sequence[Field]) -> list[Field]:
    """Return the fields of attributions.

    Args:
        own: The fields of each token or word.
    """
    found = "masks[].attributions[]"
    return [
        _MASK_NUMBER,
        *_masks(["position"]),
        *fields_of(found, _EXPLAINED, all_keys(_EXPLAINED)),
        Field(f"{found}.method", "method", "method of the attribution"),
        *own,
        Field(f"{found}.values", "", "the contributions of all tokens"),
        Field(f"{found}.gap", "gap", "sum of the contributions minus what it should be"),
        Field(f"{found}.baseline", "", "baseline of integrated gradients"),
        Field(f"{found}.steps", "", "number of their points"),
    ]


_EXPLAINED = (
    ("target", "the top prediction, or a word of --targets"),
    ("token", "id of the target"),
    ("logprob", "natural logarithm of the target's probability"),
)
_ANALYSES = {
    "": _predict,
    "--joint": _joint,
    "--pieces": _whole_words,
    "--score": _score,
    "--lens": _lens,
    "--compare": _compare,
    "--mutual": _mutual,
    "--head-effects": _head_effects,
    "--attribute": _attribute,
}
