"""Request of encode: its options, which of them go together, and which formats can hold them."""

from collections.abc import Sequence
from dataclasses import field, replace

from bertcli.choices import DtypeOut, Pooling, SimilarityUnit
from bertcli.commands.corpus import check_corpus_options, check_ray
from bertcli.commands.encode.combinations import check_two_texts, check_words
from bertcli.commands.options import CorpusOptions, RayOptions, TextOptions, WordOptions
from bertcli.commands.request import options_of_fields
from bertcli.errors import WrongUsage
from bertcli.lazy_dataclass import dataclass
from bertcli.model.request import EmbeddingRequest, SessionRequest
from bertcli.output.catalogs.encode import (
    encode_fields,
    parquet_fields,
    similarity_fields,
    token_similarity_fields,
)
from bertcli.output.catalogs.texts import PER_WINDOW
from bertcli.output.destination import (
    FOLDER,
    PARQUET_SUFFIX,
    TENSOR_SUFFIXES,
    Destination,
    OutputFormats,
    OutputOptions,
)
from bertcli.output.fields import Field, FieldCatalog
from bertcli.quoting import is_utf8

NPY_SUFFIX = ".npy"
# A Parquet file, and a folder of Parquet shards.
PARQUET = (PARQUET_SUFFIX, FOLDER)
_BINARY_SUFFIXES = (NPY_SUFFIX, *TENSOR_SUFFIXES, PARQUET_SUFFIX)
_BINARY = (NPY_SUFFIX, *TENSOR_SUFFIXES, *PARQUET)
_LOOKED_AT = ("table", "svg", "json")
_COMPARED = (*_LOOKED_AT, "jsonl", "csv", "tsv")
_VECTORS = (*_LOOKED_AT, "jsonl", *TENSOR_SUFFIXES, *PARQUET)
# Formats that have a row for each word, and nothing about the text beside it.
WORD_ROWS = ("csv", "tsv", *_BINARY_SUFFIXES)
# A folder has a row for each text of the input.
_PER_WINDOW = (*_LOOKED_AT, "jsonl", "csv", "tsv", NPY_SUFFIX, *TENSOR_SUFFIXES, PARQUET_SUFFIX)


