"""Choice of the engine, the device and the dtype, and the opening of the engine."""

import re
import sys
from collections.abc import Callable, Sequence

from bertcli.checkpoints import layout
from bertcli.checkpoints.config import ModelConfig, ModernBertConfig, OwnConfig
from bertcli.checkpoints.find import Checkpoint
from bertcli.checkpoints.weight_files import WeightFiles
from bertcli.choices import DtypeName, EngineName
from bertcli.errors import DeviceUnavailable, WrongUsage
from bertcli.lazy_dataclass import dataclass
from bertcli.model.ablation import Head
from bertcli.model.dtypes import has_gpu_driver
from bertcli.model.engine import BertEngine, Engine
from bertcli.model.ops.base import Ops
from bertcli.model.resources import limit_onednn_cache
from bertcli.model.weights import BertWeights

# Rough number of bytes of text in a token.
BYTES_PER_TOKEN = 4
_DEVICE = r"cpu|cuda(:\d+)?|mps"
# Importing torch costs about two seconds of a core. Below this much work (floating-point operations of the encoder's
# matrix products) numpy has finished before torch would have started. benchmarks/engines.py measures this limit.
_MIN_TORCH_WORK = 3e11
_BATCH_TOKENS = {"cpu": 2048, "cuda": 16384, "mps": 8192}


@dataclass(frozen=True, slots=True)
class EngineChoice:
    """An engine, a device as torch spells it, and the dtype to compute in."""

    engine: str
    device: str
    dtype: str


@dataclass(frozen=True, slots=True)
class CheckpointTraits:
    """Traits of a checkpoint and of a run that not every engine supports.

    Attributes:
        is_pickled: The weights are in pytorch_model.bin.
        foreign_model: The model_type, and the setting that matters, if only transformers computes the model.
        needs_gradients: The run computes gradients.
    """

    is_pickled: bool = False
    foreign_model: str | None = None
    needs_gradients: bool = False


def default_batch_tokens(device: str) -> int:
    """Return the default token budget of a batch on a device."""
    return _BATCH_TOKENS[device.partition(":")[0]]


def encoder_work(text_bytes: int, parameters: int) -> float:
    """Estimate the floating-point operations for that much text: two for each token and parameter of the layers."""
    return 2.0 * parameters * text_bytes / BYTES_PER_TOKEN


def choose_engine(
    engine: str, device: str, dtype: str, traits: CheckpointTraits, work: Callable[[], float]
) -> EngineChoice:
    """Return the engine, device and dtype to use.

    auto depends on the checkpoint, the device and the dtype, and then on the amount of work.

    Args:
        engine: A value of EngineName.
        device: auto, cpu, cuda, cuda:N or mps.
        dtype: A value of DtypeName.
        traits: The traits of the checkpoint and the run.
        work: Returns the estimated floating-point operations. It is called only if the choice depends on it, since it
            may have to wait for standard input.

    Raises:
        WrongUsage: The options contradict each other or the checkpoint.
        DeviceUnavailable: This machine has no such device.
    """
    if device != "auto" and not re.fullmatch(_DEVICE, device):
        raise WrongUsage(f"there is no device {device!r}", hint="use auto, cpu, cuda, cuda:N or mps")
    if traits.foreign_model and engine not in (EngineName.AUTO, EngineName.TRANSFORMERS):
        raise WrongUsage(
            f"the {engine} engine computes the layers of BERT and ModernBERT, not those of {traits.foreign_model}",
            hint="use --engine transformers, or auto",
        )
    if traits.needs_gradients and (traits.foreign_model or engine == EngineName.TRANSFORMERS):
        raise WrongUsage(
            "gradients are computed by the torch engine alone, for BERT and ModernBERT",
            hint="use another model, such as -m bundled" if traits.foreign_model else "use --engine torch, or auto",
        )
    is_auto = dtype == DtypeName.AUTO
    only_torch = _why_only_torch(device, DtypeName.FLOAT32 if is_auto else dtype, traits)
    if engine == EngineName.NUMPY and only_torch:
        raise WrongUsage(f"the numpy engine cannot do this: {only_torch}", hint="use --engine torch, or auto")
    reason = f"--engine {engine}"
    if engine == EngineName.AUTO:
        reason = f"numpy cannot do this: {only_torch}" if only_torch else _describe_work(work())
    if engine == EngineName.NUMPY or (engine == EngineName.AUTO and not only_torch and work() < _MIN_TORCH_WORK):
        return _explained(EngineChoice(EngineName.NUMPY, "cpu", DtypeName.FLOAT32), reason)
    if device.startswith("cuda") and not has_gpu_driver():
        raise DeviceUnavailable.cuda()  # at once, since torch takes seconds to import
    limit_onednn_cache(is_reduced=dtype != DtypeName.FLOAT32)
    from bertcli.model.ops.torch_ops import best_device, check_device, multiplies_bfloat16

    if engine == EngineName.AUTO:
        engine = EngineName.TRANSFORMERS if traits.foreign_model else EngineName.TORCH
    device = best_device() if device == "auto" else check_device(device)
    if is_auto:
        is_fast = multiplies_bfloat16(device) and not traits.needs_gradients
        dtype = DtypeName.BFLOAT16 if is_fast else DtypeName.FLOAT32
    return _explained(EngineChoice(engine, device, dtype), reason)


