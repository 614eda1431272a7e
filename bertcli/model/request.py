"""The request for a session: the checkpoint to open and the way to run it. It imports nothing heavy."""

from dataclasses import dataclass

from bertcli.choices import DtypeName, EngineName, LayerOp, Pooling


@dataclass(frozen=True, slots=True)
class EmbeddingRequest:
    """The way to make embeddings.

    Attributes:
        pooling: The pooling; AUTO for the checkpoint's own recipe. Any other replaces the whole recipe.
        normalize: Scale embeddings to length 1, or not; None to do as the recipe does.
        prompt: Text to put before each text; None for the prompt that prompt_name or the recipe names.
        prompt_name: Name of one of the checkpoint's prompts.
        mixed_layers: Hidden states to make one of, such as all, -1 or 0,6,12, whose vectors are used instead of the
            last hidden state. None to use the last one.
        layer_op: How to make one hidden state of them; None if mixed_layers is.
    """

    pooling: Pooling = Pooling.AUTO
    normalize: bool | None = None
    prompt: str | None = None
    prompt_name: str | None = None
    mixed_layers: str | None = None
    layer_op: LayerOp | None = None


@dataclass(frozen=True, slots=True)
class SessionRequest:
    """The checkpoint to open and the way to run it.

    Attributes:
        model: A folder, a name on the model hub, or None for the bundled model.
        revision: A branch, tag or commit of a model on the hub.
        offline: Never access the hub.
        engine: The engine, or auto.
        device: auto, cpu, cuda, cuda:N or mps.
        dtype: The number type of the computation.
        batch_tokens: Token budget of a batch, padding included; None for the device's default.
        batch_size: Largest number of texts in a batch; None for no limit but the token budget.
        max_length: Largest number of tokens in a text; None for the limit of the model.
        truncate: Cut longer texts instead of refusing them.
        token: Access token for the hub; None for the one that huggingface_hub finds.
        threads: Number of CPU threads; None for the engine's default.
        embedding: The way to make embeddings; None if texts are shown to the model as they are, without the recipe's
            prompt and lower-casing.
        with_heads: The run computes the heads for classification and question answering. For ModernBERT, only the
            transformers engine can.
    """

    model: str | None = None
    revision: str | None = None
    offline: bool = False
    engine: EngineName = EngineName.AUTO
    device: str = "auto"
    dtype: DtypeName = DtypeName.FLOAT32
    batch_tokens: int | None = None
    batch_size: int | None = None
    max_length: int | None = None
    truncate: bool = False
    token: str | None = None
    threads: int | None = None
    embedding: EmbeddingRequest | None = None
    with_heads: bool = False
