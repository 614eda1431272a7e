"""bertcli shapes: the name and shape of every output, and the tensors of a checkpoint."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bertcli.checkpoints.config import BertConfig, read_config
from bertcli.checkpoints.find import Checkpoint, find_checkpoint
from bertcli.checkpoints.weight_files import find_weight_files, has_weight_files
from bertcli.commands.sink import Sink
from bertcli.core.tokens import TokenizedText, open_tokenizer
from bertcli.errors import ExitCode, ShapesDiffer, WrongUsage
from bertcli.options import ModelOptions, OutputOptions, TextOptions
from bertcli.render.views.shapes import shapes_view, weights_view
from bertcli.results import ModelClass, RunInfo, ShapesResult
from bertcli.shapes import model_classes, stored_tensors
from bertcli.texts import TextReader, Unanswered


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
    checkpoint = find_checkpoint(request.model.model)
    if request.weights:
        return _weights(checkpoint, sink)
    config = read_config(checkpoint.folder)
    tokenized = [] if _has_given_size(request) else _tokenize(request, checkpoint, config)
    texts = [text for text in tokenized if not isinstance(text, Unanswered)]
    batch_size, sequence_length = _given_size(request, config) if _has_given_size(request) else _size(texts)
    holds = find_weight_files(checkpoint.folder).holds if has_weight_files(checkpoint.folder) else None
    classes = model_classes(config, batch_size, sequence_length, request.model.dtype, holds)
    info = RunInfo("shapes", checkpoint.name, checkpoint.revision, None, None, request.model.dtype)
    if request.run and batch_size:
        info, classes = _run(request, texts, classes, batch_size, sequence_length)
    result = ShapesResult(batch_size, sequence_length, classes)
    unanswered = [text for text in tokenized if isinstance(text, Unanswered)]
    exit_code = sink.write(info, shapes_view(info), [*unanswered, result] if batch_size else unanswered)
    _check_ran(classes)
    return exit_code


def _weights(checkpoint: Checkpoint, sink: Sink) -> ExitCode:
    info = RunInfo("shapes", checkpoint.name, checkpoint.revision, None, None, None)
    result = ShapesResult(0, 0, [], stored_tensors(find_weight_files(checkpoint.folder)))
    return sink.write(info, weights_view(info), [result])


def _has_given_size(request: ShapesRequest) -> bool:
    return request.batch is not None or request.seq is not None


def _given_size(request: ShapesRequest, config: BertConfig) -> tuple[int, int]:
    if request.texts.texts or request.texts.file:
        raise WrongUsage("--batch and --seq stand in place of texts", hint="leave out the texts, or the two options")
    if request.seq is None:
        raise WrongUsage("--batch needs --seq, the number of tokens in each text", hint="add such as --seq 128")
    if request.seq > config.max_position_embeddings:
        raise WrongUsage(
            f"--seq {request.seq:,} is beyond the model's {config.max_position_embeddings:,} positions",
            hint=f"use --seq {config.max_position_embeddings} or less",
        )
    return request.batch or 1, request.seq


def _tokenize(
    request: ShapesRequest, checkpoint: Checkpoint, config: BertConfig
) -> Sequence[TokenizedText | Unanswered]:
    tokenizer = open_tokenizer(checkpoint, config, request.model.max_length, request.model.truncate)
    windows = TextReader(request.texts.source()).windows()
    return [text for window in windows for text in tokenizer.tokenize_window(window)]


def _size(texts: Sequence[TokenizedText]) -> tuple[int, int]:
    """All the texts as one batch, padded to the longest."""
    return len(texts), max(map(len, texts), default=0)


def _run(
    request: ShapesRequest,
    texts: Sequence[TokenizedText],
    predicted: Sequence[ModelClass],
    batch_size: int,
    sequence_length: int,
) -> tuple[RunInfo, list[ModelClass]]:
    """The classes with what came out of the model beside what was predicted, and who ran it."""
    from bertcli.commands.opening import session_request
    from bertcli.core.batches import pad
    from bertcli.core.outputs import any_tokens, run_shapes
    from bertcli.core.session import open_session

    session = open_session(session_request(request.model), text_bytes=4 * batch_size * sequence_length)
    batch = pad(texts, session.tokenizer.pad_token_id) if texts else any_tokens(batch_size, sequence_length)
    came = run_shapes(session, batch)
    classes = [
        replace(model_class, outputs=[replace(out, ran=came.get(out.name)) for out in model_class.outputs])
        for model_class in predicted
    ]
    return session.info("shapes"), classes


def _check_ran(classes: Sequence[ModelClass]) -> None:
    """Raise ShapesDiffer where the model gave another number of tensors, or other shapes, than was predicted."""
    for model_class in classes:
        for output in model_class.outputs:
            if output.ran is None:
                continue
            if len(output.ran) != output.count or any(tuple(shape) != tuple(output.shape) for shape in output.ran):
                raise ShapesDiffer(
                    f"{model_class.name} gave {len(output.ran)} x {output.name} of {set(output.ran)} "
                    f"where {output.count} x {tuple(output.shape)} was predicted",
                    hint="config.json does not describe these weights; please report it if it should",
                )
