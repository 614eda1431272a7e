"""Fields of attn."""

from collections.abc import Sequence

from bertcli.choices import Statistic
from bertcli.output.catalogs.texts import TEXT, WINDOW, WINDOWS, WORDS
from bertcli.output.fields import Field

# Options that fields need or are shown with. HEAD_MATRICES is also given by a matrix of one head.
STAT, ONE_HEAD, HEAD_MATRICES, SINGLE_HEADS = "--stat", "--layer and --head", "--value-norms", "no --group"

_STATISTICS = (
    (Statistic.ENTROPY, "entropy of the attention, in nats"),
    (Statistic.SELF, "attention on the token itself"),
    (Statistic.PREVIOUS, "attention on the previous token"),
    (Statistic.NEXT, "attention on the next token"),
    (Statistic.CLS, "attention on [CLS]"),
    (Statistic.SEP, "attention on [SEP]"),
    (Statistic.PUNCTUATION, "attention on punctuation"),
    (Statistic.DISTANCE, "mean distance to the key, in tokens"),
    (Statistic.CONFIDENCE, "largest weight of a query"),
)


def attn_fields(kind: str) -> Sequence[Field]:
    """Return the fields of attn.

    Args:
        kind: heads, matrix, maps, from, summary, summary-maps or expansion.
    """
    if kind == "expansion":
        return [
            Field("layers", "layer", "number of the layer"),
            Field("expansion", "expansion", "expansion rate of the layer"),
        ]
    has_rows = kind in ("heads", "summary")
    layer, head = ("layer", "head") if kind != "from" else ("", "")
    shown = HEAD_MATRICES if kind in ("maps", "summary-maps") else ""
    heads = [
        Field("heads[].layer", layer, "number of the layer, from 0", shown_with=shown),
        Field("heads[].head", head, "number of the head, from 0", shown_with=shown or SINGLE_HEADS),
        *(Field(f"heads[].{name}", name if has_rows else "", about, f"{STAT} {name}") for name, about in _STATISTICS),
        Field("heads[].label", "label" if has_rows else "", "label of the head"),
    ]
    if kind.startswith("summary"):
        counts = [
            Field("text_count", "text_count", "number of texts"),
            Field("token_count", "token_count", "number of their tokens"),
        ]
        distance = [Field("head_distance", "", "distances between heads, heads by heads")]
        return [*counts, *heads, *(() if kind == "summary" else [*_MAP, *distance])]
    rows = {"matrix": _MATRIX, "maps": _MAP, "from": _STRONGEST_KEYS}.get(kind, ())
    return [*TEXT, *(Field(name, name, about, WINDOWS) for name, about in WINDOW), *heads, *rows, *_MATRICES]


_MATRIX = (
    Field("", "query_position", "position of the query"),
    Field("", "query", "token of the query"),
    Field("", "key_position", "position of the key"),
    Field("", "key", "token of the key"),
    Field("", "weight", "attention weight from the query to the key"),
)
_MAP = (
    Field("", "map", "name of the matrix"),
    Field("", "row_position", "number of the row"),
    Field("", "row", "token, word or head of the row"),
    Field("", "column_position", "number of the column"),
    Field("", "column", "token, word or head of the column"),
    Field("", "value", "value in the matrix"),
)
_STRONGEST_KEYS = (
    Field("from[].layer", "layer", "number of the layer, from 0"),
    Field("from[].head", "head", "number of the head, from 0"),
    Field("from[].position", "query_position", "position of the query"),
    Field("from[].token", "query", "token of the query"),
    Field("", "rank", "rank of the key, from 1"),
    Field("from[].keys[].position", "key_position", "position of the key"),
    Field("from[].keys[].token", "key", "token of the key"),
    Field("from[].keys[].weight", "weight", "attention weight from the query to the key"),
)
_MATRICES = (
    Field("words", "", "the words that matrices are over", WORDS),
    Field("rows", "", "numbers of the rows of matrices", "--rows"),
    Field("columns", "", "numbers of the columns of matrices", "--rows"),
    Field("attention", "", "weights of the head, queries by keys", ONE_HEAD),
    Field("rollout", "", "attention rollout, tokens by tokens", "--rollout"),
    Field("value_norms", "", "norms of weighted values, a matrix for each head", "--value-norms"),
    Field("head_distance", "", "distances between heads, heads by heads", "--head-distance"),
)
