"""A checkpoint opened once, with the engine that suits the work."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache, cached_property
from typing import TYPE_CHECKING

from bertcli.checkpoints import layout
from bertcli.checkpoints.config import ModelConfig, ModernBertConfig, OwnConfig, read_config
from bertcli.checkpoints.find import Checkpoint, find_checkpoint
from bertcli.checkpoints.heads import TaskHead, find_heads
from bertcli.checkpoints.hub_cache import OnDownload, ignore_download
from bertcli.checkpoints.weight_files import WeightFiles, find_weight_files
from bertcli.choices import DtypeName, EngineName
from bertcli.errors import WrongUsage
from bertcli.lazy_dataclass import dataclass
from bertcli.model.ablation import Head, parse_heads
from bertcli.model.batching import Batch
from bertcli.model.engine import Engine, ModelOutput, OutputRequest
from bertcli.model.engine_choice import (
    CheckpointTraits,
    EngineChoice,
    choose_engine,
    default_batch_tokens,
    encoder_work,
    open_engine,
)
from bertcli.model.finite import run_checked
from bertcli.model.ops.base import Array
from bertcli.model.preparation import NO_PREPARATION, prepare_texts
from bertcli.model.request import EmbeddingRequest, SessionRequest
from bertcli.model.resources import choose_blas_threads, unset_blas_limit
from bertcli.model.tokenizer import TextTokenizer
from bertcli.model.tokenizer_loading import open_tokenizer
from bertcli.results.texts import RunInfo

if TYPE_CHECKING:
    from bertcli.model.recipe import ReadyRecipe


@dataclass(frozen=True)
class Session:
    """An open checkpoint.

    text_bytes returns about how many bytes of text there are to compute. It is called when the engine is chosen.
    ablated holds the attention heads that are switched off.
    """

    request: SessionRequest
    checkpoint: Checkpoint
    config: ModelConfig
    weight_files: WeightFiles
    tokenizer: TextTokenizer
    text_bytes: Callable[[], int]
    ablated: Sequence[Head] = ()

    @cached_property
    def engine_choice(self) -> EngineChoice:
        """The engine, device and dtype. Raises DeviceUnavailable, WrongUsage."""
        request = self.request
        foreign = _foreign_model(self.config)
        if request.with_heads and isinstance(self.config, ModernBertConfig) and self.heads:
            foreign = f"{self.config.model_type} with heads for labels"
            if self.ablated:
                raise WrongUsage(
                    "--ablate needs an engine of bertcli's own, and only transformers computes the labels of "
                    f"{self.checkpoint.name}",
                    hint="add --no-labels, or leave --ablate out",
                )
        traits = CheckpointTraits(self.weight_files.is_pickled, foreign, request.with_gradients)
        return choose_engine(request.engine, request.device, request.dtype, traits, self._work)

    @cached_property
    def _work(self) -> Callable[[], float]:
        return cache(lambda: encoder_work(self.text_bytes(), layout.layer_parameters(self.config)))

    @cached_property
    def engine(self) -> Engine:
        """The engine, opened when it is first needed. Raises DeviceUnavailable, WrongUsage."""
        threads = self.request.threads
        if threads is None and self.engine_choice.engine == EngineName.NUMPY:
            threads = choose_blas_threads(self._work())
        engine = open_engine(
            self.engine_choice,
            self.checkpoint,
            self.config,
            self.weight_files,
            self.ablated,
            with_gradients=self.request.with_gradients,
        )
        if threads is not None:
            engine.ops.use_threads(threads)
        return engine

    @property
    def is_reduced(self) -> bool:
        """True if the engine computes in a type with fewer digits than float32."""
        return self.engine_choice.dtype != DtypeName.FLOAT32

    @cached_property
    def batch_tokens(self) -> int:
        """Token budget of a batch, padding included."""
        return self.request.batch_tokens or default_batch_tokens(self.engine_choice.device)

    @cached_property
    def recipe(self) -> "ReadyRecipe":
        """The recipe of embeddings. Raises BadCheckpoint, UnsupportedModel."""
        from bertcli.model.recipe import open_recipe  # here, since only embeddings need it

        tokenizer, request = self.tokenizer, self.request.embedding or EmbeddingRequest()
        return open_recipe(
            self.checkpoint, self.config, request, tokenizer.prompt, tokenizer.prompt_token_count, tokenizer.limit
        )

    @property
    def has_pooler(self) -> bool:
        """True if the checkpoint holds a pooler."""
        return self.weight_files.optional_parts(self.config).has_pooler

    @property
    def has_mlm_head(self) -> bool:
        """True if the checkpoint holds an MLM head."""
        return self.weight_files.optional_parts(self.config).has_mlm_head

    @property
    def has_next_sentence_head(self) -> bool:
        """True if the checkpoint holds a next-sentence head."""
        return self.weight_files.optional_parts(self.config).has_next_sentence_head

    @cached_property
    def heads(self) -> Sequence[TaskHead]:
        """The heads for classification and question answering. Raises BadCheckpoint, UnsupportedModel."""
        return find_heads(self.weight_files, self.config)

    @property
    def mask_token_id(self) -> int:
        """Id of the mask token. bertcli.model.requirements.require_mlm checks that there is one."""
        assert self.tokenizer.mask_token_id is not None
        return self.tokenizer.mask_token_id

    def info(self, command: str) -> RunInfo:
        """Return the model, engine, device and dtype of a run of that command."""
        ops = self.engine.ops
        name, revision = self.checkpoint.name, self.checkpoint.revision
        return RunInfo(
            command, name, revision, self.engine.name, ops.device, ops.dtype, ablated=tuple(map(str, self.ablated))
        )

    def run(self, batch: Batch, request: OutputRequest) -> ModelOutput:
        """Run one batch through the model. Raises NotFinite."""
        return run_checked(self.engine, batch, request, self.checkpoint.name)

    def to_numpy(self, x: Array) -> Array:
        """Return an array of the engine as a numpy array, in float32 if it holds floats."""
        return self.engine.ops.to_numpy(x)


def _foreign_model(config: ModelConfig) -> str | None:
    """Return the model_type of a model that only transformers computes, with the setting that is the reason if any."""
    if isinstance(config, OwnConfig):
        return None
    return f"{config.model_type} with {config.unsupported_setting}" if config.unsupported_setting else config.model_type


def _ablated_heads(request: SessionRequest, config: ModelConfig) -> Sequence[Head]:
    """Return the attention heads to switch off.

    Raises:
        WrongUsage: The model does not have one of them, or the engine cannot switch heads off.
    """
    if request.ablate is None:
        return ()
    if foreign := _foreign_model(config):
        raise WrongUsage(
            f"--ablate switches off heads of BERT and ModernBERT, not those of {foreign}",
            hint="use another model, such as -m bundled, or leave --ablate out",
        )
    if request.engine == EngineName.TRANSFORMERS:
        raise WrongUsage(
            "the transformers engine cannot switch heads off with --ablate", hint="use --engine numpy or torch"
        )
    return parse_heads("--ablate", request.ablate, config.num_hidden_layers, config.num_attention_heads)


# The sessions of a dialogue by their requests, while there is one.
_kept: dict[SessionRequest, Session] | None = None


@contextmanager
def keep_sessions() -> Iterator[None]:
    """Keep every session that is opened in the context, so that an equal request gets it again."""
    global _kept
    _kept = {}
    try:
        yield
    finally:
        _kept = None


def are_sessions_kept() -> bool:
    """Return True in the context of keep_sessions."""
    return _kept is not None


def open_session(
    request: SessionRequest,
    text_bytes: Callable[[], int] = lambda: 0,
    on_download: OnDownload = ignore_download,
) -> Session:
    """Open a checkpoint, or return it if keep_sessions has kept it. Weights are read when they are first needed.

    Args:
        request: The checkpoint to open and the way to run it.
        text_bytes: Returns about how many bytes of text there are to compute.
        on_download: Called before a download, as in find_checkpoint.

    Raises:
        CheckpointNotFound: There is no such checkpoint.
        HubFailed: The hub cannot be reached.
        BadCheckpoint: A file is missing or damaged.
        UnsupportedModel: The architecture is not supported.
        WrongUsage: max_length is beyond the model's positions, the checkpoint has no prompt of the requested name, or
            the heads of ablate cannot be switched off.
    """
    if _kept is not None and request in _kept:
        return _kept[request]
    unset_blas_limit()
    checkpoint = find_checkpoint(
        request.model,
        revision=request.revision,
        offline=request.offline,
        on_download=on_download,
        token=request.token,
    )
    config = read_config(checkpoint.folder)
    ablated = _ablated_heads(request, config)
    weight_files = find_weight_files(checkpoint.folder, config.architecture)
    weight_files.check_fits(config)
    preparation = NO_PREPARATION if request.embedding is None else prepare_texts(checkpoint, request.embedding)
    tokenizer = open_tokenizer(checkpoint, config, request, preparation)
    session = Session(request, checkpoint, config, weight_files, tokenizer, text_bytes, ablated)
    if _kept is not None:
        _kept[request] = session
    return session