def _describe_work(work: float) -> str:
    """Return how the amount of work compares with the limit, in words."""
    relation = "under" if work < _MIN_TORCH_WORK else "at least"
    return f"about {work:.1g} floating-point operations, {relation} the {_MIN_TORCH_WORK:.0g} that torch is loaded for"


def _explained(choice: EngineChoice, reason: str) -> EngineChoice:
    """Log a choice and its reason, and return it."""
    if "logging" in sys.modules:  # it is slow to import, and --debug has imported it
        logger = sys.modules["logging"].getLogger(__name__)
        logger.debug("engine %s on %s in %s: %s", choice.engine, choice.device, choice.dtype, reason)
    return choice


def open_engine(
    choice: EngineChoice,
    checkpoint: Checkpoint,
    config: ModelConfig,
    weight_files: WeightFiles,
    ablated: Sequence[Head] = (),
    *,
    with_gradients: bool = False,
) -> Engine:
    """Return the chosen engine over a checkpoint. Weights are read when they are first needed.

    Args:
        choice: The engine, device and dtype.
        checkpoint: The checkpoint.
        config: Its config.
        weight_files: Its weights.
        ablated: Attention heads to switch off, which the transformers engine cannot.
        with_gradients: Let torch compute gradients.
    """
    ops: Ops
    if choice.engine == EngineName.NUMPY:
        from bertcli.model.ops.numpy_ops import NumpyOps

        ops = NumpyOps()
    else:
        from bertcli.model.ops.torch_ops import TorchOps

        ops = TorchOps(choice.device, choice.dtype, with_gradients=with_gradients)
    if choice.engine == EngineName.TRANSFORMERS or not isinstance(config, OwnConfig):
        from bertcli.model.transformers_engine import TransformersEngine

        return TransformersEngine(checkpoint, config, ops, weight_files.optional_parts(config).has_pooler)
    has_own_decoder = weight_files.holds(layout.own_decoder_layout(config))
    if isinstance(config, ModernBertConfig):
        from bertcli.model.modernbert_engine import ModernBertEngine
        from bertcli.model.modernbert_weights import ModernBertWeights

        own_weights = ModernBertWeights(ops, config, weight_files.reader(), has_own_decoder)
        return ModernBertEngine(choice.engine, ops, config, own_weights, ablated)
    weights = BertWeights(ops, config, weight_files.reader(), has_own_decoder)
    return BertEngine(choice.engine, ops, config, weights, ablated)


def _why_only_torch(device: str, dtype: str, traits: CheckpointTraits) -> str:
    if device not in ("auto", "cpu"):
        return f"it computes on the CPU, not on {device}"
    if dtype != DtypeName.FLOAT32:
        return f"it computes in float32, not in {dtype}"
    if traits.foreign_model:
        return f"it computes the layers of BERT and ModernBERT, not those of {traits.foreign_model}"
    if traits.needs_gradients:
        return "it computes no gradients"
    return "it does not read pytorch_model.bin" if traits.is_pickled else ""
