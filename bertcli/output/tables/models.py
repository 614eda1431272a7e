"""Table of models: the models that can be opened without a download."""

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from bertcli.output.display import short_revision
from bertcli.output.tables import cells
from bertcli.output.tables.blocks import Blocks
from bertcli.results.models import KnownModel, ModelsResult
from bertcli.results.texts import RunInfo

_PRESENT, _ABSENT, _UNKNOWN = "✓", "-", "?"
_NO_RUN = RunInfo("models", None, None, None, None, None)
_NARROWEST = 20


def models_table(result: ModelsResult) -> RenderableType:
    """Draw a row for each model. It begins with the name to give as -m."""
    drawn = cells.table()
    cells.add_words(drawn, "model")
    cells.add_numbers(drawn, "L", "H", "A", "parameters", "size")
    for header in ("pooler", "MLM\nhead"):
        drawn.add_column(Text(header), justify="center", no_wrap=True)
    for model in result.models:
        drawn.add_row(*_row(model))
    caption = cells.caption(_NO_RUN, *_legend(result))
    return Group(Blocks(drawn, keys=1, narrowest=_NARROWEST), Text(), caption)


def _row(model: KnownModel) -> Iterator[Text]:
    yield _name(model)
    for number in (model.num_hidden_layers, model.hidden_size, model.num_attention_heads):
        yield Text(str(number))
    yield Text(_UNKNOWN if model.parameters is None else f"{model.parameters:,}")
    yield cells.size(model.nbytes)
    yield _mark(model.has_pooler)
    yield _mark(model.has_mlm_head)


def _name(model: KnownModel) -> Text:
    """Return the name to give as -m; under it the family, and the branches, tags and commit for --revision."""
    revisions = [] if model.revision is None else [*model.refs, short_revision(model.revision)]
    about = " · ".join([model.family, *revisions])
    return cells.cell(model.model, cells.STRONG).append("\n").append_text(cells.cell(about, cells.QUIET))


def _mark(is_present: bool | None) -> Text:
    if is_present is None:
        return Text(_UNKNOWN, cells.QUIET)
    return Text(_PRESENT) if is_present else Text(_ABSENT, cells.QUIET)


def _legend(result: ModelsResult) -> Sequence[str]:
    """Return the lines that explain the columns."""
    legend = ["L: layers, H: hidden size, A: attention heads; parameters and size as stored"]
    if any(model.parameters is None for model in result.models):
        legend.append(f"{_UNKNOWN}: unknown; the weights are a pickle, which this command does not open")
    if any(model.revision is not None for model in result.models):
        legend.append(f"hub cache: {result.cache}")
    return legend
