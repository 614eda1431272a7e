"""bertcli attn: statistics, matrices and maps of attention heads."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from bertcli.analysis.attention.heads import (
    AttnOptions,
    batch_tokens,
    compute_attention,
    compute_statistics,
    summaries_of,
    summarize_texts,
)
from bertcli.commands.attn.analysis import (
    THRESHOLDS,
    aggregate_plan,
    check_text,
    display_of,
    layers_of,
    prepare,
    schema_of,
)
from bertcli.commands.attn.request import AttnRequest
from bertcli.commands.dialogue import Dialogue, wants_dialogue
from bertcli.commands.opening import open_texts, streaming_plan
from bertcli.commands.precision import report_precision, with_precision
from bertcli.commands.request import lists_fields, open_sink
from bertcli.errors import ExitCode
from bertcli.input.reader import TextReader
from bertcli.input.records import FailedText
from bertcli.model.session import Session, open_session
from bertcli.output.display import AttentionDisplay
from bertcli.output.files.arrays import ArrayColumn, tensor_writers
from bertcli.output.records import BinaryWriters
from bertcli.output.schema import with_ids, with_window_columns
from bertcli.output.schemas.attn import expansion_schema, summary_schema
from bertcli.output.sink import Sink
from bertcli.pipeline.scheduler import Run
from bertcli.results.attention import AttnSummary, Expansion

if TYPE_CHECKING:
    from bertcli.commands.ray import RayTotals


def attn(request: AttnRequest) -> ExitCode:
    """Show the attention over every text, over all texts together, or from the weights alone."""
    if lists_fields(request):
        return ExitCode.DONE
    sink = open_sink(request, request.texts)
    if wants_dialogue(request, request.texts.source()) and not request.maps.expansion:
        return Dialogue("attn", request, attn).run()
    if request.writes_page:
        from bertcli.commands.attn.page import write_page

        return write_page(request, sink, THRESHOLDS)
    if request.maps.expansion:
        return _show_expansion(request, sink)
    if sink.destination.folder is not None:
        from bertcli.commands.attn.corpus import corpus_run
        from bertcli.commands.folder import run_corpus

        return run_corpus(corpus_run(request), sink)
    display = display_of(request)
    if request.heads.aggregate and request.ray.is_requested:
        return _aggregate_on_ray(request, display, sink)
    session, reader = open_texts(request.texts, request.model, sink)
    options = prepare(request, session, sink.destination.format)
    if request.heads.aggregate:
        return _aggregate(session, reader, options, display, sink)
    info = session.info("attn")
    schema = schema_of(request, options, display, info)
    schema = with_window_columns(schema) if request.model.reads_windows else schema
    schema = with_ids(schema, request.texts.id_field)
    plan = streaming_plan(reader, batch_tokens=batch_tokens(session), is_large=options.returns_matrices)
    check = partial(check_text, options, display)
    with Run(session, reader, plan, sink.reporter, sink.reporter.note) as run:
        answers = run.answers(partial(compute_attention, session, options=options), check=check)
        exit_code = sink.write(info, with_precision(schema, run), answers, _tensor_writers(session, options))
        report_precision(run, sink)
    return exit_code


def _aggregate(
    session: Session, reader: TextReader, options: AttnOptions, display: AttentionDisplay, sink: Sink
) -> ExitCode:
    info = session.info("attn")
    # A pause in a pipe ends a group, so that the progress and the errors do not wait for the rest of it.
    plan = replace(aggregate_plan(session, options), ends_at_silence=reader.total_bytes is None)
    with Run(session, reader, plan, sink.reporter, sink.reporter.note) as run:
        summaries = run.answers(partial(compute_statistics, session, options=options))
        schema = with_precision(summary_schema(info, display), run)
        exit_code = sink.write(info, schema, summarize_texts(summaries, options))
        report_precision(run, sink)
    return exit_code


def _aggregate_on_ray(request: AttnRequest, display: AttentionDisplay, sink: Sink) -> ExitCode:
    from bertcli.commands.attn.corpus import AttnTotalCommand, corpus_run
    from bertcli.commands.ray import totals_on_ray

    with totals_on_ray(corpus_run(request), AttnTotalCommand(request), sink) as totals:
        options = prepare(request, totals.session, sink.destination.format)
        schema = with_precision(summary_schema(totals.info, display), totals.collector)
        exit_code = sink.write(totals.info, schema, _merged_answers(totals, options))
        report_precision(totals.collector, sink)
    return exit_code


def _merged_answers(totals: "RayTotals", options: AttnOptions) -> Iterator[AttnSummary | FailedText]:
    """Yield failed texts as they come, and at the end the summary of all others, if there are any."""
    yield from totals.failed
    yield from summaries_of(totals.collector.total, options)


def _show_expansion(request: AttnRequest, sink: Sink) -> ExitCode:
    from bertcli.analysis.attention.maps import expansion_rates

    session = open_session(request.model, on_download=sink.reporter.announce)
    layers = layers_of(request, session)
    result = Expansion(layers, expansion_rates(session.engine, layers))
    info = session.info("attn")
    return sink.write(info, expansion_schema(info), [result])


def _tensor_writers(session: Session, options: AttnOptions) -> BinaryWriters:
    attentions = ArrayColumn(lambda record: record.attentions, failed=np.nan, batch_axis=1)
    constants = {"layers": np.array(list(options.layers)), "heads": np.array(list(options.heads))}
    return tensor_writers(session, {"attentions": attentions}, constants)
