"""Results of the heads for classification and question answering."""

from collections.abc import Sequence

from bertcli.choices import HeadTask, LabelScore
from bertcli.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class HeadInfo:
    """Description of a head.

    Attributes:
        task: What the head computes.
        class_name: transformers' class of the body with the head.
        labels: Names of the labels, in the order of the logits. Empty for question answering.
        score: The function that turns logits into scores.
    """

    task: HeadTask
    class_name: str
    labels: tuple[str, ...]
    score: LabelScore


@dataclass(frozen=True, slots=True)
class Label:
    """A label of a text or token, with its score: a probability, or the bare value of a regression."""

    label: str
    score: float


@dataclass(frozen=True, slots=True)
class Entity:
    """Consecutive tokens with labels of one kind.

    Attributes:
        label: The label without its prefix, such as PER for B-PER and I-PER.
        score: Mean of the scores of the words.
        start: Place of the first character in the sentence; None if the tokenizer does not report places.
        end: Place after the last character, or None.
        text: The characters from start to end.
        positions: Positions of the tokens.
        sentence: text or pair, the sentence that the entity is in. None if there is no sentence B.
    """

    label: str
    score: float
    start: int | None
    end: int | None
    text: str
    positions: Sequence[int]
    sentence: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a question.

    Attributes:
        text: The characters of the context from start to end.
        score: Its probability.
        start: Place of the first character in the context; None if the tokenizer does not report places.
        end: Place after the last character, or None.
    """

    text: str
    score: float
    start: int | None
    end: int | None


@dataclass(frozen=True, slots=True)
class TextLabels:
    """Labels of a text and its tokens, and its answer. An attribute is None if the checkpoint has no head for it.

    Attributes:
        heads: The heads.
        labels: The labels of the text, the largest score first.
        token_labels: The most probable label of each token, None for special tokens and those of a prompt.
        entities: The entities that the labels of the tokens make.
        answer: The answer to the text as a question; also None if there is no context.
    """

    heads: Sequence[HeadInfo]
    labels: Sequence[Label] | None = None
    token_labels: Sequence[Label | None] | None = None
    entities: Sequence[Entity] | None = None
    answer: Answer | None = None
