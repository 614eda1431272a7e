"""bertcli fill-mask: predict the masked tokens of each text."""

from bertcli.commands.dialogue import Dialogue, wants_dialogue
from bertcli.commands.fill_mask.analyses import set_up
from bertcli.commands.fill_mask.analysis import passes_of
from bertcli.commands.fill_mask.request import FillMaskRequest
from bertcli.commands.opening import open_texts, streaming_plan
from bertcli.commands.precision import report_precision, with_precision
from bertcli.commands.request import lists_fields, open_sink
from bertcli.errors import ExitCode
from bertcli.model.requirements import require_mlm
from bertcli.output.schema import with_ids
from bertcli.pipeline.documents import ANSWER_WINDOWS
from bertcli.pipeline.scheduler import Run


def fill_mask(request: FillMaskRequest) -> ExitCode:
    """Run the requested analysis over every text."""
    if lists_fields(request):
        return ExitCode.DONE
    sink = open_sink(request, request.texts)
    if wants_dialogue(request, request.source()):
        return Dialogue("[MASK]", request, fill_mask).run()
    if sink.destination.folder is not None:
        from bertcli.commands.fill_mask.corpus import corpus_run
        from bertcli.commands.folder import run_corpus

        return run_corpus(corpus_run(request), sink)
    session, reader = open_texts(request.source(), request.session, sink, passes_of(request))
    require_mlm(session)
    session.tokenizer.offers_windows = not request.needs_whole_texts
    analysis = set_up(request, session, sink.reporter.announce)
    info = session.info("fill-mask")
    for note in () if sink.destination.wants_table else analysis.notes:
        sink.reporter.note(note)
    schema = analysis.schema(info)
    if not request.pairs.aggregate:  # a summary has no id
        schema = with_ids(schema, request.texts.id_field)
    plan = streaming_plan(reader, batch_tokens=analysis.batch_tokens, is_large=analysis.is_large, parts=analysis.parts)
    with Run(session, reader, plan, sink.reporter, sink.reporter.note, predicts_tokens=True) as run:
        documents = analysis.documents or ANSWER_WINDOWS
        windows = None if analysis.divide is None else analysis.divide(reader.windows())
        computed = run.answers(analysis.compute, windows=windows, check=analysis.check, documents=documents)
        answers = computed if analysis.join is None else analysis.join(computed)
        exit_code = sink.write(info, with_precision(schema, run), answers, analysis.binary_writers)
        report_precision(run, sink)
    for note in analysis.closing_notes():
        sink.reporter.note(note)
    return exit_code
