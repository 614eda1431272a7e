"""A checkpoint opened once, with the engine that suits the work: what every command puts its questions to."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import TypeVar

from bertcli.checkpoints import layout
from bertcli.checkpoints.config import BertConfig, ModelConfig, read_config
from bertcli.checkpoints.find import Checkpoint, find_checkpoint
from bertcli.checkpoints.hub_cache import OnDownload, silently
from bertcli.checkpoints.weight_files import WeightFiles, find_weight_files
from bertcli.errors import BadCheckpoint, MissingMlmHead, MissingPooler, NotFinite
from bertcli.input.records import FailedText, Window
from bertcli.model.batching import Batch, batches
from bertcli.model.engine import BertEngine, Engine, LayerAttention, ModelOutput, OutputRequest
from bertcli.model.engine_choice import NUMPY, TRANSFORMERS, CheckpointTraits, EngineChoice, encoder_work, place
from bertcli.model.ops.base import Array, Ops
from bertcli.model.resources import leave_threads_to_others, trim_heap, use_threads_for
from bertcli.model.tokenizer import TextTokenizer, TokenizedText, open_tokenizer
from bertcli.model.weights import BertWeights
from bertcli.pipeline.halving import Halving, OnNote, unheard
from bertcli.results.texts import RunInfo, TextInfo

Answer = TypeVar("Answer")
_BATCH_TOKENS = {"cpu": 2048, "cuda": 16384, "mps": 8192}
# Of up to how many batches the texts are sorted by length together. More would pad less, and hold more answers at once.
SORT_WINDOW = 8


@dataclass(frozen=True, slots=True)
class SessionRequest:
    """What to open and how to run it. model None: the bundled one. batch_tokens, max_length, threads None: what suits.

    revision, offline: as find_checkpoint takes them.
    """

    model: str | None = None
    revision: str | None = None
    offline: bool = False
    engine: str = "auto"
    device: str = "auto"
    dtype: str = "float32"
    batch_tokens: int | None = None
    max_length: int | None = None
    truncate: bool = False
    threads: int | None = None


def batch_tokens_on(device: str) -> int:
    """How many tokens a batch may have by default."""
    return _BATCH_TOKENS[device.partition(":")[0]]


@dataclass(frozen=True)
class Session:
    """An open checkpoint. text_bytes: how much text there is to answer, asked when the engine is first needed.

    note: told what the user should know of how it went.
    """

    request: SessionRequest
    checkpoint: Checkpoint
    config: ModelConfig
    weight_files: WeightFiles
    tokenizer: TextTokenizer
    text_bytes: Callable[[], int]
    note: OnNote = unheard

    @cached_property
    def halving(self) -> Halving:
        """What makes batches fit the device's memory."""
        return Halving(self.tokenizer.pad_token_id, self.note)

    @cached_property
    def engine_choice(self) -> EngineChoice:
        """Which engine is to compute, and where. Raises DeviceUnavailable, WrongUsage."""
        request = self.request
        return place(request.engine, request.device, request.dtype, self._needs, self._work)

    @cached_property
    def _work(self) -> Callable[[], float]:
        return cache(lambda: encoder_work(self.text_bytes(), layout.layer_parameters(self.config)))

    @cached_property
    def engine(self) -> Engine:
        """What computes. Raises DeviceUnavailable, WrongUsage."""
        request, engine_choice = self.request, self.engine_choice
        if engine_choice.engine == NUMPY and request.threads is None:
            use_threads_for(self._work())
        engine = _engine(engine_choice, self)
        if request.threads is not None:
            engine.ops.use_threads(request.threads)
        return engine

    @property
    def _needs(self) -> CheckpointTraits:
        """What of the checkpoint not every engine can do."""
        is_berts, model_type = self.config.architecture.is_berts, self.config.model_type
        return CheckpointTraits(self.weight_files.is_pickled, foreign_family=None if is_berts else model_type)

    @cached_property
    def batch_tokens(self) -> int:
        """How many tokens a batch may have, padding included."""
        return self.request.batch_tokens or batch_tokens_on(self.engine_choice.device)

    @property
    def has_pooler(self) -> bool:
        """Whether the checkpoint holds a pooler."""
        return self.weight_files.parts(self.config).pooler

    @property
    def has_mlm_head(self) -> bool:
        """Whether the checkpoint holds an MLM head."""
        return self.weight_files.parts(self.config).mlm_head

    @property
    def has_next_sentence_head(self) -> bool:
        """Whether the checkpoint holds a next-sentence head."""
        return self.weight_files.parts(self.config).next_sentence_head

    def require_pooler(self) -> None:
        """Raise MissingPooler where the checkpoint has none."""
        if self.has_pooler:
            return
        body_class, pooler = self.config.architecture.body_class, self.config.architecture.pooler
        if not pooler:
            raise MissingPooler(
                f"{self.checkpoint.name} has no pooler: {body_class} does without one",
                hint="use --pool mean or --pool cls",
            )
        raise MissingPooler(
            f"{self.checkpoint.name} has no pooler ({pooler[0]} is not among its tensors)",
            hint=f"use --pool mean or --pool cls, or a checkpoint saved from {body_class}",
        )

    def require_mlm_head(self) -> None:
        """Raise MissingMlmHead where the checkpoint has none."""
        if not self.has_mlm_head:
            architecture = self.config.architecture
            raise MissingMlmHead(
                f"{self.checkpoint.name} has no masked-language head "
                f"({architecture.mlm_head_name}.* is not among its tensors)",
                hint=f"use a checkpoint saved from {architecture.mlm_class}, such as -m bundled",
            )

    @property
    def mask_token_id(self) -> int:
        """The tokenizer's mask. Raises BadCheckpoint where it has none."""
        found = self.tokenizer.mask_token_id
        if found is None:
            raise BadCheckpoint(
                f"the tokenizer of {self.checkpoint.name} has no mask token "
                f"({self.tokenizer.special_tokens.mask} is not in its vocabulary)",
                hint="use a checkpoint of a masked language model, or name its mask_token in tokenizer_config.json",
            )
        return found

    def require_mask_token(self) -> None:
        """Raise BadCheckpoint where the tokenizer has no mask."""
        _ = self.mask_token_id

    def info(self, command: str) -> RunInfo:
        """Who answers."""
        ops = self.engine.ops
        return RunInfo(command, self.checkpoint.name, self.checkpoint.revision, self.engine.name, ops.device, ops.dtype)

    def run(self, batch: Batch, requested: OutputRequest) -> ModelOutput:
        """One batch through the model. Raises NotFinite."""
        is_finite = self.engine.ops.is_finite
        observe, last_layer = requested.on_attention, requested.last_layer
        doubtful = False

        def watch(attention: LayerAttention) -> None:
            # Of every other layer the state tells what its weights and values were.
            nonlocal doubtful
            if attention.layer == last_layer:
                shown = (attention.weights, attention.value)
                doubtful |= not all(is_finite(array) for array in shown if array is not None)
            if observe is not None:
                observe(attention)

        output = self.engine.run(batch, requested if last_layer is None else replace(requested, on_attention=watch))
        arrays = [output.last_hidden_state, *([] if output.logits is None else [output.logits])]
        if doubtful or not all(map(is_finite, arrays)):
            dtype = self.engine.ops.dtype
            raise NotFinite(
                f"{self.checkpoint.name} comes to infinity, or to no number at all, in {dtype}",
                hint="use --dtype float32"
                if dtype != "float32"
                else "its weights hold infinities or NaN, or are far too large: copy them again",
            )
        return output

    def to_numpy(self, x: Array) -> Array:
        """A backend's array as numpy."""
        return self.engine.ops.to_numpy(x)

    def answers(
        self,
        windows: Iterable[Window],
        compute: Callable[[Batch], Sequence[Answer]],
        check: Callable[[TokenizedText], FailedText | None] = lambda text: None,
        batch_tokens: int | None = None,
        sort_window: int = SORT_WINDOW,
    ) -> Iterator[Answer | FailedText]:
        """An answer for each text, in the order of the input, window by window.

        compute: the answers for the texts of a batch. check: what is wrong with a text, beyond its length.
        batch_tokens: the most tokens of a batch, where that is not what suits most computations. sort_window: of how
        many batches the answers may be held before the first is given out; 1 where an answer is large.
        """
        batch_tokens = batch_tokens or self.batch_tokens
        sizes = _group_sizes(batch_tokens, sort_window)
        for number, window in enumerate(windows):
            if number:
                trim_heap()
            texts = [self._checked(text, check) for text in self.tokenizer.tokenize_window(window)]
            for group in _groups(texts, sizes):
                answers: dict[int, Answer] = {}
                fit = [text for text in group if isinstance(text, TokenizedText)]
                for batch in batches(fit, batch_tokens, self.tokenizer.pad_token_id):
                    indices = (text.record.index for text in batch.texts)
                    answers.update(zip(indices, self.halving(compute, batch), strict=True))
                for asked in group:
                    yield asked if isinstance(asked, FailedText) else answers.pop(asked.record.index)

    @staticmethod
    def _checked(
        text: TokenizedText | FailedText, check: Callable[[TokenizedText], FailedText | None]
    ) -> TokenizedText | FailedText:
        return text if isinstance(text, FailedText) else check(text) or text


