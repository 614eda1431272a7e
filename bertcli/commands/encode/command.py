"""bertcli encode: the vectors of texts."""

from contextlib import ExitStack

from bertcli.analysis.embeddings.encode import EncodeOptions
from bertcli.commands.dialogue import Dialogue, wants_dialogue
from bertcli.commands.encode.labels import notes_on_context
from bertcli.commands.encode.outputs import binary_writers, encode_info, encode_options, open_dedupe, sort_window
from bertcli.commands.encode.request import NPY_SUFFIX, EncodeRequest
from bertcli.commands.encode.similarity import check_dialogue, open_comparison
from bertcli.commands.encode.windows import window_plan
from bertcli.commands.encode.words import require_occurrence
from bertcli.commands.opening import open_texts
from bertcli.commands.precision import report_precision, with_precision
from bertcli.commands.request import lists_fields, open_sink
from bertcli.errors import ExitCode
from bertcli.input.reader import TextReader
from bertcli.output.destination import PARQUET_SUFFIX
from bertcli.output.schema import with_ids, with_windows
from bertcli.output.schemas.encode import encode_schema
from bertcli.output.schemas.labels import with_labels
from bertcli.output.schemas.words import with_words
from bertcli.output.sink import Sink
from bertcli.pipeline.scheduler import Plan, Run

# A run over this many texts ends with a summary.
_MIN_SUMMARY_TEXTS = 1000


def encode_texts(request: EncodeRequest) -> ExitCode:
    """Encode every text."""
    if lists_fields(request):
        return ExitCode.DONE
    sink = open_sink(request, request.texts)
    if wants_dialogue(request, request.texts.source()):
        check_dialogue(request)
        return Dialogue("encode", request, encode_texts).run()
    if sink.destination.folder is None:
        return _encode_to_sink(request, sink)
    from bertcli.commands.encode.corpus import corpus_run
    from bertcli.commands.folder import run_corpus

    return run_corpus(corpus_run(request), sink)


def _encode_to_sink(request: EncodeRequest, sink: Sink) -> ExitCode:
    destination = sink.destination
    session, reader = open_texts(request.texts, request.session, sink)
    options = encode_options(request, session, destination)
    session.tokenizer.offers_windows = not options.needs_whole_texts
    for note in notes_on_context(request, options.heads):
        sink.reporter.note(note)
    info, recipe = encode_info(session), session.recipe.shown
    comparison = open_comparison(request, session, reader, sink.reporter)
    terms = request.top_k if comparison is None else None
    schema = encode_schema(info, recipe, wants_tokens=request.tokens, top_k=terms)
    schema = with_labels(schema, [head.info for head in options.heads])
    if options.words is not None:
        schema = with_words(schema, info, recipe, options.words.pooling)
    has_records = comparison is None or destination.format == "json"
    if comparison is not None and has_records:
        schema = comparison.add_to(schema)
    schema = with_windows(schema) if request.per_window else schema
    schema = with_ids(schema, request.texts.id_field)
    if comparison is not None and not has_records:
        schema = comparison.schema(info)
    with ExitStack() as stack:
        # Closed after the threads of the run, which use it.
        dedupe = stack.enter_context(open_dedupe(request, session, options, destination.scratch_folder))
        plan = _plan(options, reader, sink)
        run = stack.enter_context(Run(session, reader, plan, sink.reporter, sink.reporter.note))
        compute, documents = window_plan(session, options, per_window=request.per_window)
        answers = run.answers(compute, dedupe=dedupe, documents=documents)
        if request.words.word is not None:
            answers = require_occurrence(answers, request.words.word)
        if comparison is not None:
            is_table = destination.wants_table
            answers = comparison.watch(answers) if has_records else comparison.compare(answers, is_table=is_table)
        exit_code = sink.write(info, with_precision(schema, run), answers, binary_writers(session, request, options))
        if destination.is_file and run.counts.done >= _MIN_SUMMARY_TEXTS:
            sink.reporter.summarize(run.summary())
        report_precision(run, sink)
    return exit_code


def _plan(options: EncodeOptions, reader: TextReader, sink: Sink) -> Plan:
    destination = sink.destination
    return Plan(
        sort_window=sort_window(options),
        # A pipe may be a dialogue, and an error in a line is reported when the line arrives.
        ends_at_silence=reader.total_bytes is None,
        ids_only=destination.format in (NPY_SUFFIX, PARQUET_SUFFIX) and not options.needs_words,
        # A file appears when it is complete, so its first rows are in no hurry.
        starts_small=not destination.is_file or destination.wants_table,
    )
