"""The outputs of the model classes, and the tensors of a checkpoint."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.measure import Measurement
from rich.text import Text

from bertcli.output.formatting import shape, visible
from bertcli.output.tables import cells
from bertcli.output.tables.blocks import Blocks
from bertcli.results.models import ModelClass, Output, ShapesResult
from bertcli.results.texts import RunInfo

_HAS, _HAS_NOT, _LACKS_WEIGHTS = "✓", "-", "✗"
_POOLED = "pooler_output"
_PART_NAMES = {"pooler": "pooler", "mlm_head": "MLM head", "next_sentence_head": "next-sentence head"}
_INDENT = 2
# A line of the symbolic shape: num_attention_heads and its comma.
_NARROWEST = 20


def shapes_table(result: ShapesResult, info: RunInfo) -> RenderableType:
    """A row for each output, its symbolic shape above the concrete one, and which class has it."""
    outputs = _outputs_by_class(result.classes)
    drawn = cells.table()
    drawn.show_lines = True
    cells.add_words(drawn, "output", "shape")
    cells.add_numbers(drawn, "bytes")
    for model_class in result.classes:
        drawn.add_column(Text(_folded_name(model_class.name)), justify="center", no_wrap=True)
    for by_class in outputs:
        drawn.add_row(*_row(by_class, [model_class.name for model_class in result.classes]))
    blocks = Blocks(drawn, keys=1, narrowest=_NARROWEST)
    heading = Text(f"batch_size {result.batch_size}, sequence_length {result.sequence_length}", cells.STRONG)
    parts = [_parts(result.holds)] if result.holds else []
    caption = cells.caption(info, *_legend(result.classes, outputs))
    return cells.figure(heading, _parameters(result.classes), *parts, blocks, caption)


def weights_table(result: ShapesResult, info: RunInfo) -> RenderableType:
    """A row for each tensor of the checkpoint, and their total."""
    tensors = result.tensors or ()
    drawn = cells.table()
    cells.add_words(drawn, "tensor", "shape", "dtype")
    cells.add_numbers(drawn, "parameters", "bytes")
    for tensor in tensors:
        numbers = Text(f"{tensor.parameters:,}"), cells.size(tensor.nbytes)
        drawn.add_row(DottedName(tensor.name), Text(shape(tensor.shape)), Text(tensor.dtype), *numbers)
    drawn.add_section()
    total = f"{len(tensors):,} {'tensor' if len(tensors) == 1 else 'tensors'}"
    parameters = f"{sum(tensor.parameters for tensor in tensors):,}"
    nbytes = cells.size(sum(tensor.nbytes for tensor in tensors))
    drawn.add_row(Text(total), Text(), Text(), Text(parameters), nbytes, style=cells.STRONG)
    return Group(Blocks(drawn, keys=1, narrowest=_NARROWEST), Text(), cells.caption(info))


@dataclass(frozen=True, slots=True)
class DottedName:
    """A tensor's name, folded behind its dots before it is folded elsewhere, what follows indented."""

    name: str

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """As many parts a line as fit."""
        first, *others = self._parts()
        lines = [first]
        for part in others:
            if cell_len(lines[-1] + part) > options.max_width:
                lines.append(" " * _INDENT)
            lines[-1] += part
        yield Text("\n".join(lines), overflow="fold")

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        """From the longest part to all of them in one line."""
        first, *others = map(cell_len, self._parts())
        longest = max([first, *(_INDENT + other for other in others)])
        return Measurement(longest, first + sum(others)).with_maximum(options.max_width)

    def _parts(self) -> Sequence[str]:
        return re.split(r"(?<=\.)", visible(self.name))


