"""bertcli fill-mask: what stands in a [MASK]."""

from dataclasses import dataclass
from functools import partial

from bertcli.commands.opening import open_for_texts
from bertcli.commands.sink import Sink
from bertcli.core.masks.predictions import check_masks, predict_masks, target_ids
from bertcli.core.session import Session
from bertcli.errors import BadCheckpoint, ExitCode, WrongUsage
from bertcli.options import ModelOptions, OutputOptions, TextOptions
from bertcli.render.views.fill_mask import fill_mask_view


@dataclass(frozen=True, slots=True)
class FillMaskRequest:
    """top_k: how many candidates for each mask. targets: words to be scored beside them, parted by commas."""

    texts: TextOptions
    model: ModelOptions
    output: OutputOptions
    top_k: int
    targets: str | None


def fill_mask(request: FillMaskRequest) -> ExitCode:
    """Answer every mask of every text."""
    sink = Sink(request.output, request.texts.on_error)
    session, reader = open_for_texts(request.texts, request.model, sink)
    session.require_mlm_head()
    mask_token_id = _mask_token_id(session)
    _check_top_k(request.top_k, session)
    targets = None if request.targets is None else target_ids(session.tokenizer, request.targets.split(","))
    answers = session.answers(
        reader.windows(),
        partial(predict_masks, session, top_k=request.top_k, targets=targets),
        partial(check_masks, mask_token_id=mask_token_id),
    )
    info = session.info("fill-mask")
    return sink.write(info, fill_mask_view(info), answers)


def _mask_token_id(session: Session) -> int:
    mask_token_id = session.tokenizer.mask_token_id
    if mask_token_id is None:
        raise BadCheckpoint(
            f"the tokenizer of {session.checkpoint.name} has no mask token "
            f"({session.tokenizer.special_tokens.mask} is not in its vocabulary)",
            hint="use a checkpoint of a masked language model, or name its mask_token in tokenizer_config.json",
        )
    return mask_token_id


def _check_top_k(top_k: int, session: Session) -> None:
    if top_k > session.config.vocab_size:
        raise WrongUsage(
            f"--top-k {top_k:,} is more than the {session.config.vocab_size:,} tokens of the vocabulary",
            hint=f"use a number from 1 to {session.config.vocab_size:,}",
        )
