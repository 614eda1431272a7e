"""Tables of models and shapes: the models on this machine, the outputs of a model, and the tensors of a checkpoint."""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.measure import Measurement
from rich.text import Text

from bertcli.lazy_dataclass import dataclass
from bertcli.output.display import recipe_steps, short_revision
from bertcli.output.formatting import counted, shape, visible
from bertcli.output.tables import cells
from bertcli.output.tables.blocks import Blocks
from bertcli.results.models import KnownModel, ModelClass, ModelsResult, Output, ShapesResult
from bertcli.results.texts import RunInfo

_PRESENT, _ABSENT, _UNKNOWN = "✓", "-", "?"
_RETURNED, _NOT_RETURNED, _LACKS_WEIGHTS = "✓", "-", "✗"
_NO_RUN = RunInfo("models", None, None, None, None, None)
_POOLER_OUTPUT = "pooler_output"
_PART_NAMES = {"pooler": "pooler", "mlm_head": "MLM head", "next_sentence_head": "next-sentence head"}
# Width of num_attention_heads and its comma, the longest line of a symbolic shape.
_NARROWEST = 20
# Spaces before the second and later lines of a folded name.
_INDENT = 2


def models_table(result: ModelsResult) -> RenderableType:
    """Draw a row for each model, which begins with the name to give as -m."""
    drawn = cells.table()
    cells.add_words(drawn, "model")
    cells.add_numbers(drawn, "L", "H", "A", "parameters", "size")
    for header in ("pooler", "MLM\nhead"):
        drawn.add_column(Text(header), justify="center", no_wrap=True)
    cells.add_words(drawn, "recipe")
    for model in result.models:
        drawn.add_row(*_model_row(model))
    caption = cells.caption(_NO_RUN, *_models_legend(result))
    return Group(Blocks(drawn, keys=1, narrowest=_NARROWEST), Text(), caption)


def shapes_table(result: ShapesResult, info: RunInfo) -> RenderableType:
    """Draw a row for each output: its symbolic and concrete shape, and the classes that return it."""
    outputs = _outputs_by_class(result.classes)
    drawn = cells.table()
    drawn.show_lines = True
    cells.add_words(drawn, "output", "shape")
    cells.add_numbers(drawn, "bytes")
    for model_class in result.classes:
        drawn.add_column(Text(_folded_name(model_class.name)), justify="center", no_wrap=True)
    for by_class in outputs:
        drawn.add_row(*_output_row(by_class, [model_class.name for model_class in result.classes]))
    blocks = Blocks(drawn, keys=1, narrowest=_NARROWEST)
    heading = Text(f"batch_size {result.batch_size}, sequence_length {result.sequence_length}", cells.STRONG)
    parts = [_checkpoint_parts(result.holds)] if result.holds else []
    caption = cells.caption(info, *_shapes_legend(result.classes, outputs))
    return cells.figure(heading, _parameters(result.classes), *parts, blocks, caption)


def weights_table(result: ShapesResult, info: RunInfo) -> RenderableType:
    """Draw a row for each tensor of the checkpoint, and their total."""
    tensors = result.tensors or ()
    drawn = cells.table()
    cells.add_words(drawn, "tensor", "shape", "dtype")
    cells.add_numbers(drawn, "parameters", "bytes")
    for tensor in tensors:
        numbers = Text(f"{tensor.parameters:,}"), cells.size(tensor.nbytes)
        drawn.add_row(_DottedName(tensor.name), Text(shape(tensor.shape)), Text(tensor.dtype), *numbers)
    drawn.add_section()
    parameters = f"{sum(tensor.parameters for tensor in tensors):,}"
    nbytes = cells.size(sum(tensor.nbytes for tensor in tensors))
    drawn.add_row(Text(counted(len(tensors), "tensor")), Text(), Text(), Text(parameters), nbytes, style=cells.STRONG)
    return Group(Blocks(drawn, keys=1, narrowest=_NARROWEST), Text(), cells.caption(info))