def _outputs_by_class(classes: Sequence[ModelClass]) -> list[dict[str, Output]]:
    """Each output under the names of the classes that have it; those that differ in more than weights stay apart."""
    found: dict[object, dict[str, Output]] = {}
    for model_class in classes:
        for output in model_class.outputs:
            identity = (output.name, *output.symbolic, *output.shape, output.count, output.dtype, output.default)
            found.setdefault(identity, {})[model_class.name] = output
    # What is returned without being asked for comes first.
    return sorted(found.values(), key=lambda by_class: not _any(by_class).default)


def _row(by_class: dict[str, Output], classes: Sequence[str]) -> Iterator[Text]:
    output = _any(by_class)
    yield _name(output, lacks_weights=any(map(_lacks_weights, by_class.values())))
    yield Text("\n").join([_shape(output), *_shapes_as_run(by_class)])
    yield cells.size(output.nbytes)
    yield from (_has(by_class.get(name)) for name in classes)


def _name(output: Output, *, lacks_weights: bool) -> Text:
    shown = cells.cell("").append(output.name, cells.STRONG)
    shown.append("\nby default" if output.default else "\non request", cells.QUIET)
    return shown.append("\nnot in checkpoint", cells.ALARM) if lacks_weights else shown


def _shape(output: Output) -> Text:
    shown = cells.cell("").append(f"{shape(output.symbolic)}\n", cells.QUIET)
    return shown.append(_counted(output.count, output.shape)).append(f" {output.dtype}", cells.QUIET)


def _shapes_as_run(by_class: dict[str, Output]) -> Iterator[Text]:
    """What came out of the model, in a colour where it is not what was to be expected."""
    expected = _counted(_any(by_class).count, _any(by_class).shape)
    for came in dict.fromkeys(tuple(map(tuple, output.ran)) for output in by_class.values() if output.ran is not None):
        for sizes, equal in groupby(came):
            counted = _counted(len(list(equal)), sizes)
            style = "" if counted == expected else f"{cells.STRONG} {cells.ALARM}"
            yield Text.assemble((counted, style), (" as run", cells.QUIET))


def _counted(count: int, sizes: Sequence[object]) -> str:
    return f"{count} x {shape(sizes)}" if count > 1 else shape(sizes)


def _has(output: Output | None) -> Text:
    if output is None:
        return Text(_HAS_NOT, cells.QUIET)
    return Text(_LACKS_WEIGHTS, cells.ALARM) if _lacks_weights(output) else Text(_HAS)


def _lacks_weights(output: Output) -> bool:
    return output.in_checkpoint is False


def _any(by_class: dict[str, Output]) -> Output:
    return next(iter(by_class.values()))


def _parts(holds: Mapping[str, bool]) -> Text:
    """Which parts beside the body the checkpoint has."""
    shown = Text("the checkpoint holds", cells.QUIET)
    for name, is_there in holds.items():
        mark = (_HAS, "") if is_there else (_LACKS_WEIGHTS, cells.ALARM)
        shown.append_text(Text.assemble(f"  {_PART_NAMES[name]} ", mark))
    return shown


def _parameters(classes: Sequence[ModelClass]) -> RenderableType:
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
    """A class's name in two lines, each a word of its own: Bert, Model; BertFor, MaskedLM."""
    return re.sub(r"(?<=For)(?=[A-Z])|(?<=[a-z])(?=Model$)", "\n", name, count=1)


def _legend(classes: Sequence[ModelClass], outputs: Sequence[dict[str, Output]]) -> Iterator[str]:
    every = [output for by_class in outputs for output in by_class.values()]
    if requested := dict.fromkeys(f"output_{output.name}=True" for output in every if not output.default):
        yield f"on request: {', '.join(requested)}"
    yield f"{_HAS} an output of the class, {_HAS_NOT} none of its outputs"
    if not any(output.name == _POOLED for output in every):
        yield f"{classes[0].name} has no {_POOLED}"
    if any(map(_lacks_weights, every)):
        yield f"{_LACKS_WEIGHTS} an output whose weights this checkpoint does not have"
    if any(output.in_checkpoint is None for output in every):
        yield "no weights are here: what they would hold is not known"
