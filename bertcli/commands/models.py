"""bertcli models: what is here to be given as -m."""

from collections.abc import Sequence

from bertcli.checkpoints.find import installed
from bertcli.checkpoints.hub_cache import cache_folder
from bertcli.checkpoints.listing import known_model
from bertcli.cli.options import OutputOptions
from bertcli.errors import BertcliError, ExitCode
from bertcli.output.schemas.models import models_schema
from bertcli.output.sink import Sink
from bertcli.results.models import ModelsResult, SkippedModel
from bertcli.results.texts import RunInfo

_NAMED = 3


def models(output: OutputOptions) -> ExitCode:
    """List the bundled model and those in the hub's cache."""
    sink = Sink(output)
    result = _look()
    exit_code = sink.write(RunInfo("models", None, None, None, None, None), models_schema(), [result])
    if result.left_out:
        sink.note(_about(result.left_out))
    return exit_code


def _look() -> ModelsResult:
    known, left_out = [], []
    for here in installed():
        try:
            known.append(known_model(here))
        except (BertcliError, OSError) as error:
            reason = error.message if isinstance(error, BertcliError) else str(error.strerror)
            left_out.append(SkippedModel(here.checkpoint.name, here.checkpoint.revision, reason))
    return ModelsResult(str(cache_folder()), known, left_out)


def _about(left_out: Sequence[SkippedModel]) -> str:
    """Which models in the cache are not in the list."""
    names = list(dict.fromkeys(each.model for each in left_out))
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"not listed, as bertcli cannot open them: {', '.join(names[:_NAMED])}{more} (--json says why)"