@dataclass(frozen=True, slots=True)
class _DottedName:
    """Name of a tensor, folded after its dots where possible; the lines after the first are indented."""

    name: str

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the name with as many of its parts on each line as fit."""
        first, *others = self._parts()
        lines = [first]
        for part in others:
            if cell_len(lines[-1] + part) > options.max_width:
                lines.append(" " * _INDENT)
            lines[-1] += part
        yield Text("\n".join(lines), overflow="fold")

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        """Return the width of the longest part and of the whole name."""
        first, *others = map(cell_len, self._parts())
        longest = max([first, *(_INDENT + other for other in others)])
        return Measurement(longest, first + sum(others)).with_maximum(options.max_width)

    def _parts(self) -> Sequence[str]:
        return re.split(r"(?<=\.)", visible(self.name))


def _model_row(model: KnownModel) -> Iterator[Text]:
    yield _model_name(model)
    for number in (model.num_hidden_layers, model.hidden_size, model.num_attention_heads):
        yield Text(str(number))
    yield Text(_UNKNOWN if model.parameters is None else f"{model.parameters:,}")
    yield cells.size(model.nbytes)
    yield _part_mark(model.has_pooler)
    yield _part_mark(model.has_mlm_head)
    if model.recipe is not None:
        yield cells.cell(recipe_steps(model.recipe))
    else:
        yield Text(_ABSENT if model.recipe_error is None else "not supported", cells.QUIET)


def _model_name(model: KnownModel) -> Text:
    """Return the name to give as -m; under it the family, and the branches, tags and commit for --revision."""
    revisions = [] if model.revision is None else [*model.refs, short_revision(model.revision)]
    about = " · ".join([model.family, *revisions])
    return cells.cell(model.model, cells.STRONG).append("\n").append_text(cells.cell(about, cells.QUIET))


def _part_mark(is_present: bool | None) -> Text:
    if is_present is None:
        return Text(_UNKNOWN, cells.QUIET)
    return Text(_PRESENT) if is_present else Text(_ABSENT, cells.QUIET)


def _models_legend(result: ModelsResult) -> Sequence[str]:
    """Return the lines that explain the columns."""
    legend = ["L: layers, H: hidden size, A: attention heads; parameters and size as stored"]
    if any(model.recipe is not None for model in result.models):
        legend.append("recipe: how encode makes embeddings, from modules.json")
    if any(model.parameters is None for model in result.models):
        legend.append(f"{_UNKNOWN}: unknown; the weights are a pickle, which this command does not open")
    if any(model.revision is not None for model in result.models):
        legend.append(f"hub cache: {result.cache}")
    return legend


def _outputs_by_class(classes: Sequence[ModelClass]) -> list[dict[str, Output]]:
    """Return each output by the names of the classes that return it.

    Outputs of one name that differ in more than their weights stay apart.
    """
    found: dict[object, dict[str, Output]] = {}
    for model_class in classes:
        for output in model_class.outputs:
            identity = (output.name, *output.symbolic, *output.shape, output.count, output.dtype, output.default)
            found.setdefault(identity, {})[model_class.name] = output
    # Outputs that are returned by default come first.
    return sorted(found.values(), key=lambda by_class: not _any(by_class).default)


def _output_row(by_class: dict[str, Output], classes: Sequence[str]) -> Iterator[Text]:
    output = _any(by_class)
    yield _output_name(output, lacks_weights=any(map(_lacks_weights, by_class.values())))
    yield Text("\n").join([_shape(output), *_shapes_as_run(by_class)])
    yield cells.size(output.nbytes)
    yield from (_output_mark(by_class.get(name)) for name in classes)


def _output_name(output: Output, *, lacks_weights: bool) -> Text:
    shown = cells.cell("").append(output.name, cells.STRONG)
    shown.append("\nby default" if output.default else "\non request", cells.QUIET)
    return shown.append("\nnot in checkpoint", cells.ALARM) if lacks_weights else shown


def _shape(output: Output) -> Text:
    shown = cells.cell("").append(f"{shape(output.symbolic)}\n", cells.QUIET)
    return shown.append(_counted(output.count, output.shape)).append(f" {output.dtype}", cells.QUIET)


def _shapes_as_run(by_class: dict[str, Output]) -> Iterator[Text]:
    """Yield the shapes that the model returned, coloured where they are not the expected ones."""
    expected = _counted(_any(by_class).count, _any(by_class).shape)
    runs = (tuple(map(tuple, output.ran)) for output in by_class.values() if output.ran is not None)
    for shapes in dict.fromkeys(runs):
        for sizes, equal in groupby(shapes):
            counted = _counted(len(list(equal)), sizes)
            style = "" if counted == expected else f"{cells.STRONG} {cells.ALARM}"
            yield Text.assemble((counted, style), (" as run", cells.QUIET))


def _counted(count: int, sizes: Sequence[object]) -> str:
    return f"{count} x {shape(sizes)}" if count > 1 else shape(sizes)


def _output_mark(output: Output | None) -> Text:
    if output is None:
        return Text(_NOT_RETURNED, cells.QUIET)
    return Text(_LACKS_WEIGHTS, cells.ALARM) if _lacks_weights(output) else Text(_RETURNED)


def _lacks_weights(output: Output) -> bool:
    return output.in_checkpoint is False


def _any(by_class: dict[str, Output]) -> Output:
    """Return the output of one of the classes. Only in_checkpoint and ran may differ between the classes."""
    return next(iter(by_class.values()))


def _checkpoint_parts(holds: Mapping[str, bool]) -> Text:
    """Return a line that shows which heads the checkpoint contains."""
    shown = Text("the checkpoint contains", cells.QUIET)
    for name, is_present in holds.items():
        mark = (_RETURNED, "") if is_present else (_LACKS_WEIGHTS, cells.ALARM)
        shown.append_text(Text.assemble(f"  {_PART_NAMES[name]} ", mark))
    return shown


def _parameters(classes: Sequence[ModelClass]) -> RenderableType:
    """Return the number of parameters of each class, or the names of the classes alone."""
    if all(model_class.parameters is None for model_class in classes):
        return Text(", ".join(model_class.name for model_class in classes))
    drawn = cells.table()
    drawn.show_header = False
    cells.add_words(drawn, "class")
    cells.add_numbers(drawn, "parameters")
    for model_class in classes:
        if model_class.parameters is not None:
            drawn.add_row(cells.cell(model_class.name), Text(f"{model_class.parameters:,} parameters"))
    return drawn


def _folded_name(name: str) -> str:
    """Return a class's name in two lines: Bert, Model; BertFor, MaskedLM; or Sentence, Transformer."""
    return re.sub(r"(?<=For)(?=[A-Z])|(?<=[a-z])(?=(Model|Transformer|Encoder)$)", "\n", name, count=1)


def _shapes_legend(classes: Sequence[ModelClass], outputs: Sequence[dict[str, Output]]) -> Iterator[str]:
    """Yield the lines that explain the marks."""
    every = [output for by_class in outputs for output in by_class.values()]
    if requested := dict.fromkeys(f"output_{output.name}=True" for output in every if not output.default):
        yield f"on request: {', '.join(requested)}"
    yield f"{_RETURNED} returned by this class, {_NOT_RETURNED} not returned"
    if not any(output.name == _POOLER_OUTPUT for output in every):
        yield f"{classes[0].name} has no {_POOLER_OUTPUT}"
    if any(map(_lacks_weights, every)):
        yield f"{_LACKS_WEIGHTS} returned by this class, but the checkpoint lacks its weights"
    if any(output.in_checkpoint is None for output in every):
        yield "there are no weights to check: the checkpoint may lack some of these outputs"
