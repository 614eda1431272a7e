"""bertcli attn --expansion: a number for each layer, by its weights alone."""

from bertcli.analysis.attention.expansion import expansion_rates
from bertcli.analysis.attention.selection import select_layers
from bertcli.cli.options import AttentionMapOptions, HeadOptions, ModelOptions, OutputOptions, TextOptions
from bertcli.commands.opening import session_request
from bertcli.errors import ExitCode, WrongUsage
from bertcli.model.session import open_session
from bertcli.output.schemas.attn import expansion_schema
from bertcli.output.sink import Sink
from bertcli.results.attention import Expansion


def tell_expansion(
    texts: TextOptions, model: ModelOptions, output: OutputOptions, heads: HeadOptions, maps: AttentionMapOptions
) -> ExitCode:
    """Tell the expansion rate of each layer. Raises WrongUsage for anything that would need a text."""
    if texts != TextOptions() or heads != HeadOptions(layer=heads.layer) or maps != AttentionMapOptions(expansion=True):
        raise WrongUsage(
            "--expansion is a matter of the weights alone, and goes with no text and with no option but --layer",
            hint="leave out texts and other options",
        )
    sink = Sink(output)
    session = open_session(session_request(model), on_download=sink.announce)
    layers = select_layers(None if heads.layer is None else str(heads.layer), session.config.num_hidden_layers)
    result = Expansion(layers, expansion_rates(session.engine, layers))
    info = session.info("attn")
    return sink.write(info, expansion_schema(info), [result])
