"""Checks that a checkpoint has what a command needs: a pooler, an MLM head, a mask token, attention weights."""

from bertcli.checkpoints.config import OwnConfig
from bertcli.choices import EngineName
from bertcli.errors import BadCheckpoint, MissingMlmHead, MissingPooler, UnsupportedModel, WrongUsage
from bertcli.model.session import Session


def require_pooler(session: Session, hint: str = "use --pooling mean or --pooling cls") -> None:
    """Check that the checkpoint has a pooler.

    Args:
        session: The open checkpoint.
        hint: How to do without a pooler.

    Raises:
        MissingPooler: The checkpoint or its architecture has none.
    """
    if session.has_pooler:
        return
    body_class, pooler = session.config.architecture.body_class, session.config.architecture.pooler
    if not pooler:
        raise MissingPooler(f"{session.checkpoint.name} has no pooler: {body_class} does not define one", hint=hint)
    raise MissingPooler(
        f"{session.checkpoint.name} has no pooler ({pooler[0]} is missing)",
        hint=f"{hint}, or use a checkpoint saved from {body_class}",
    )


def require_mlm_head(session: Session) -> None:
    """Check that the checkpoint has an MLM head.

    Raises:
        MissingMlmHead: The weights of the head are missing.
    """
    architecture = session.config.architecture
    if not architecture.has_mlm_class:
        raise MissingMlmHead(
            f"{session.checkpoint.name} has no masked-language-model head: "
            f"transformers has no {architecture.class_prefix} class with one",
            hint="use another model, such as -m bundled",
        )
    if not session.has_mlm_head:
        raise MissingMlmHead(
            f"{session.checkpoint.name} has no masked-language-model head ({architecture.mlm_head_name}.* is missing)",
            hint=f"use a checkpoint saved from {architecture.mlm_class}, or -m bundled",
        )


def require_mlm(session: Session) -> None:
    """Check that the checkpoint can predict masked tokens: that it has an MLM head and a mask token.

    Raises:
        MissingMlmHead: The weights of the head are missing.
        BadCheckpoint: The tokenizer has no mask token.
    """
    require_mlm_head(session)
    if session.tokenizer.mask_token_id is None:
        raise BadCheckpoint(
            f"the tokenizer of {session.checkpoint.name} has no mask token "
            f"({session.tokenizer.special_tokens.mask} is not in its vocabulary)",
            hint="use a checkpoint of a masked language model, or set mask_token in tokenizer_config.json",
        )


def require_head_switches(session: Session, option: str) -> None:
    """Check that the engine can switch attention heads off.

    Args:
        session: The open checkpoint.
        option: Name of the option that needs it, for the error message.

    Raises:
        WrongUsage: It is the transformers engine.
    """
    if not isinstance(session.config, OwnConfig):
        raise WrongUsage(
            f"{option} switches off heads of BERT and ModernBERT, not those of {session.config.model_type}",
            hint=f"use another model, such as -m bundled, or leave {option} out",
        )
    if session.engine_choice.engine == EngineName.TRANSFORMERS:
        raise WrongUsage(
            f"the transformers engine cannot switch heads off, which {option} needs", hint="use --engine numpy or torch"
        )


def require_attentions(session: Session) -> None:
    """Check that the model's layers have attention weights from each token to each other.

    Raises:
        UnsupportedModel: transformers' class returns none.
    """
    if not session.config.architecture.has_attentions:
        raise UnsupportedModel(
            f"{session.checkpoint.name} has no attention weights to show: "
            f"{session.config.architecture.body_class} returns none from each token to each other token",
            hint="use another model, such as -m bundled; encode, fill-mask and shapes work with this one",
        )
