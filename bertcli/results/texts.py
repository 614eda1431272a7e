"""Descriptions of a run and of its texts, which the results of several commands share."""

from collections.abc import Mapping, Sequence
from typing import Any

from bertcli.lazy_dataclass import dataclass
from bertcli.results.recipe import Recipe

# A numpy array in float32. Its users give the shape. It is not numpy's own type, since shapes and models do without
# numpy.
FloatArray = Any


@dataclass(frozen=True, slots=True)
class RunInfo:
    """Description of a run: the head of every JSON document and the caption of every table.

    Attributes:
        command: Name of the command.
        model: Name or folder of the checkpoint, or None if the result is not about one model.
        revision: Commit of a checkpoint from the hub.
        engine: Engine that computed the result.
        device: Device that it ran on.
        dtype: Number type of the computation.
        recipe: How embeddings were made, None if the command makes none.
        ablated: Attention heads that were switched off, each as LAYER.HEAD.
    """

    command: str
    model: str | None
    revision: str | None
    engine: str | None
    device: str | None
    dtype: str | None
    recipe: Recipe | None = None
    ablated: Sequence[str] = ()

    def as_json(self) -> Mapping[str, Any]:
        """Return the keys of JSON documents, and of the metadata of files with vectors."""
        found: dict[str, Any] = {
            "command": self.command,
            "model": self.model,
            "revision": self.revision,
            "engine": self.engine,
            "device": self.device,
            "dtype": self.dtype,
        }
        if self.ablated:
            found["ablated"] = list(self.ablated)
        if self.recipe is not None:
            found["recipe"] = self.recipe.as_json()
        return found


@dataclass(frozen=True, slots=True)
class TokenSpan:
    """A window of a text: its first token, and the token after its last.

    Tokens are counted from 0, without special tokens, and without those of a prompt or of sentence A.
    """

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class WindowPlace:
    """The place of a window in its text.

    Attributes:
        number: Number of the window, from 0.
        start: Its first character, in sentence B if there is one. None if the tokenizer does not report it.
        end: The character after its last.
    """

    number: int
    start: int | None
    end: int | None


@dataclass(frozen=True, slots=True)
class TextInfo:
    """The text that a record is about.

    Attributes:
        index: Number of the text in the input of the run, from 0.
        line: Line in its file, from 1, or None if the text is not from a file or standard input.
        text: The text, or sentence A of a pair.
        pair: Sentence B, or None.
        tokens: The tokens, special ones included and padding excluded.
        input_ids: The id of each token.
        token_type_ids: The segment of each token, 0 or 1. Empty if the architecture has no token types.
        truncated: True if the text was longer than the limit and was truncated.
        id: The value of the id field of the input, or None if no such field was named.
        file: The file of the text, or None if the run has a single source.
        windows: The windows in which the text was read, if it was longer than the limit.
        window: The place of the window that the record is about, or None if it is about a whole text. `text` (`pair` if
            there is one) and `tokens` are then those of the window.
        unknown: Number of tokens that are [UNK], for words that the vocabulary cannot spell.
        group: The values of the fields of the input that name the group of the text, or None if none were named.
    """

    index: int
    line: int | None
    text: str
    pair: str | None
    tokens: Sequence[str]
    input_ids: Sequence[int]
    token_type_ids: Sequence[int]
    truncated: bool
    id: str | int | None = None
    file: str | None = None
    windows: Sequence[TokenSpan] = ()
    window: WindowPlace | None = None
    unknown: int = 0
    group: Mapping[str, str] | None = None
