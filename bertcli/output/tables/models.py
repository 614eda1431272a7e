"""The models that are here."""

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from bertcli.output.tables import cells
from bertcli.output.tables.blocks import Blocks
from bertcli.results.models import KnownModel, ModelsResult
from bertcli.results.texts import RunInfo

_HAS, _LACKS, _UNKNOWN = "✓", "-", "?"
_NOBODY = RunInfo("models", None, None, None, None, None)
_NARROWEST = 20


def models_table(result: ModelsResult) -> RenderableType:
    """A row for each model, what to give as -m at its beginning."""
    drawn = cells.table()
    cells.add_words(drawn, "model")
    cells.add_numbers(drawn, "L", "H", "A", "parameters", "size")
    for header in ("pooler", "MLM\nhead"):
        drawn.add_column(Text(header), justify="center", no_wrap=True)
    for model in result.models:
        drawn.add_row(*_row(model))
    notes = cells.caption(_NOBODY, *_legend(result))
    return Group(Blocks(drawn, keys=1, narrowest=_NARROWEST), Text(), notes)


def _row(model: KnownModel) -> Iterator[Text]:
    yield _name(model)
    for number in (model.num_hidden_layers, model.hidden_size, model.num_attention_heads):
        yield Text(str(number))
    yield Text(_UNKNOWN if model.parameters is None else f"{model.parameters:,}")
    yield cells.size(model.nbytes)
    yield _has(model.has_pooler)
    yield _has(model.has_mlm_head)


def _name(model: KnownModel) -> Text:
    """What -m takes; beneath it the family, and what --revision takes where -m alone would not lead here."""
    revisions = [] if model.revision is None else [*model.refs, cells.short(model.revision)]
    about = " · ".join([model.family, *revisions])
    return cells.cell(model.model, cells.STRONG).append("\n").append_text(cells.cell(about, cells.QUIET))


def _has(part: bool | None) -> Text:
    if part is None:
        return Text(_UNKNOWN, cells.QUIET)
    return Text(_HAS) if part else Text(_LACKS, cells.QUIET)


def _legend(result: ModelsResult) -> Sequence[str]:
    legend = ["L layers, H hidden size, A attention heads; parameters and size as stored"]
    if any(model.parameters is None for model in result.models):
        legend.append(f"{_UNKNOWN} in a pickle, which is not opened for this")
    if any(model.revision is not None for model in result.models):
        legend.append(f"the hub's cache: {result.cache}")
    return legend
