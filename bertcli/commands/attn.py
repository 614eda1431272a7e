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
)
from bertcli.core.session import Session
from bertcli.errors import ExitCode
from bertcli.options import ModelOptions, OutputOptions, TextOptions
from bertcli.render.view import View
from bertcli.render.views.attn import attended_view, attn_view, matrix_view
from bertcli.results import AttnRecord, RunInfo
from bertcli.writers.arrays import Column

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
    top_k: int


def attn(request: AttnRequest) -> ExitCode:
    """Tell of the attention over every text."""
    sink = Sink(request.output, request.texts.on_error, TENSOR_SUFFIXES)
    session, reader = open_for_texts(request.texts, request.model)
    options = _options(request, session, sink)
    answers = session.answers(
        reader.windows(),
        partial(attend, session, options=options),
        lambda text: None if options.attended_from is None else check_attended_from(text, options.attended_from),
    )
    info = session.info("attn")
    attentions = Column(lambda record: record.attentions, missing=np.nan, batch_axis=1)
    return sink.write(info, _view(options, info), answers, tensor_writers(session, {"attentions": attentions}))


def _options(request: AttnRequest, session: Session, sink: Sink) -> AttnOptions:
    layers = chosen("layer", request.layer, session.config.num_hidden_layers)
    heads = chosen("head", request.head, session.config.num_attention_heads)
    return AttnOptions(
        layers=layers,
        heads=heads,
        matrix=None if request.layer is None or request.head is None else (request.layer, request.head),
        attended_from=request.attended_from,
        top_k=request.top_k,
        tensors=sink.format in TENSOR_SUFFIXES,
    )


def _view(options: AttnOptions, info: RunInfo) -> View[AttnRecord]:
    if options.attended_from is not None:
        return attended_view(info)
    return matrix_view(info, *options.matrix) if options.matrix else attn_view(info, _THRESHOLDS)
