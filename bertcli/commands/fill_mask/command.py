"""bertcli fill-mask: predict the masked tokens of each text."""

from functools import partial

from bertcli.commands.dialogue import Dialogue, wants_dialogue
from bertcli.commands.fill_mask.analyses import set_up
from bertcli.commands.fill_mask.request import FillMaskRequest
from bertcli.commands.opening import open_texts, streaming_plan
from bertcli.commands.request import lists_fields, open_sink
from bertcli.errors import ExitCode
from bertcli.model.engine_choice import BYTES_PER_TOKEN
from bertcli.model.requirements import require_mlm
from bertcli.output.schema import with_ids
from bertcli.pipeline.documents import ANSWER_WINDOWS
from bertcli.pipeline.scheduler import Run

# Rough number of steps of --joint, each of which runs the whole beam.
_BEAM_STEPS = 20
# Rough number of runs of --pieces 1-3: two beams of words of three pieces, one of words of two, and a few more.
_WORD_RUNS = 80
# Half of the number of heads of bert-base: each run without a head starts at its layer.
_HEAD_RUNS = 72


def fill_mask(request: FillMaskRequest) -> ExitCode:
    """Run the requested analysis over every text."""
    if lists_fields(request):
        return ExitCode.DONE
    sink = open_sink(request, request.texts)
    if wants_dialogue(request):
        return Dialogue("[MASK]", request, fill_mask).run()
    # With --only-words, few tokens are masked.
    passes = partial(estimate_passes, "" if request.pairs.only_words is not None else request.analysis)
    session, reader = open_texts(request.source(), request.session, sink, passes)
    require_mlm(session)
    session.tokenizer.offers_windows = not request.needs_whole_texts
    analysis = set_up(request, session, sink.reporter.announce)
    info = session.info("fill-mask")
    for note in () if sink.destination.wants_table else analysis.notes:
        sink.reporter.note(note)
    schema = analysis.schema(info)
    if not request.pairs.aggregate:  # a summary has no id
        schema = with_ids(schema, request.texts.id_field)
    plan = streaming_plan(reader, batch_tokens=analysis.batch_tokens, is_large=analysis.is_large)
    with Run(session, reader, plan, sink.reporter, sink.reporter.note) as run:
        documents = analysis.documents or ANSWER_WINDOWS
        windows = None if analysis.divide is None else analysis.divide(reader.windows())
        computed = run.answers(analysis.compute, windows=windows, check=analysis.check, documents=documents)
        answers = computed if analysis.join is None else analysis.join(computed)
        exit_code = sink.write(info, schema, answers, analysis.binary_writers)
    for note in analysis.closing_notes():
        sink.reporter.note(note)
    return exit_code


def estimate_passes(analysis: str, size: int) -> float:
    """Estimate how often a text goes through the model.

    Args:
        analysis: The option that names the analysis, empty for the default one.
        size: Bytes of the text.
    """
    tokens = max(size / BYTES_PER_TOKEN, 1)
    passes = {
        "--score": tokens,
        "--mutual": tokens * (tokens + 1) / 2,
        "--joint": _BEAM_STEPS,
        "--pieces": _WORD_RUNS,
        "--head-effects": _HEAD_RUNS,
        "--attribute": tokens,
    }
    return passes.get(analysis, 1)
