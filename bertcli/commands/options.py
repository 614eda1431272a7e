"""Groups of options that the requests of commands hold. bertcli.cli.options has their names and help.

This module imports nothing heavy, since the help needs it.
"""

import os.path
from dataclasses import field
from pathlib import Path

from bertcli.choices import (
    AttributionMethod,
    Baseline,
    DtypeOut,
    HeadGroup,
    InputFormat,
    OnError,
    ScoreOnly,
    WordPooling,
)
from bertcli.errors import WrongUsage
from bertcli.input.records import STDIN, TextSource
from bertcli.lazy_dataclass import dataclass
from bertcli.storage import WILDCARDS, parse_path


@dataclass(frozen=True, slots=True)
class TextOptions:
    """Options of the input: where the texts are, and what to do with a text that fails.

    Attributes:
        texts: Texts on the command line, or - for standard input.
        file: Files, URLs and patterns, as strings: a path would lose a slash of s3://.
        text_field: Column or field that holds the text.
        id_field: Column or field to use as the record id.
        input_format: Format of the files.
        pair: Sentence B for every text.
        pairs: Each text holds sentence A and sentence B, separated by a tab.
        on_error: Stop at a failed text, or skip it.
    """

    texts: list[str] = field(default_factory=list)
    file: list[str] = field(default_factory=list)
    text_field: str | None = None
    id_field: str | None = None
    input_format: InputFormat = InputFormat.AUTO
    pair: str | None = None
    pairs: bool = False
    on_error: OnError = OnError.STOP

    @property
    def file_given_as_text(self) -> str | None:
        """The only text, if it is the name of a file, which the user probably wants to read. Else None."""
        (name, *more) = self.texts or [STDIN]
        # pathlib raises an error for a text that is longer than a name can be.
        return name if not more and name != STDIN and os.path.isfile(name) else None  # noqa: PTH113

    @property
    def has_pairs(self) -> bool:
        """True if each text has a sentence B."""
        return self.pair is not None or self.pairs

    @property
    def is_stream(self) -> bool:
        """True if the texts come from standard input."""
        return STDIN in self.texts or STDIN in self.file or not (self.texts or self.file)

    @property
    def may_be_several_files(self) -> bool:
        """True if several files are named, or a pattern."""
        return len(self.file) > 1 or any(WILDCARDS & {*name} for name in self.file)

    def source(self) -> TextSource:
        """Return the source for the reader.

        Raises:
            WrongUsage: The name of a file is empty.
        """
        if "" in self.file:
            raise WrongUsage("-f needs a name, not an empty one", hint="name a file, or leave out -f")
        files = [parse_path(name) for name in self.file]
        return TextSource(self.texts, files, self.pair, self.pairs, self.input_format, self.text_field, self.id_field)


@dataclass(frozen=True, slots=True)
class CorpusOptions:
    """Options for writing the results of many texts.

    Attributes:
        dtype_out: Number type to write in; None for float32.
        keep_text: Write each text beside its vector, in Parquet.
        shard_rows: Rows in each file of a folder; None to end a file by the amount of text.
        resume: Continue an interrupted run into a folder.
        dedupe: Compute equal texts once.
    """

    dtype_out: DtypeOut | None = None
    keep_text: bool = False
    shard_rows: int | None = None
    resume: bool = False
    dedupe: bool = False


@dataclass(frozen=True, slots=True)
class RayOptions:
    """Options for a run on Ray.

    Attributes:
        on_ray: Run on Ray.
        ray_address: The cluster; None to start one on this machine. It implies on_ray.
        actors: Number of actors; None for one for each CPU or GPU.
        gpus_per_actor: GPUs of each actor, such as 1 or 0.5; None to compute on CPUs.
    """

    on_ray: bool = False
    ray_address: str | None = None
    actors: int | None = None
    gpus_per_actor: float | None = None

    @property
    def is_requested(self) -> bool:
        """True if the run goes to Ray."""
        return self.on_ray or self.ray_address is not None


@dataclass(frozen=True, slots=True)
class WordOptions:
    """Options for the vectors of words.

    Attributes:
        words: Return a vector for each word.
        pretokenized: Take words as whitespace separates them.
        word_pooling: How to make one vector from the pieces of a word; None for the mean.
        word: Return only this word. It implies words.
    """

    words: bool = False
    pretokenized: bool = False
    word_pooling: WordPooling | None = None
    word: str | None = None

    @property
    def are_requested(self) -> bool:
        """True if words have vectors."""
        return self.words or self.word is not None

    @property
    def option(self) -> str:
        """Name of the option that requests words, for messages."""
        return "--words" if self.word is None else "--word"


@dataclass(frozen=True, slots=True)
class PairOptions:
    """Options of --score that compare two texts, choose the tokens to score, and summarize many texts.

    Attributes:
        versus: Field that holds the text to compare with. With pairs it is B, and for arguments the text itself.
        only: The part of a text to score.
        only_words: Words to score, separated by commas.
        aggregate: One record for all texts together.
        group_by: Fields that name the group of a text, separated by commas.
    """

    versus: str | None = None
    only: ScoreOnly | None = None
    only_words: str | None = None
    aggregate: bool = False
    group_by: str | None = None


@dataclass(frozen=True, slots=True)
class HeadOptions:
    """The attention heads to show, and how.

    Attributes:
        layer: These layers only, such as 3, -1 or 1,2. A page starts with the first of them.
        layers: These layers only. A page holds them alone.
        head: This head only; with one layer, its matrix.
        label: The heads with this label only.
        top: The first heads only, in the order of `by`.
        by: A statistic to sort by, the largest first; after a minus, the smallest first.
        group: Average over the heads of each layer.
        stat: Statistics to show, separated by commas.
        grid: A statistic to draw as a grid of layers by heads.
        aggregate: One record for all texts together.
    """

    layer: str | None = None
    layers: str | None = None
    head: int | None = None
    label: str | None = None
    top: int | None = None
    by: str | None = None
    group: HeadGroup | None = None
    stat: str | None = None
    grid: str | None = None
    aggregate: bool = False


@dataclass(frozen=True, slots=True)
class MapOptions:
    """Matrices of attention to show beside the statistics of heads, or instead of them.

    Attributes:
        from_token: A token or position whose strongest keys are listed.
        top_k: Number of keys to list.
        rollout: Compute the attention rollout.
        value_norms: Weight the attention by the norms of the value vectors.
        head_distance: Compute the distance between each pair of heads.
        words: Compute matrices over words instead of tokens.
        rows: Rows (queries) of a matrix to show.
        cols: Columns (keys) of a matrix to show.
        expansion: Compute the expansion rate of each layer from the weights.
    """

    from_token: str | None = None
    top_k: int | None = None
    rollout: bool = False
    value_norms: bool = False
    head_distance: bool = False
    words: bool = False
    rows: str | None = None
    cols: str | None = None
    expansion: bool = False


@dataclass(frozen=True, slots=True)
class PageOptions:
    """Pages and pictures of attention.

    Attributes:
        html: Write the interactive page to this file.
        open_page: Open the page in a browser.
        png: Draw a matrix into this file.
        attribute: Method that attributes the predictions on the page to the tokens of the text.
        baseline: Baseline of integrated gradients.
        steps: Number of their steps.
        head_effects: Compute the effect of each head on the predictions on the page.
    """

    html: Path | None = None
    open_page: bool = False
    png: Path | None = None
    attribute: AttributionMethod | None = None
    baseline: Baseline | None = None
    steps: int | None = None
    head_effects: bool = False
