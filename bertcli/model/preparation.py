"""The changes to a text before the tokenizer sees it: the prompt, and lower-casing. It imports nothing heavy."""

from bertcli.checkpoints.find import Checkpoint
from bertcli.checkpoints.sentence_settings import read_prompts
from bertcli.choices import Pooling
from bertcli.errors import WrongUsage
from bertcli.lazy_dataclass import dataclass
from bertcli.model.request import EmbeddingRequest


@dataclass(frozen=True, slots=True)
class TextPreparation:
    """Changes to a text before the tokenizer sees it.

    Attributes:
        prompt: Text to put before it.
        is_lower_cased: Lower-case the text, and the prompt.
    """

    prompt: str = ""
    is_lower_cased: bool = False


NO_PREPARATION = TextPreparation()


def prepare_texts(checkpoint: Checkpoint, request: EmbeddingRequest) -> TextPreparation:
    """Return the changes to a text before the tokenizer sees it.

    Raises:
        WrongUsage: The checkpoint has no prompt of the requested name.
        BadCheckpoint, UnsupportedModel: The recipe cannot be read.
    """
    from bertcli.checkpoints.recipe import read_recipe  # here, since only embeddings need it

    folder = checkpoint.whole_folder
    declared = read_recipe(folder) if request.pooling == Pooling.AUTO else None
    is_lower_cased = declared is not None and declared.is_lower_cased
    if request.prompt is not None:
        return TextPreparation(request.prompt, is_lower_cased)
    if request.prompt_name is None and declared is None:
        return TextPreparation()
    prompts = read_prompts(folder)
    name = prompts.default if request.prompt_name is None else request.prompt_name
    if name is not None and name not in prompts.texts:
        known = ", ".join(prompts.texts)
        raise WrongUsage(
            f"{checkpoint.name} has no prompt {name!r}" + ("" if known else ": it declares no prompts"),
            hint=f"use one of: {known}; or give the text with --prompt"
            if known
            else "leave --prompt-name out, or give the text with --prompt",
        )
    return TextPreparation("" if name is None else prompts.texts[name], is_lower_cased)
