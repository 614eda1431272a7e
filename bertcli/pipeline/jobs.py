"""Jobs of commands that are ready to compute, in this process or in the actors of a cluster."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self

from bertcli.input.records import Window
from bertcli.model.session import Session
from bertcli.pipeline.documents import ANSWER_WINDOWS, Check, DocumentPlan
from bertcli.pipeline.scheduler import Compute, Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class TextJob:
    """Computation of a command.

    Attributes:
        compute: Returns the answers of a batch.
        plan: How texts are grouped. The runner adds the ends of shards.
        check: Returns a FailedText for a text that the command cannot take.
        documents: How texts that are longer than the limit are read.
        divide: Returns the texts to compute for the texts of the input, plan.parts for each. None if they are the same.
        join: Returns the records of the texts of the input for the answers. None if they are the same.
        predicts_tokens: Compare the predictions of reduced precision with those of float32 too.
        notes: Notes for the user.
    """

    compute: Compute[Any]
    plan: Plan
    check: Check | None = None
    documents: DocumentPlan[Any] = ANSWER_WINDOWS
    divide: Callable[[Iterable[Window]], Iterator[Window]] | None = None
    join: Callable[[Iterable[Any]], Iterator[Any]] | None = None
    predicts_tokens: bool = False
    notes: Sequence[str] = ()

    def divided(self, windows: Iterable[Window]) -> Iterable[Window]:
        """Return the texts to compute for windows of the input."""
        return windows if self.divide is None else self.divide(windows)

    def joined(self, answers: Iterable[Any]) -> Iterable[Any]:
        """Return the records of the texts of the input."""
        return answers if self.join is None else self.join(answers)


class Total(Protocol):
    """Sums over texts, which can be merged with those over other texts. Ray pickles them."""

    def add(self, answer: Any, /) -> None:
        """Add the answer of a text."""

    def merge(self, other: Self, /) -> None:
        """Add the sums over other texts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TotalJob(TextJob):
    """Computation of a command that sums over texts.

    Attributes:
        start: Returns sums over no text.
    """

    start: Callable[[], Any]


class TotalCommand(Protocol):
    """A command that sums over texts, before its model is open: its options. Ray sends it to the actors."""

    def set_up(self, session: Session) -> TotalJob:
        """Return what to compute with an open model, without loading its weights.

        Raises:
            BertcliError: The checkpoint lacks what the options need.
        """
