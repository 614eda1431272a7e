"""bertcli shapes: the name and shape of every output, and the tensors of a checkpoint."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from bertcli.checkpoints.config import ModelConfig, read_config
from bertcli.checkpoints.files import Files
from bertcli.checkpoints.find import BUNDLED_FOLDER, Checkpoint, find_checkpoint, find_here, find_tensors
from bertcli.checkpoints.published import has_bundled_vocabulary, published_config
from bertcli.checkpoints.shapes import known_parts, model_classes, stored_tensors
from bertcli.checkpoints.weight_files import Parts, find_weight_files, has_weight_files
from bertcli.cli.options import ModelOptions, OutputOptions, TextOptions
from bertcli.errors import ExitCode, ShapesDiffer, WrongUsage
from bertcli.input.reader import TextReader
from bertcli.input.records import FailedText
from bertcli.model.tokenizer import TokenizedText, open_tokenizer
from bertcli.output.schemas.shapes import shapes_schema, weights_schema
from bertcli.output.sink import Sink
from bertcli.results.models import ComputedTensor, ModelClass, Output, ShapesResult
from bertcli.results.texts import RunInfo


@dataclass(frozen=True, slots=True)
class ShapesRequest:
    """batch, seq: a size in place of texts. run: see what comes out. weights: list the checkpoint's tensors instead."""

    texts: TextOptions
    model: ModelOptions
    output: OutputOptions
    batch: int | None
    seq: int | None
    run: bool
    weights: bool


def shapes(request: ShapesRequest) -> ExitCode:
    """Tell the shapes of one batch, of all the texts together or of a given size."""
    sink = Sink(request.output, request.texts.on_error)
    if request.weights:
        _check_stands_alone(request)
        return _weights(request.model, sink)
    subject = _subject(request, sink)
    size, texts = _given_size(request, subject.config), []
    if size is None:
        texts = _tokenize(request, subject)
        size = _size_of(texts)
    info = RunInfo("shapes", subject.name, subject.revision, None, None, request.model.dtype)
    held = _what_it_holds(subject, request)
    classes = model_classes(subject.config, *size, request.model.dtype, held)
    came: Mapping[str, Sequence[ComputedTensor]] = {}
    if request.run and size.batch_size:
        info, came = _run(request, texts, size, sink)
    holds = None if held is None else known_parts(subject.config, held)
    results = [ShapesResult(*size, _beside(classes, came), holds=holds)] if size.batch_size else []
    unanswered = [text for text in texts if isinstance(text, FailedText)]
    exit_code = sink.write(info, shapes_schema(info), [*unanswered, *results])
    _check_came(classes, came)
    return exit_code


@dataclass(frozen=True, slots=True)
class _Subject:
    """What is asked about. checkpoint None: a published one that is not here, of which the config alone is known."""

    name: str
    config: ModelConfig
    checkpoint: Checkpoint | None

    @property
    def revision(self) -> str | None:
        return None if self.checkpoint is None else self.checkpoint.revision


def _subject(request: ShapesRequest, sink: Sink) -> _Subject:
    """The checkpoint, or what is known of it without it: for that nobody is asked, and nothing downloaded."""
    options = request.model
    needs = Files.CONFIG if request.batch or request.seq else Files.CONFIG | Files.TOKENIZER
    config = published_config(options.model) if options.model and not options.revision else None
    if request.run or config is None:
        checkpoint = _find(request, Files.ALL if request.run else needs, sink)
    elif (here := find_here(options.model, None, needs)) is not None:
        checkpoint = here
    else:
        return _Subject(str(options.model), config, None)
    return _Subject(checkpoint.name, read_config(checkpoint.folder), checkpoint)


def _find(request: ShapesRequest, needs: Files, sink: Sink) -> Checkpoint:
    options = request.model
    return find_checkpoint(
        options.model, revision=options.revision, offline=options.offline, needs=needs, on_download=sink.announce
    )


class _Size(NamedTuple):
    batch_size: int
    sequence_length: int


def _check_stands_alone(request: ShapesRequest) -> None:
    if request.run or request.batch or request.seq or request.texts.texts or request.texts.file:
        raise WrongUsage(
            "--weights lists the tensors of the checkpoint and needs nothing else",
            hint="leave out texts, --batch, --seq and --run",
        )