@dataclass(frozen=True, slots=True)
class EncodeRequest:
    """The options of encode.

    Attributes:
        embedding: How the vectors of tokens make one vector, and the prompt before each text.
        tokens: Add the vector of each token.
        pooler: Add pooler_output.
        layers: Hidden states to add, such as all, -1 or 0,6,12.
        similarity: Add the similarity of each pair of texts or occurrences of a word, or of the tokens of two texts.
        top_k: Number of terms of a lexical vector to show; None for 10 in a table and for all in JSON. With similarity,
            the number of nearest texts to show for each text instead of all pairs.
        words: The words to return vectors of.
        labels: Show the labels and answers of the checkpoint's heads.
        per_window: Return a record for each window of a long text, instead of one for the text.
    """

    texts: TextOptions
    model: SessionRequest
    output: OutputOptions
    embedding: EmbeddingRequest = field(default_factory=EmbeddingRequest)
    tokens: bool = False
    pooler: bool = False
    layers: str | None = None
    similarity: SimilarityUnit | None = None
    top_k: int | None = None
    per_window: bool = False
    corpus: CorpusOptions = field(default_factory=CorpusOptions)
    ray: RayOptions = field(default_factory=RayOptions)
    words: WordOptions = field(default_factory=WordOptions)
    labels: bool = True

    @property
    def session(self) -> SessionRequest:
        """The request for the session, with the way to make embeddings, and with the heads whose labels are shown."""
        mixed = None if self.embedding.layer_op is None else self.layers
        return replace(self.model, embedding=replace(self.embedding, mixed_layers=mixed), with_heads=self.labels)

    @property
    def added_layers(self) -> str | None:
        """The hidden states to add to the output. With --layer-op, --layers names those to make one of."""
        return self.layers if self.embedding.layer_op is None else None

    @property
    def formats(self) -> OutputFormats:
        """Formats that encode can write."""
        return OutputFormats("encode", _BINARY_SUFFIXES, takes_folder=True, has_plain=True)

    @property
    def catalog(self) -> FieldCatalog:
        """Fields of the records, or the columns of a Parquet file."""
        given = {
            PER_WINDOW: self.per_window,
            "--tokens": self.tokens,
            "--pooler": self.pooler,
            "--layers": self.added_layers is not None,
            "--similarity tokens": self.similarity == SimilarityUnit.TOKENS,
            "--word": self.words.word is not None,
        }
        return FieldCatalog(self._fields, options_of_fields(self.texts, self.model, given))

    @property
    def _fields(self) -> Sequence[Field]:
        if self.similarity is not None and not self._writes_json:
            compares_tokens = self.similarity == SimilarityUnit.TOKENS
            return token_similarity_fields(has_pairs=self.texts.has_pairs) if compares_tokens else similarity_fields()
        fields_of = parquet_fields if self._writes_parquet else encode_fields
        return fields_of(has_words=self.words.are_requested, has_labels=self.labels)

    @property
    def parquet_columns(self) -> Sequence[str] | None:
        """The columns of a Parquet file in order, None for all."""
        if self.output.fields is None or not self._writes_parquet:
            return None
        catalog = self.catalog
        return [catalog.column_of(name) for name in catalog.parse(self.output.fields)]

    @property
    def parquet_texts(self) -> Sequence[str]:
        """The sentences that a Parquet file has: those of --keep-text, or those that --fields names."""
        sentences = ("text", "pair") if self.texts.has_pairs else ("text",)
        if self.parquet_columns is None:
            return sentences if self.corpus.keep_text else ()
        return [name for name in sentences if name in self.parquet_columns]

    @property
    def _writes_json(self) -> bool:
        path = self.output.path
        return self.output.format_name == "json" or (path is not None and path.suffix.lower() == ".json")

    @property
    def _writes_parquet(self) -> bool:
        path = self.output.path
        return path is not None and path.suffix.lower() == PARQUET_SUFFIX

    @property
    def dtype_out(self) -> str:
        """Number type that vectors are written in."""
        return str(self.corpus.dtype_out or DtypeOut.FLOAT32)

    def check_options(self) -> None:
        """Check that the options go together. Raises WrongUsage."""
        self.model.check_options()
        if self.per_window and not self.model.reads_windows:
            raise WrongUsage("--per-window needs --long windows", hint="add --long windows, or leave --per-window out")
        prompt = self.embedding.prompt
        if prompt is not None and self.embedding.prompt_name is not None:
            raise WrongUsage("--prompt and --prompt-name both set the prompt", hint="leave one of them out")
        if prompt is not None and not is_utf8(prompt):
            raise WrongUsage("--prompt is not UTF-8", hint="use a prompt in UTF-8")
        if self.embedding.layer_op is not None and self.layers is None:
            raise WrongUsage(
                "--layer-op needs --layers",
                hint="add the layers, such as --layers -4,-3,-2,-1, or leave --layer-op out",
            )
        check_words(self.words, self._not_for_words())
        if self.similarity == SimilarityUnit.TOKENS:
            check_two_texts(self.texts)
            if self.top_k is not None:
                raise WrongUsage(
                    "-k is the number of nearest texts, and --similarity tokens compares the tokens of two",
                    hint="leave -k out",
                )
            if self.model.reads_windows:
                raise WrongUsage(
                    "--similarity tokens compares the tokens of texts that fit, and --long windows divides longer ones",
                    hint="leave --long windows out, or use --long truncate",
                )
        check_corpus_options(self.corpus, self.ray, self.output)

    def check_format(self, destination: Destination) -> None:
        """Check that the format can hold what is requested. Raises WrongUsage."""
        if self.similarity is not None and destination.format in _COMPARED:
            self._check_shows_similarity(destination)
        for option, formats in self._formats_of_options(destination).items():
            if destination.format not in formats:
                shown, only_folder = destination.noun, tuple(formats) == (FOLDER,)
                problem = f"needs a folder (-o out/), not {shown}" if only_folder else f"is not available in {shown}"
                raise WrongUsage(
                    f"{option} {problem}",
                    hint=f"use {_instead(formats, destination)}, or leave {option} out",
                )
        keeps_tokens = (
            self.tokens
            or destination.format in TENSOR_SUFFIXES
            or (self.added_layers is not None and destination.format not in PARQUET)
        )
        if self.words.are_requested and self.embedding.normalize and destination.format in WORD_ROWS:
            raise WrongUsage(
                f"--normalize scales the embedding of a text, and {destination.noun} has vectors of words alone",
                hint=f"use {destination.instead('json')}, or leave --normalize out",
            )
        if self.corpus.dedupe and self.per_window:
            raise WrongUsage(
                "--dedupe compares whole texts, and --per-window writes parts of them", hint="leave one of them out"
            )
        if self.corpus.dedupe and keeps_tokens:
            raise WrongUsage(
                "--dedupe keeps one vector for each text, not one for each token",
                hint=f"leave --dedupe out, or use {destination.instead(PARQUET_SUFFIX)}"
                if destination.format in TENSOR_SUFFIXES
                else "leave --dedupe out, or --tokens and --layers",
            )
        if self.embedding.pooling == Pooling.POOLER and self.added_layers is not None and destination.format in PARQUET:
            raise WrongUsage(
                "--layers in Parquet are pooled like the embedding, and the pooler exists for the last layer only",
                hint="use another --pooling, such as mean or cls; --pooler adds pooler_output",
            )
        check_ray(self.texts, self.model, self.corpus, self.ray)

    def _not_for_words(self) -> dict[str, bool]:
        """Return the options that cannot be combined with words, and whether they are given."""
        return {
            "--tokens": self.tokens,
            "--pooler": self.pooler,
            "--layers": self.added_layers is not None,
            "--similarity tokens": self.similarity == SimilarityUnit.TOKENS,
            "--dedupe": self.corpus.dedupe,
            "--long windows": self.model.reads_windows,
            "--ray": self.ray.is_requested,
        }

    def _check_shows_similarity(self, destination: Destination) -> None:
        """Check that no vectors are requested where only similarities are shown. Raises WrongUsage."""
        if destination.format == "json":
            return
        added = {
            "--tokens": self.tokens,
            "--layers": self.added_layers is not None,
            "--pooler": self.pooler,
            "--words": self.words.are_requested and self.words.word is None,
        }
        for option in (name for name, is_given in added.items() if is_given):
            raise WrongUsage(
                f"{destination.noun} shows --similarity alone, without {option}",
                hint=f"use {destination.instead('json')}, or leave {option} out",
            )

    def _formats_of_options(self, destination: Destination) -> dict[str, Sequence[str]]:
        """Return the options that are given, each with the formats that can hold it."""
        corpus = self.corpus
        formats: dict[str, tuple[bool, Sequence[str]]] = {
            "--tokens": (self.tokens, _VECTORS),
            "--layers": (self.added_layers is not None, _VECTORS),
            "--pooler": (self.pooler, _VECTORS),
            "--similarity": (self.similarity is not None, _COMPARED),
            self.words.option: (self.words.are_requested, (*_LOOKED_AT, "jsonl", *WORD_ROWS)),
            "--dtype-out": (corpus.dtype_out is not None, _BINARY),
            "--keep-text": (corpus.keep_text, PARQUET),
            "--per-window": (self.per_window, _PER_WINDOW),
            "--shard-rows": (corpus.shard_rows is not None, (FOLDER,)),
            "--resume": (corpus.resume, (FOLDER,)),
            "--ray": (self.ray.is_requested, (FOLDER,)),
            "--id-field": (
                self.texts.id_field is not None,
                (*PARQUET, "json", "jsonl", "csv", "tsv", "table", "svg"),
            ),
            "--dedupe": (corpus.dedupe and not destination.is_file, (NPY_SUFFIX, *PARQUET)),
        }
        return {option: allowed for option, (is_given, allowed) in formats.items() if is_given}


def _instead(formats: Sequence[str], destination: Destination) -> str:
    """Return the options that request one of the formats: a file if the user wants a file."""
    files = [name for name in formats if name in _BINARY_SUFFIXES]
    is_json = "json" in formats and (not destination.is_file or not files)
    return destination.instead("json" if is_json else files[-1] if files else FOLDER)
