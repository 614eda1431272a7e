"""bertcli shapes: the name and shape of every output, and the tensors of a checkpoint."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from bertcli.checkpoints.config import ModelConfig, read_config
from bertcli.checkpoints.find import (
    BUNDLED_FOLDER,
    Checkpoint,
    find_checkpoint,
    find_local,
    find_tensors,
    why_offline,
)
from bertcli.checkpoints.heads import TaskHead, find_heads
from bertcli.checkpoints.names import has_bundled_vocabulary, published_config
from bertcli.checkpoints.recipe import DeclaredRecipe, read_recipe
from bertcli.checkpoints.required_files import Files
from bertcli.checkpoints.shapes import embedding_class, head_class, model_classes, present_parts, stored_tensors
from bertcli.checkpoints.weight_files import WeightFiles, find_weight_files, has_weight_files
from bertcli.choices import OnLong
from bertcli.commands.dialogue import Dialogue, wants_dialogue
from bertcli.commands.options import TextOptions
from bertcli.commands.request import lists_fields, open_sink, options_of_fields
from bertcli.commands.shapes.lengths import show_lengths
from bertcli.commands.shapes.tokens import show_tokens
from bertcli.errors import BertcliError, ExitCode, ShapesDiffer, WrongUsage
from bertcli.input.reader import TextReader
from bertcli.input.records import FailedText
from bertcli.lazy_dataclass import dataclass
from bertcli.model.document_reader import read_document, read_window
from bertcli.model.dtypes import concrete_dtype
from bertcli.model.request import SessionRequest
from bertcli.model.tokenizer import LongText, TextTokenizer, Tokenized, TokenizedText
from bertcli.model.tokenizer_loading import open_tokenizer
from bertcli.model.windows import OverlappingWindows
from bertcli.output.catalogs.models import shapes_catalog
from bertcli.output.destination import Destination, OutputFormats, OutputOptions
from bertcli.output.fields import FieldCatalog
from bertcli.output.schemas.models import shapes_schema, weights_schema
from bertcli.output.sink import Sink
from bertcli.results.models import ComputedTensor, ModelClass, Output, ShapesResult
from bertcli.results.texts import RunInfo


@dataclass(frozen=True, slots=True)
class ShapesRequest:
    """The options of shapes.

    Attributes:
        batch: Number of texts, instead of texts.
        seq: Number of tokens in each text, instead of texts.
        run: Run the model and show the shapes that it returns.
        weights: List the tensors of the checkpoint instead.
        tokens: Show the tokens of each text instead.
        lengths: Show the lengths of all texts, in tokens, instead.
    """

    texts: TextOptions
    model: SessionRequest
    output: OutputOptions
    batch: int | None = None
    seq: int | None = None
    run: bool = False
    weights: bool = False
    tokens: bool = False
    lengths: bool = False

    @property
    def formats(self) -> OutputFormats:
        """Formats that shapes can write."""
        return OutputFormats("shapes", has_plain=not self.lengths)

    @property
    def catalog(self) -> FieldCatalog:
        """Fields of the records."""
        given = {
            "--tokens": self.tokens,
            "--lengths": self.lengths,
            "--weights": self.weights,
            "--run": self.run,
        }
        return shapes_catalog(options_of_fields(self.texts, self.model, given))

    def check_options(self) -> None:
        """Check that the options go together. Raises WrongUsage."""
        self.model.check_options()
        has_texts, has_size = bool(self.texts.texts or self.texts.file), bool(self.batch or self.seq)
        if self.tokens and self.lengths:
            raise WrongUsage("--tokens and --lengths cannot be combined", hint="leave one of them out")
        for is_given, option, shown in ((self.tokens, "--tokens", "tokens"), (self.lengths, "--lengths", "lengths")):
            if is_given and (self.run or has_size or self.weights):
                raise WrongUsage(
                    f"{option} shows the {shown} of texts and needs nothing else",
                    hint="leave out --batch, --seq, --run and --weights",
                )
        if self.weights and (self.run or has_size or has_texts):
            raise WrongUsage(
                "--weights lists the tensors of the checkpoint and needs nothing else",
                hint="leave out texts, --batch, --seq and --run",
            )
        if self.lengths and self.model.on_long != OnLong.ERROR:
            raise WrongUsage(
                "--lengths counts all tokens of each text, and cuts none", hint="leave --long and --truncate out"
            )
        if self.tokens and self.model.reads_windows:
            raise WrongUsage(
                "--tokens shows whole texts, and --long windows divides them", hint="use --long truncate instead"
            )
        if has_size and has_texts:
            raise WrongUsage(
                "--batch and --seq cannot be combined with texts", hint="leave out the texts, or --batch and --seq"
            )
        if self.batch is not None and self.seq is None:
            raise WrongUsage("--batch needs --seq, the number of tokens in each text", hint="add --seq 128")

    def check_format(self, destination: Destination) -> None:
        """Accept every format."""


class _Size(NamedTuple):
    batch_size: int
    sequence_length: int


@dataclass(frozen=True, slots=True)
class _Subject:
    """The model to describe. checkpoint is None for a published model that is not downloaded: its config is known."""

    name: str
    config: ModelConfig
    checkpoint: Checkpoint | None

    @property
    def revision(self) -> str | None:
        return None if self.checkpoint is None else self.checkpoint.revision


def shapes(request: ShapesRequest) -> ExitCode:
    """Show the shapes for one batch, of all texts together or of a given size."""
    if lists_fields(request):
        return ExitCode.DONE
    sink = open_sink(request, request.texts)
    if wants_dialogue(request, request.texts.source()) and not (request.weights or request.seq):
        return Dialogue("shapes", request, shapes).run()
    if request.weights:
        return _show_weights(request.model, sink)
    subject = _find_subject(request, sink)
    model = request.model
    dtype = concrete_dtype(model.dtype, model.device, model.engine)
    request = replace(request, model=replace(model, dtype=dtype))
    info = RunInfo("shapes", subject.name, subject.revision, None, None, dtype)
    if request.tokens or request.lengths:
        show = show_tokens if request.tokens else show_lengths
        return show(request.texts, _open_tokenizer(request, subject), replace(info, dtype=None), sink)
    texts: list[TokenizedText | FailedText] = []
    if request.seq is None:
        texts = _tokenize(request, _open_tokenizer(request, subject))
        size = _size_of(texts)
    else:
        size = _given_size(request.batch or 1, request.seq, subject.config)
    weights = _stored_weights(subject, request)
    parts = None if weights is None else weights.optional_parts(subject.config)
    classes = model_classes(subject.config, *size, dtype, parts)
    heads = _find_heads(weights, subject.config, sink)
    if weights is not None:
        classes += [head_class(head, classes[0], subject.config, *size, weights) for head in heads]
    recipe = _find_recipe(subject, sink)
    if recipe is not None:
        classes.append(embedding_class(recipe, subject.config, size.batch_size, parts))
    computed: Mapping[str, Sequence[ComputedTensor]] = {}
    if request.run and size.batch_size:
        with_embedding = recipe is not None and recipe.splade is None
        info, computed = _run(request, texts, size, sink, heads, with_embedding=with_embedding)
    holds = None if parts is None else present_parts(subject.config, parts)
    results = [ShapesResult(*size, _with_computed(classes, computed), holds=holds)] if size.batch_size else []
    failed = [text for text in texts if isinstance(text, FailedText)]
    exit_code = sink.write(info, shapes_schema(info), [*failed, *results])
    _check_computed(classes, computed)
    return exit_code


def _find_subject(request: ShapesRequest, sink: Sink) -> _Subject:
    """Return the model to describe. A published model is not downloaded, since its config is known."""
    model = request.model
    needs = Files.CONFIG if request.batch or request.seq else Files.CONFIG | Files.TOKENIZER
    config = published_config(model.model) if model.model and not model.revision else None
    if request.run or config is None:
        checkpoint = find_checkpoint(
            model.model,
            revision=model.revision,
            offline=model.offline,
            needs=Files.ALL if request.run else needs,
            on_download=sink.reporter.announce,
            token=model.token,
        )
    elif (here := find_local(model.model, None, needs)) is not None:
        checkpoint = here
    else:
        return _Subject(str(model.model), config, None)
    return _Subject(checkpoint.name, read_config(checkpoint.folder), checkpoint)


def _find_recipe(subject: _Subject, sink: Sink) -> DeclaredRecipe | None:
    """Return the recipe that the checkpoint declares for embeddings. None without one, or without a usable one."""
    if subject.checkpoint is None:
        return None
    try:
        return read_recipe(subject.checkpoint.whole_folder)
    except BertcliError as error:
        sink.reporter.note(f"no sentence_embedding: {error.message}")
        return None


def _stored_weights(subject: _Subject, request: ShapesRequest) -> WeightFiles | None:
    """Return the weights that list the parts of the checkpoint, None if there are none to look at.

    The header of the weights lists the parts. A pickle has no header, and is opened only for --run, which needs torch.
    """
    if subject.checkpoint is None or not has_weight_files(subject.checkpoint.folder):
        return None
    weight_files = find_weight_files(subject.checkpoint.folder, subject.config.architecture)
    if weight_files.is_pickled and not request.run:
        return None
    weight_files.check_fits(subject.config)
    return weight_files


def _find_heads(weights: WeightFiles | None, config: ModelConfig, sink: Sink) -> Sequence[TaskHead]:
    """Return the heads for classification and question answering, or none with a note if one cannot be used."""
    if weights is None:
        return ()
    try:
        return find_heads(weights, config)
    except BertcliError as error:
        sink.reporter.note(f"no class with a head for labels: {error.message}")
        return ()


def _show_weights(model: SessionRequest, sink: Sink) -> ExitCode:
    stored = find_tensors(
        model.model,
        revision=model.revision,
        offline=model.offline,
        on_download=sink.reporter.announce,
        token=model.token,
    )
    info = RunInfo("shapes", stored.name, stored.revision, None, None, None)
    result = ShapesResult(0, 0, [], tensors=stored_tensors(stored.infos))
    return sink.write(info, weights_schema(info), [result])


def _given_size(batch: int, seq: int, config: ModelConfig) -> _Size:
    if seq > config.max_tokens:
        raise WrongUsage(
            f"--seq {seq:,} is beyond the model's {config.max_tokens:,} positions",
            hint=f"use --seq {config.max_tokens} or less",
        )
    return _Size(batch, seq)


def _open_tokenizer(request: ShapesRequest, subject: _Subject) -> TextTokenizer:
    checkpoint = subject.checkpoint
    if checkpoint is None:
        if not has_bundled_vocabulary(subject.name):
            message = f"cannot count tokens: the tokenizer of {subject.name} is not downloaded"
            hint = "add --revision main to download it"
            if refusal := why_offline(request.model.offline):
                message += f", and {refusal}"
                hint = "add --revision main and run once with the network to download it"
            if not (request.tokens or request.lengths):
                hint += ", or give a size instead of texts, such as --batch 1 --seq 128"
            raise WrongUsage(message, hint=hint)
        checkpoint = Checkpoint(subject.name, BUNDLED_FOLDER)
    tokenizer = open_tokenizer(checkpoint, subject.config, request.model)
    tokenizer.offers_windows = not request.tokens
    return tokenizer


def _tokenize(request: ShapesRequest, tokenizer: TextTokenizer) -> list[TokenizedText | FailedText]:
    tokenized = (
        text for window in TextReader(request.texts.source()).windows() for text in tokenizer.tokenize_window(window)
    )
    return [part for text in tokenized for part in _parts(tokenizer, text)]


def _parts(tokenizer: TextTokenizer, text: Tokenized) -> Iterable[TokenizedText | FailedText]:
    """Return a text, or its windows if it is longer than the limit: each is a row of the batch."""
    if not isinstance(text, LongText):
        return [text]
    document = read_document(tokenizer, text.record)
    if isinstance(document, FailedText):
        return [document]
    windows = OverlappingWindows(is_joined=False).divide(document)
    return (read_window(tokenizer, window) for window in windows)


def _size_of(texts: Sequence[TokenizedText | FailedText]) -> _Size:
    """Return the size of all texts as one batch, padded to the longest."""
    lengths = [len(text) for text in texts if isinstance(text, TokenizedText)]
    return _Size(len(lengths), max(lengths, default=0))


def _run(
    request: ShapesRequest,
    texts: Sequence[TokenizedText | FailedText],
    size: _Size,
    sink: Sink,
    heads: Sequence[TaskHead],
    *,
    with_embedding: bool,
) -> tuple[RunInfo, Mapping[str, Sequence[ComputedTensor]]]:
    """Run the model. Return its engine and the shapes of its outputs."""
    from bertcli.analysis.outputs import compute_output_shapes
    from bertcli.model.batching import dummy_batch, pad
    from bertcli.model.engine_choice import BYTES_PER_TOKEN
    from bertcli.model.session import open_session

    text_bytes = BYTES_PER_TOKEN * size.batch_size * size.sequence_length
    model = replace(request.model, with_heads=bool(heads))
    session = open_session(model, lambda: text_bytes, sink.reporter.announce)
    tokenized = [text for text in texts if isinstance(text, TokenizedText)]
    batch = pad(tokenized, session.tokenizer.pad_token_id) if tokenized else dummy_batch(*size)
    computed = compute_output_shapes(session, batch, heads=heads, with_embedding=with_embedding)
    return session.info("shapes"), computed


def _with_computed(classes: Sequence[ModelClass], computed: Mapping[str, Sequence[ComputedTensor]]) -> list[ModelClass]:
    """Return the predicted outputs with the shapes that the model returned."""
    found: list[ModelClass] = []
    for model_class in classes:
        outputs: list[Output] = []
        for output in model_class.outputs:
            tensors = _tensors_of(computed, model_class, output)
            outputs.append(replace(output, ran=[tensor.shape for tensor in tensors]) if tensors else output)
        found.append(replace(model_class, outputs=outputs))
    return found


def _tensors_of(
    computed: Mapping[str, Sequence[ComputedTensor]], model_class: ModelClass, output: Output
) -> Sequence[ComputedTensor]:
    """Return the tensors of an output of a class. Classes share those that do not name their class."""
    own = computed.get(f"{model_class.name}.{output.name}")
    return computed.get(output.name, ()) if own is None else own


def _check_computed(classes: Sequence[ModelClass], computed: Mapping[str, Sequence[ComputedTensor]]) -> None:
    """Check that the model returned the predicted shapes. Raises ShapesDiffer."""
    for model_class in classes:
        for output in model_class.outputs:
            tensors = _tensors_of(computed, model_class, output)
            found = {(tensor.shape, tensor.dtype) for tensor in tensors}
            predicted = {(tuple(output.shape), output.dtype)}
            if found and (found != predicted or len(tensors) != output.count):
                raise ShapesDiffer(
                    f"{model_class.name} returned {len(tensors)} x {output.name} of {found} "
                    f"instead of {output.count} x {tuple(output.shape)} {output.dtype}",
                    hint="config.json does not describe these weights; please report it if it should",
                )