def _group_sizes(batch_tokens: int, sort_window: int) -> Iterator[int]:
    """The tokens of one batch, then of two, and so on, so that the first answers of a run come soon."""
    together = 1
    while True:
        yield together * batch_tokens
        together = min(2 * together, sort_window)


def _groups(
    texts: Sequence[TokenizedText | FailedText], sizes: Iterator[int]
) -> Iterator[list[TokenizedText | FailedText]]:
    """The texts in runs of about so many tokens."""
    group: list[TokenizedText | FailedText] = []
    room = 0
    for text in texts:
        if room <= 0:
            if group:
                yield group
            group, room = [], next(sizes)
        group.append(text)
        room -= len(text) if isinstance(text, TokenizedText) else 0
    if group:
        yield group


def text_info(text: TokenizedText) -> TextInfo:
    """What a record says of its text."""
    record = text.record
    return TextInfo(
        record.index,
        record.line,
        record.text,
        record.pair,
        text.tokens,
        text.input_ids,
        text.token_type_ids,
        text.truncated,
        record.id,
        record.file,
    )


def open_session(
    request: SessionRequest,
    text_bytes: Callable[[], int] = lambda: 0,
    on_download: OnDownload = silently,
    note: OnNote = unheard,
) -> Session:
    """Open the checkpoint for a run over about so many bytes of text. on_download: as find_checkpoint takes it.

    note: as Session has it.

    Raises CheckpointNotFound, HubFailed, BadCheckpoint, UnsupportedModel, WrongUsage.
    """
    leave_threads_to_others()
    checkpoint = find_checkpoint(
        request.model, revision=request.revision, offline=request.offline, on_download=on_download
    )
    config = read_config(checkpoint.folder)
    weight_files = find_weight_files(checkpoint.folder, config.architecture)
    weight_files.check_fits(config)
    tokenizer = open_tokenizer(checkpoint, config, request.max_length, request.truncate)
    return Session(request, checkpoint, config, weight_files, tokenizer, text_bytes, note)


def _engine(engine_choice: EngineChoice, session: Session) -> Engine:
    config, weight_files = session.config, session.weight_files
    ops: Ops
    if engine_choice.engine == NUMPY:
        from bertcli.model.ops.numpy_ops import NumpyOps

        ops = NumpyOps()
    else:
        from bertcli.model.ops.torch_ops import TorchOps

        ops = TorchOps(engine_choice.device, engine_choice.dtype)
    if engine_choice.engine == TRANSFORMERS or not isinstance(config, BertConfig):
        from bertcli.model.transformers_engine import TransformersEngine

        return TransformersEngine(session.checkpoint, config, ops, session.has_pooler)
    has_own_decoder = weight_files.holds(layout.own_decoder_layout(config))
    weights = BertWeights(ops, config, weight_files.reader(), has_own_decoder)
    return BertEngine(engine_choice.engine, ops, config, weights)
