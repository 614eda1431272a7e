"""The request for a session: the checkpoint to open and the way to run it. It imports nothing heavy."""

from bertcli.choices import DtypeName, EngineName, LayerOp, OnLong, Pooling
from bertcli.errors import WrongUsage
from bertcli.lazy_dataclass import dataclass


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
        truncate: Short for long TRUNCATE.
        long: The treatment of longer texts; None for truncate, or else an error.
        overlap: Number of tokens that a window shares with the next one; None for the default.
        token: Access token for the hub; None for the one that huggingface_hub finds.
        threads: Number of CPU threads; None for the engine's default.
        embedding: The way to make embeddings; None if texts are shown to the model as they are, without the recipe's
            prompt and lower-casing.
        with_heads: The run computes the heads for classification and question answering. For ModernBERT, only the
            transformers engine can.
        with_gradients: The run computes gradients, which only the torch engine can.
        ablate: Attention heads to switch off, such as 3.7 or 5.*, separated by commas; None for none.
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
    long: OnLong | None = None
    overlap: int | None = None
    token: str | None = None
    threads: int | None = None
    embedding: EmbeddingRequest | None = None
    with_heads: bool = False
    with_gradients: bool = False
    ablate: str | None = None

    @property
    def on_long(self) -> OnLong:
        """The treatment of texts with more tokens than the limit."""
        return self.long or (OnLong.TRUNCATE if self.truncate else OnLong.ERROR)

    @property
    def reads_windows(self) -> bool:
        """True if longer texts are read in windows."""
        return self.on_long == OnLong.WINDOWS

    def check_options(self) -> None:
        """Check that the options go together. Raises WrongUsage."""
        if self.truncate and self.on_long != OnLong.TRUNCATE:
            raise WrongUsage(
                f"--truncate is short for --long truncate, and contradicts --long {self.long}",
                hint="leave one of them out",
            )
        if self.overlap is not None and not self.reads_windows:
            raise WrongUsage("--overlap needs --long windows", hint="add --long windows, or leave --overlap out")
