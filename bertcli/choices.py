"""Every enumeration of option values, in one place.

The members are strings, so that they compare equal to what the user typed and to what JSON holds.
"""

from enum import StrEnum


class EngineName(StrEnum):
    """Engines that run the forward pass. AUTO chooses by checkpoint, device, dtype and amount of work."""

    AUTO = "auto"
    NUMPY = "numpy"
    TORCH = "torch"
    TRANSFORMERS = "transformers"


class DtypeName(StrEnum):
    """Number types of the computation. AUTO is bfloat16 if the hardware multiplies it, else float32."""

    AUTO = "auto"
    FLOAT32 = "float32"
    FLOAT16 = "float16"
    BFLOAT16 = "bfloat16"


class DtypeOut(StrEnum):
    """Number types that vectors are written in."""

    FLOAT32 = "float32"
    FLOAT16 = "float16"


class Pooling(StrEnum):
    """Ways to make one vector from the vectors of a text's tokens.

    AUTO is the checkpoint's own recipe, or the mean if it has none. bertcli.analysis.embeddings defines the others.
    """

    AUTO = "auto"
    MEAN = "mean"
    CLS = "cls"
    MAX = "max"
    MEAN_SQRT = "mean-sqrt"
    WEIGHTED_MEAN = "weighted-mean"
    LAST = "last"
    POOLER = "pooler"
    LEXICAL = "lexical"


class RecipeSource(StrEnum):
    """Origins of the recipe that makes an embedding: the checkpoint, bertcli's default, or --pooling."""

    CHECKPOINT = "modules.json"
    DEFAULT = "default"
    OPTIONS = "options"


class Similarity(StrEnum):
    """Measures of the similarity of two embeddings. Distances are negative, so that more similar is larger."""

    COSINE = "cosine"
    DOT = "dot"
    EUCLIDEAN = "euclidean"
    MANHATTAN = "manhattan"


class SimilarityUnit(StrEnum):
    """Units that --similarity compares: whole texts, or the tokens of two texts."""

    TEXTS = "texts"
    TOKENS = "tokens"


class WordPooling(StrEnum):
    """Ways to make the vector of a word from the vectors of its pieces."""

    MEAN = "mean"
    FIRST = "first"
    LAST = "last"


class LayerOp(StrEnum):
    """Ways to make one hidden state from several. CONCAT joins the vectors of a token in the order of the layers."""

    MEAN = "mean"
    SUM = "sum"
    CONCAT = "concat"


class InputFormat(StrEnum):
    """Formats of a file of texts. AUTO depends on the file's suffix."""

    AUTO = "auto"
    TEXT = "text"
    JSONL = "jsonl"
    CSV = "csv"
    TSV = "tsv"
    PARQUET = "parquet"


class OnError(StrEnum):
    """Reactions to a text that fails: stop the run, or skip the text."""

    STOP = "stop"
    SKIP = "skip"


class OnLong(StrEnum):
    """Reactions to a text with more tokens than the limit: refuse it, cut it, or read all of it in windows."""

    ERROR = "error"
    TRUNCATE = "truncate"
    WINDOWS = "windows"


class FormatName(StrEnum):
    """Formats of the output. AUTO is a table on a terminal and TSV in a pipe. PLAIN is the bare answer."""

    AUTO = "auto"
    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"
    TSV = "tsv"
    PLAIN = "plain"


class ColorName(StrEnum):
    """Conditions for coloured tables. AUTO depends on the terminal and NO_COLOR."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


class Statistic(StrEnum):
    """Statistics of an attention head, in the order of columns. bertcli.analysis.attention.statistics defines them."""

    ENTROPY = "entropy"
    SELF = "self"
    PREVIOUS = "previous"
    NEXT = "next"
    CLS = "cls"
    SEP = "sep"
    PUNCTUATION = "punctuation"
    DISTANCE = "distance"
    CONFIDENCE = "confidence"

    @property
    def heading(self) -> str:
        """The name that a table shows above the column of the statistic."""
        return _SHORT_NAMES.get(self, str(self))


class HeadLabel(StrEnum):
    """Labels of an attention head, the first that fits. bertcli.analysis.attention.statistics has their thresholds."""

    PREVIOUS = "previous"
    NEXT = "next"
    SELF = "self"
    DELIMITER = "delimiter"
    BROAD = "broad"

    @property
    def heading(self) -> str:
        """The name that the legend of a table shows."""
        return _SHORT_NAMES.get(self, str(self))


_SHORT_NAMES = {
    "previous": "prev",
    "punctuation": "punct",
    "distance": "dist",
    "confidence": "conf",
}


class HeadGroup(StrEnum):
    """Groups of attention heads to average over."""

    LAYER = "layer"


class TargetScore(StrEnum):
    """Ways to combine the pieces of a target word into one score.

    L2R adds the log-probability of each piece given the pieces before it. MEAN averages over the pieces, all masked.
    """

    L2R = "l2r"
    MEAN = "mean"


class WordRank(StrEnum):
    """Orders of words of different numbers of pieces: by the mean of their pieces' log-probabilities, or by the sum."""

    MEAN = "mean"
    SUM = "sum"


class FillOrder(StrEnum):
    """Orders in which several masks are filled together: the most confident mask first, or from left to right."""

    CONFIDENCE = "confidence"
    L2R = "l2r"


class WithinWord(StrEnum):
    """Tokens that are masked together with a scored token (Kauf and Ivanova 2023).

    ORIGINAL masks no others, L2R the pieces of its word to its right, WHOLE all pieces of its word, and SENTENCE_L2R
    all tokens to its right.
    """

    ORIGINAL = "original"
    L2R = "l2r"
    WHOLE = "whole"
    SENTENCE_L2R = "sentence-l2r"


class ScoreOnly(StrEnum):
    """Parts of a text that are scored: the tokens that it shares with the text to compare with, or sentence B."""

    SHARED = "shared"
    B = "b"


class AttributionMethod(StrEnum):
    """Methods that attribute a prediction to the tokens of the text.

    OCCLUSION masks one token at a time. IG is integrated gradients.
    """

    OCCLUSION = "occlusion"
    IG = "ig"


class Baseline(StrEnum):
    """Word embeddings that integrated gradients start from: those of the mask, those of the padding, or zeros."""

    MASK = "mask"
    PAD = "pad"
    ZERO = "zero"


class HeadTask(StrEnum):
    """Tasks of the heads over the last hidden state, by the ends of transformers' class names."""

    TEXT_LABELS = "ForSequenceClassification"
    TOKEN_LABELS = "ForTokenClassification"
    ANSWER = "ForQuestionAnswering"


class LabelScore(StrEnum):
    """Functions that turn the logits of labels into their scores. NONE leaves the logits unchanged."""

    SOFTMAX = "softmax"
    SIGMOID = "sigmoid"
    NONE = "none"


class LensMethod(StrEnum):
    """Ways to make predictions from the hidden states of a layer.

    RAW applies the MLM head to them (logit lens). TUNED maps them by a trained translator first (tuned lens). AUTO is
    TUNED if there are translators, else RAW.
    """

    AUTO = "auto"
    RAW = "raw"
    TUNED = "tuned"
