"""The labels of the texts of a batch: those of each text, those of its tokens, and its answer."""

from collections.abc import Sequence

from bertcli.analysis.labels.answers import find_answer
from bertcli.analysis.labels.entities import find_entities
from bertcli.checkpoints.heads import TaskHead
from bertcli.choices import HeadTask, LabelScore
from bertcli.model.batching import Batch
from bertcli.model.engine import ModelOutput
from bertcli.model.ops.base import FloatArray
from bertcli.model.ops.numpy_activations import sigmoid, softmax
from bertcli.model.places import token_places
from bertcli.model.session import Session
from bertcli.model.tokenizer import TextTokenizer, TokenizedText
from bertcli.results.labels import Answer, Entity, HeadInfo, Label, TextLabels


class BatchLabels:
    """The labels of all texts of a batch."""

    def __init__(self, session: Session, batch: Batch, output: ModelOutput, heads: Sequence[TaskHead]) -> None:
        """Convert the logits to numpy.

        Args:
            session: The open checkpoint.
            batch: The texts.
            output: The outputs of the batch, with the logits of the heads.
            heads: The heads, in the order of the logits.
        """
        self._tokenizer, self._texts = session.tokenizer, batch.texts
        self._logits = [
            (head.info, session.to_numpy(logits)) for head, logits in zip(heads, output.head_logits, strict=True)
        ]

    def record(self, row: int) -> TextLabels | None:
        """Return the labels of the text in a row of the batch, None if there are no heads."""
        if not self._logits:
            return None
        text = self._texts[row]
        labels: Sequence[Label] | None = None
        token_labels: Sequence[Label | None] | None = None
        entities: Sequence[Entity] | None = None
        answer: Answer | None = None
        for info, logits in self._logits:
            if info.task == HeadTask.TEXT_LABELS:
                labels = ranked_labels(info, logits[row])
            elif info.task == HeadTask.TOKEN_LABELS:
                scores = softmax(logits[row, : len(text)])
                token_labels = _best_labels(info, scores, text, self._tokenizer)
                entities = find_entities(info.labels, scores, text, self._tokenizer)
            else:
                answer = find_answer(logits[row, : len(text)], text, self._tokenizer)
        return TextLabels([info for info, _ in self._logits], labels, token_labels, entities, answer)


def ranked_labels(info: HeadInfo, logits: FloatArray) -> list[Label]:
    """Return the labels of a text with their scores, the largest first, as transformers' text-classification pipeline.

    Args:
        info: The head.
        logits: (labels,).
    """
    scores = logits
    if info.score == LabelScore.SOFTMAX:
        scores = softmax(logits)
    elif info.score == LabelScore.SIGMOID:
        scores = sigmoid(logits)
    labels = [Label(name, float(score)) for name, score in zip(info.labels, scores, strict=True)]
    return sorted(labels, key=lambda label: label.score, reverse=True)


def _best_labels(
    info: HeadInfo, scores: FloatArray, text: TokenizedText, tokenizer: TextTokenizer
) -> list[Label | None]:
    """Return the most probable label of each token, None for special tokens and those of a prompt.

    Args:
        info: The head.
        scores: (seq, labels).
        text: The text.
        tokenizer: Its tokenizer.
    """
    places = token_places(text, tokenizer)
    return [
        None if place is None else Label(info.labels[best], float(scores[position, best]))
        for position, (place, best) in enumerate(zip(places, scores.argmax(-1).tolist(), strict=True))
    ]