def _what_it_holds(subject: _Subject, request: ShapesRequest) -> Parts | None:
    """What the checkpoint holds beside the body, by its header; None where that is not to be known.

    A pickle has no header: only --run, which needs torch anyway, makes it worth opening.
    """
    if subject.checkpoint is None or not has_weight_files(subject.checkpoint.folder):
        return None
    weight_files = find_weight_files(subject.checkpoint.folder, subject.config.architecture)
    if weight_files.is_pickled and not request.run:
        return None
    weight_files.check_fits(subject.config)
    return weight_files.parts(subject.config)


def _weights(options: ModelOptions, sink: Sink) -> ExitCode:
    stored = find_tensors(options.model, revision=options.revision, offline=options.offline, on_download=sink.announce)
    info = RunInfo("shapes", stored.name, stored.revision, None, None, None)
    result = ShapesResult(0, 0, [], tensors=stored_tensors(stored.infos))
    return sink.write(info, weights_schema(info), [result])


def _given_size(request: ShapesRequest, config: ModelConfig) -> _Size | None:
    if request.batch is None and request.seq is None:
        return None
    if request.texts.texts or request.texts.file:
        raise WrongUsage("--batch and --seq stand in place of texts", hint="leave out the texts, or the two options")
    if request.seq is None:
        raise WrongUsage("--batch needs --seq, the number of tokens in each text", hint="add such as --seq 128")
    if request.seq > config.max_tokens:
        raise WrongUsage(
            f"--seq {request.seq:,} is beyond the model's {config.max_tokens:,} positions",
            hint=f"use --seq {config.max_tokens} or less",
        )
    return _Size(request.batch or 1, request.seq)


def _tokenize(request: ShapesRequest, subject: _Subject) -> list[TokenizedText | FailedText]:
    checkpoint = subject.checkpoint
    if checkpoint is None:
        if not has_bundled_vocabulary(subject.name):
            raise WrongUsage(
                f"how many tokens a text has is not known without the tokenizer of {subject.name}, which is not here",
                hint="give a size in place of texts, such as --batch 1 --seq 128",
            )
        checkpoint = Checkpoint(subject.name, BUNDLED_FOLDER)
    tokenizer = open_tokenizer(checkpoint, subject.config, request.model.max_length, request.model.truncate)
    windows = TextReader(request.texts.source()).windows()
    return [text for window in windows for text in tokenizer.tokenize_window(window)]


def _size_of(texts: Sequence[TokenizedText | FailedText]) -> _Size:
    """All the texts as one batch, padded to the longest."""
    lengths = [len(text) for text in texts if isinstance(text, TokenizedText)]
    return _Size(len(lengths), max(lengths, default=0))


def _run(
    request: ShapesRequest, texts: Sequence[TokenizedText | FailedText], size: _Size, sink: Sink
) -> tuple[RunInfo, Mapping[str, Sequence[ComputedTensor]]]:
    """Who ran the model, and what came out of it."""
    from bertcli.analysis.outputs import compute_output_shapes
    from bertcli.commands.opening import session_request
    from bertcli.model.batching import any_tokens, pad
    from bertcli.model.session import open_session

    text_bytes = 4 * size.batch_size * size.sequence_length
    session = open_session(session_request(request.model), lambda: text_bytes, sink.announce)
    tokenized = [text for text in texts if isinstance(text, TokenizedText)]
    batch = pad(tokenized, session.tokenizer.pad_token_id) if tokenized else any_tokens(*size)
    return session.info("shapes"), compute_output_shapes(session, batch)


def _beside(classes: Sequence[ModelClass], came: Mapping[str, Sequence[ComputedTensor]]) -> list[ModelClass]:
    """What was predicted, with the shapes that came."""

    def with_shapes(output: Output) -> Output:
        return replace(output, ran=[tensor.shape for tensor in came[output.name]]) if output.name in came else output

    return [
        replace(model_class, outputs=[with_shapes(output) for output in model_class.outputs]) for model_class in classes
    ]


def _check_came(classes: Sequence[ModelClass], came: Mapping[str, Sequence[ComputedTensor]]) -> None:
    """Raise ShapesDiffer where the model gave another number of tensors, or others, than was predicted."""
    for model_class in classes:
        for output in model_class.outputs:
            found = {(tensor.shape, tensor.dtype) for tensor in came.get(output.name, ())}
            if found and (found != {(tuple(output.shape), output.dtype)} or len(came[output.name]) != output.count):
                raise ShapesDiffer(
                    f"{model_class.name} gave {len(came[output.name])} x {output.name} of {found} "
                    f"where {output.count} x {tuple(output.shape)} {output.dtype} was predicted",
                    hint="config.json does not describe these weights; please report it if it should",
                )
