"""Answers for a corpus: read, tokenised and computed at the same time, in batches with little padding, in order."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Protocol, TypeVar

from bertcli.input.records import FailedText, Window
from bertcli.model.batching import Batch, batches
from bertcli.model.session import Session
from bertcli.model.tokenizer import TokenizedText
from bertcli.pipeline.prefetch import Prefetched, Stages
from bertcli.results.texts import RunSummary

Answer = TypeVar("Answer")
Compute = Callable[[Batch], Sequence[Answer]]
Texts = list[TokenizedText | FailedText]
# Of short texts no more than so many: they are of few lengths anyway, and each takes memory beside its tokens.
_MOST_TEXTS = 4096
_TOKENIZED_TOGETHER = 256


@dataclass(frozen=True, slots=True)
class BulkPlan:
    """How texts go together. sort_window: of about how many batches the texts are sorted by length together.

    shard_rows: groups end where shards of so many rows do, so that a shard comes out the same whatever was before it.
    ends_at_silence: they end too where no text is there at the moment, so that a pipe that pauses is answered.
    tokens_only: of a text's tokens nothing is told but how many there are.
    """

    sort_window: int = 32
    shard_rows: int | None = None
    ends_at_silence: bool = False
    tokens_only: bool = False


@dataclass
class Tally:
    """What has come of a run so far. done: texts, those without an answer too.

    repeated: texts that did not go through the model, as an equal one had. computed: tokens that did go through it.
    places: the same with the padding that went through it too.
    """

    done: int = 0
    tokens: int = 0
    truncated: int = 0
    repeated: int = 0
    computed: int = 0
    places: int = 0

    @property
    def padded_share(self) -> float:
        """How much of what was computed was padding."""
        return 1 - self.computed / self.places if self.places else 0.0

    def add(self, other: "Tally") -> None:
        """What has come of another part of the run."""
        for each in fields(self):
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))

    def summary(self, skipped: int, seconds: float) -> RunSummary:
        """What the run has come to so far. skipped: texts without an answer."""
        return RunSummary(self.done, self.tokens, self.truncated, skipped, seconds, self.padded_share, self.repeated)

    def count_text(self, text: TokenizedText) -> None:
        """A text has its answer."""
        self.tokens += len(text)
        self.truncated += text.truncated

    def count_batch(self, batch: Batch, is_packed: bool) -> None:
        """A batch has gone through the model. is_packed: its padding has not."""
        self.done += len(batch.texts)
        rows, columns = batch.shape
        tokens = sum(map(len, batch.texts))
        self.places += tokens if is_packed else rows * columns
        self.computed += tokens


class Repeats(Protocol[Answer]):
    """What knows which texts have been computed before."""

    def first_ones(self, texts: Sequence[TokenizedText]) -> Sequence[TokenizedText]:
        """Those of a group that have to be computed."""

    def with_repeats(self, texts: Sequence[TokenizedText], computed: dict[int, Answer]) -> dict[int, Answer]:
        """The answers of all of them, by index."""


def schedule(
    session: Session,
    windows: Iterable[Window],
    compute: Compute[Answer],
    stages: Stages,
    plan: BulkPlan,
    tally: Tally,
    repeats: Repeats[Answer] | None = None,
) -> Iterator[Answer | FailedText]:
    """An answer for each text, in the order of the input. stages: the threads that are ahead of who takes the answers.

    Which texts run together depends on the texts and the plan alone, unless groups end at silence.
    """
    read = stages.ahead(windows, 1, may_wait=True)
    tokenized = stages.ahead(
        list(session.tokenizer.tokenize_window(window, tokens_only=plan.tokens_only)) for window in _small(read)
    )
    groups = grouped(tokenized, plan.sort_window * session.batch_tokens, plan)
    answered = stages.ahead((_answered(session, group, compute, tally, repeats) for group in groups), 1)
    for answers in answered:
        yield from answers


def _small(windows: Iterable[Window]) -> Iterator[Window]:
    """The texts in windows of a bounded number: tokenised, a short one takes far more memory than it did."""
    for window in windows:
        for start in range(0, len(window), _TOKENIZED_TOGETHER):
            yield window[start : start + _TOKENIZED_TOGETHER]


def grouped(windows: Prefetched[Texts], token_budget: int, plan: BulkPlan) -> Iterator[Texts]:
    """The texts in groups of about so many tokens."""
    group: Texts = []
    left = token_budget
    for window in windows:
        for text in window:
            group.append(text)
            left -= len(text) if isinstance(text, TokenizedText) else 0
            if left <= 0 or len(group) >= _MOST_TEXTS or _ends_shard(text, plan.shard_rows):
                yield group
                group, left = [], token_budget
        if plan.ends_at_silence and group and windows.is_empty:
            yield group
            group, left = [], token_budget
    if group:
        yield group


def _ends_shard(text: TokenizedText | FailedText, shard_rows: int | None) -> bool:
    index = text.index if isinstance(text, FailedText) else text.record.index
    return shard_rows is not None and (index + 1) % shard_rows == 0


def _answered(
    session: Session, group: Texts, compute: Compute[Answer], tally: Tally, repeats: Repeats[Answer] | None
) -> list[Answer | FailedText]:
    texts = [text for text in group if isinstance(text, TokenizedText)]
    answers: dict[int, Answer] = {}
    to_compute = texts if repeats is None else repeats.first_ones(texts)
    for batch in batches(to_compute, session.batch_tokens, session.tokenizer.pad_token_id):
        for text, answer in zip(batch.texts, session.halving(compute, batch), strict=True):
            answers[text.record.index] = answer
        tally.count_batch(batch, session.engine.supports_packing)
    tally.done += len(group) - len(to_compute)
    tally.repeated += len(texts) - len(to_compute)
    if repeats is not None:
        answers = repeats.with_repeats(texts, answers)
    for text in texts:
        tally.count_text(text)
    return [text if isinstance(text, FailedText) else answers.pop(text.record.index) for text in group]
