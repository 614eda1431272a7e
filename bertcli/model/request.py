"""The request for a session: the checkpoint to open and the way to run it. It imports nothing heavy."""

from dataclasses import dataclass

from bertcli.choices import DtypeName, EngineName


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
        max_length: Largest number of tokens in a text; None for the number of positions of the model.
        truncate: Cut longer texts instead of refusing them.
        token: Access token for the hub; None for the one that huggingface_hub finds.
        threads: Number of CPU threads; None for the engine's default.
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
