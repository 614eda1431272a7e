"""bertcli attn: what the attention heads do."""

from dataclasses import dataclass
from functools import partial

import numpy as np

from bertcli.commands.array_files import TENSOR_SUFFIXES, tensor_writers
from bertcli.commands.opening import open_for_texts
from bertcli.commands.sink import Sink
from bertcli.core.attention import (
    BROAD_ENTROPY,
    DELIMITER_SHARE,
    POSITION_SHARE,
    AttnOptions,
    attend,
    check_attended_from,
    chosen,
    spellings,
)
from bertcli.core.session import Session
from bertcli.errors import ExitCode, WrongUsage
from bertcli.options import ModelOptions, OutputOptions, TextOptions
from bertcli.render.view import View
from bertcli.render.views.attn import attended_view, attn_view, matrix_view
from bertcli.results import AttnRecord, RunInfo
from bertcli.writers.arrays import Column

_TOP_K = 5
_THRESHOLDS = (
    f"label: prev, next, self > {POSITION_SHARE}; delimiter: cls + sep > {DELIMITER_SHARE}; "
    f"broad: entropy > {BROAD_ENTROPY}"
)


@dataclass(frozen=True, slots=True)
class AttnRequest:
    """layer, head: the ones to tell of, both for that head's matrix. attended_from: the token whose keys are wanted."""

    texts: TextOptions
    model: ModelOptions
    output: OutputOptions
    layer: int | None
    head: int | None
    attended_from: str | None
    top_k: int | None


def attn(request: AttnRequest) -> ExitCode:
    """Tell of the attention over every text."""
    sink = Sink(request.output, request.texts.on_error, TENSOR_SUFFIXES)
    session, reader = open_for_texts(request.texts, request.model)
    options = _options(request, session, sink)
    answers = session.answers(
        reader.windows(),
        partial(attend, session, options=options),
        partial(check_attended_from, asked=options.attended_from),
    )
    info = session.info("attn")
    attentions = Column(lambda record: record.attentions, missing=np.nan, batch_axis=1)
    shown = {"layers": np.array(options.layers), "heads": np.array(options.heads)}
    writers = tensor_writers(session, {"attentions": attentions}, shown)
    return sink.write(info, _view(options, info), answers, writers)


def _options(request: AttnRequest, session: Session, sink: Sink) -> AttnOptions:
    if request.top_k is not None and request.attended_from is None:
        raise WrongUsage("--top-k says how many tokens --from shows", hint="add --from TOKEN, or leave --top-k out")
    layers = chosen("layer", request.layer, session.config.num_hidden_layers)
    heads = chosen("head", request.head, session.config.num_attention_heads)
    return AttnOptions(
        layers=layers,
        heads=heads,
        matrix=request.layer is not None and request.head is not None,
        attended_from=() if request.attended_from is None else spellings(session.tokenizer, request.attended_from),
        top_k=request.top_k or _TOP_K,
        tensors=sink.format in TENSOR_SUFFIXES,
    )


def _view(options: AttnOptions, info: RunInfo) -> View[AttnRecord]:
    if options.attended_from:
        return attended_view(info)
    if options.matrix:
        return matrix_view(info, options.layers[0], options.heads[0])
    return attn_view(info, _THRESHOLDS)
