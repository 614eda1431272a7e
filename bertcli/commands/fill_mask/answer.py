"""From the request to the question that it asks, and on to the sink."""

from functools import partial

from bertcli.commands.fill_mask.question import Question
from bertcli.commands.fill_mask.request import FillMaskRequest
from bertcli.commands.opening import open_for_texts
from bertcli.errors import ExitCode
from bertcli.model.session import Session
from bertcli.output.schemas.texts import with_ids
from bertcli.output.sink import Sink

_BYTES_OF_A_TOKEN = 4
_BEAM_STEPS = 20
_ARRAY_SUFFIXES = (".npz", ".safetensors")


def fill_mask(request: FillMaskRequest) -> ExitCode:
    """Answer the question about every text."""
    request.check()
    sink = Sink(
        request.output, request.texts.on_error, _ARRAY_SUFFIXES if request.mutual else (), has_figures=request.mutual
    )
    session, reader = open_for_texts(request.texts, request.model, sink, partial(_runs, request.question))
    session.require_mlm_head()
    session.require_mask_token()
    question = _question(request, session, sink)
    answers = session.answers(reader.windows(), question.compute, question.check, question.batch_tokens)
    info = session.info("fill-mask")
    for note in () if sink.wants_table else question.notes:
        sink.note(note)
    view = question.view(info)
    view = view if request.texts.id_field is None else with_ids(view)
    return sink.write(info, view, answers, question.array_writers)


def _question(request: FillMaskRequest, session: Session, sink: Sink) -> Question:
    """What is asked for; only what answers it is imported."""
    if request.joint:
        from bertcli.commands.fill_mask.joint import joint

        return joint(request, session)
    if request.score:
        from bertcli.commands.fill_mask.score import score

        return score(request, session)
    if request.lens:
        from bertcli.commands.fill_mask.lens import lens

        return lens(request, session)
    if request.compare is not None:
        from bertcli.commands.fill_mask.compare import compare

        return compare(request, session, sink.announce)
    if request.mutual:
        from bertcli.commands.fill_mask.mutual import mutual

        return mutual(request, session)
    from bertcli.commands.fill_mask.predict import predict

    return predict(request, session)


def _runs(question: str, size: int) -> float:
    """How often, roughly, a text of so many bytes goes through the model."""
    tokens = max(size / _BYTES_OF_A_TOKEN, 1)
    return {"--score": tokens, "--mutual": tokens * (tokens + 1) / 2, "--joint": _BEAM_STEPS}.get(question, 1)
