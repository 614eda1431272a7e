"""bertcli models: the models on this machine that -m can name."""

from collections.abc import Sequence

from bertcli.checkpoints.find import describe_model, installed_checkpoints
from bertcli.checkpoints.hub_cache import cache_folder
from bertcli.commands.request import lists_fields, open_sink
from bertcli.errors import BertcliError, ExitCode
from bertcli.lazy_dataclass import dataclass
from bertcli.output.catalogs.models import models_catalog
from bertcli.output.destination import Destination, OutputFormats, OutputOptions
from bertcli.output.fields import FieldCatalog
from bertcli.output.messages import describe_os_error
from bertcli.output.schemas.models import models_schema
from bertcli.results.models import ModelsResult, SkippedModel
from bertcli.results.texts import RunInfo

_MAX_NAMED = 3


@dataclass(frozen=True, slots=True)
class ModelsRequest:
    """The options of models."""

    output: OutputOptions

    @property
    def formats(self) -> OutputFormats:
        """Formats that models can write."""
        return OutputFormats("models", has_plain=True)

    @property
    def catalog(self) -> FieldCatalog:
        """Fields of the records."""
        return models_catalog()

    def check_options(self) -> None:
        """Accept all options."""

    def check_format(self, destination: Destination) -> None:
        """Accept every format."""


def models(request: ModelsRequest) -> ExitCode:
    """List the bundled model and the models in the hub's cache."""
    if lists_fields(request):
        return ExitCode.DONE
    sink = open_sink(request)
    result = _list_models()
    exit_code = sink.write(RunInfo("models", None, None, None, None, None), models_schema(), [result])
    if result.left_out:
        sink.reporter.note(_left_out_note(result.left_out))
    return exit_code


def _list_models() -> ModelsResult:
    known, left_out = [], []
    for here in installed_checkpoints():
        try:
            known.append(describe_model(here))
        except (BertcliError, OSError) as error:
            reason = error.message if isinstance(error, BertcliError) else describe_os_error(error)[0]
            left_out.append(SkippedModel(here.checkpoint.name, here.checkpoint.revision, reason))
    return ModelsResult(str(cache_folder()), known, left_out)


def _left_out_note(left_out: Sequence[SkippedModel]) -> str:
    names = list(dict.fromkeys(each.model for each in left_out))
    more = f" and {len(names) - _MAX_NAMED} more" if len(names) > _MAX_NAMED else ""
    return (
        f"not listed, since bertcli cannot open them: {', '.join(names[:_MAX_NAMED])}{more} (--json gives the reasons)"
    )
