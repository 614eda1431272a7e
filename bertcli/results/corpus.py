"""What a run over many texts comes to."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RunSummary:
    """texts: all that went by. skipped: those of them without an answer. padded_share: of what was computed.

    repeated: those whose answer was known of an equal text before them.
    """

    texts: int
    tokens: int
    truncated: int
    skipped: int
    seconds: float
    padded_share: float
    repeated: int = 0

    @property
    def tokens_a_second(self) -> float:
        """How fast it was."""
        return self.tokens / self.seconds if self.seconds else 0.0
