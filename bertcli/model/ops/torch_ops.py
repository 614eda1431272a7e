"""The torch backend: for large inputs, GPUs and half precision."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import cache, partial

import torch
import torch.nn.functional as F  # noqa: N812 - the customary name, as in torch's documentation

from bertcli.errors import DeviceUnavailable, UnsupportedModel
from bertcli.model.dtypes import is_multiplied_by_processor
from bertcli.model.ops.base import Array, LayerNorm, Linear

_ACTIVATIONS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "gelu": F.gelu,
    "gelu_new": partial(F.gelu, approximate="tanh"),
    "gelu_pytorch_tanh": partial(F.gelu, approximate="tanh"),
    "gelu_fast": partial(F.gelu, approximate="tanh"),
    "quick_gelu": lambda x: x * torch.sigmoid(1.702 * x),
    "relu": F.relu,
    "silu": F.silu,
    "swish": F.silu,
    "tanh": torch.tanh,
}
# Activations that oneDNN fuses with the matrix product, as the (name, algorithm) that it takes.
_FUSED = {"gelu": ("gelu", "none"), "relu": ("relu", "")}
# Activations that are faster after the product, on processors with AVX2 but not AVX-512: a feed-forward block with
# oneDNN's gelu takes 10 % longer there. In place, since a new array of this size costs as much as the activation.
_FASTER_UNFUSED: dict[str, Callable[[torch.Tensor], torch.Tensor]] = (
    {"gelu": torch.ops.aten.gelu_} if torch.backends.cpu.get_cpu_capability() == "AVX2" else {}
)

# oneDNN compiles a product for each number of rows, which takes as long as some products of bfloat16. Rounded numbers
# recur. A small product is rounded less, since its rows cost more than its compilation.
_ROWS, _FEW_ROWS = 128, 16

_log = logging.getLogger(__name__)


def best_device() -> str:
    """Return the name of this machine's accelerator, or "cpu" if it has none."""
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def check_device(name: str) -> str:
    """Return the name of a device if this machine has it.

    Raises:
        DeviceUnavailable: This machine has no such device.
    """
    kind, _, index = name.partition(":")
    if kind == "cuda" and not torch.cuda.is_available():
        raise DeviceUnavailable.cuda()
    if kind == "cuda" and int(index or 0) >= torch.cuda.device_count():
        raise DeviceUnavailable(
            f"there is no device {name}: CUDA devices count from 0, and this machine has {torch.cuda.device_count()}",
            hint="use --device cuda:0",
        )
    if kind == "mps" and not torch.backends.mps.is_available():
        raise DeviceUnavailable("there is no mps device on this machine", hint="use --device cpu")
    return name


def multiplies_bfloat16(device: str) -> bool:
    """Return True if a device of this machine multiplies bfloat16 in hardware."""
    if device.startswith("cuda"):
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return device == "cpu" and is_multiplied_by_processor("bfloat16") is True


class TorchOps:
    """The operations of bertcli.model.ops.base.Ops in torch."""

    def __init__(self, device: str, dtype: str, *, with_gradients: bool = False) -> None:
        """Prepare the backend.

        Args:
            device: Name of the device.
            dtype: Number type of the computation.
            with_gradients: Let torch compute gradients of inputs that ask for them. Without, less memory is used.
        """
        self.device, self.dtype = device, dtype
        # A GPU gains more from few large calls than from less work. A CPU gains from skipping the padding.
        self.supports_packing = device == "cpu"
        self._device = torch.device(device)
        self._dtype = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}[dtype]
        self._with_gradients = with_gradients
        # oneDNN's operators have no gradients.
        self._is_packing_weights = device == "cpu" and not with_gradients and _has_fast_layout(self._dtype)
        self._is_rounding_rows = self._is_packing_weights and self._dtype == torch.bfloat16

    def extra_tokens(self, count: int) -> int:
        return _extra_rows(count) if self._is_rounding_rows else 0

    def use_threads(self, count: int) -> None:
        torch.set_num_threads(count)

    def count_threads(self) -> int:
        return torch.get_num_threads()

    @contextmanager
    def inference_mode(self) -> Iterator[None]:
        try:
            # Weights ask for no gradients, so without inference mode torch keeps nothing for other inputs either.
            with nullcontext() if self._with_gradients else torch.inference_mode():
                yield
        except RuntimeError as error:  # OutOfMemoryError on a GPU; on the CPU only the message tells
            if isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error):
                raise MemoryError from None
            raise

    def load_matrix(self, raw: Array) -> Array:
        return _tensor(raw).to(self._device, self._dtype)

    load_vector = load_matrix

    def load_float32(self, raw: Array) -> Array:
        return _tensor(raw).to(self._device, torch.float32)

    def prepare_linear(self, linear: Linear) -> Linear:
        return Linear(_pack(linear.weight), linear.bias) if self._is_packing_weights else linear

    def stack_linears(self, linears: Sequence[Linear]) -> tuple[Linear, int]:
        # One product with a wide matrix keeps the cores busier than three with narrow ones.
        weight = torch.cat([linear.weight for linear in linears])
        return self.prepare_linear(Linear(weight, torch.cat([linear.bias for linear in linears]))), len(linears)

    def asarray(self, values: Array) -> Array:
        return torch.from_numpy(values).to(self._device)

    def to_numpy(self, x: Array) -> Array:
        return (x.float() if x.is_floating_point() else x).cpu().numpy()

    def embedding(self, ids: Array, table: Array) -> Array:
        return F.embedding(ids, table)

    def linear(self, x: Array, linear: Linear) -> Array:
        if linear.weight.is_mkldnn:
            return _packed_linear(x, linear)
        return F.linear(x, linear.weight, linear.bias)

    def linear_activation(self, x: Array, linear: Linear, activation: str) -> Array:
        if linear.weight.is_mkldnn and activation in _FASTER_UNFUSED:
            return _FASTER_UNFUSED[activation](self.linear(x, linear))
        if linear.weight.is_mkldnn and activation in _FUSED:
            return _packed_linear(x, linear, *_FUSED[activation])
        return _activation(activation)(self.linear(x, linear))

    def linear_stacked(self, x: Array, stacked: tuple[Linear, int]) -> Sequence[Array]:
        linear, count = stacked
        return list(self.linear(x, linear).chunk(count, dim=-1))

    def layer_norm(self, x: Array, norm: LayerNorm, eps: float) -> Array:
        return F.layer_norm(x, x.shape[-1:], norm.weight, norm.bias, eps)

    def tanh(self, x: Array) -> Array:
        return torch.tanh(x)

    def attention(self, query: Array, key: Array, value: Array, mask: Array | None) -> Array:
        return F.scaled_dot_product_attention(query, key, value, attn_mask=mask)

    def attention_weights(self, query: Array, key: Array, mask: Array | None) -> Array:
        scores = query @ key.transpose(-1, -2)
        scores *= query.shape[-1] ** -0.5
        if mask is not None:
            scores.masked_fill_(~mask, -torch.inf)
        return scores.softmax(-1, dtype=torch.float32).to(query.dtype)

    def rotate(self, x: Array, cosine: Array, sine: Array) -> Array:
        # (..., heads, 2, head_size / 2), split into the first and the second of each pair
        first, second = x.float().unflatten(-1, (-1, 2, cosine.shape[-1])).unbind(-2)
        cosine, sine = cosine.unsqueeze(-2), sine.unsqueeze(-2)
        turned = torch.stack((first * cosine - second * sine, second * cosine + first * sine), -2)
        return turned.flatten(-3).to(x.dtype)

    def split_heads(self, x: Array, heads: int) -> Array:
        batch, seq, hidden = x.shape
        return x.view(batch, seq, heads, hidden // heads).transpose(1, 2)

    def merge_heads(self, x: Array) -> Array:
        batch, heads, seq, head_size = x.shape
        return x.transpose(1, 2).reshape(batch, seq, heads * head_size)

    def to_float32(self, x: Array) -> Array:
        return x.float()

    def is_finite(self, x: Array) -> bool:
        # Infinities and NaN carry over into the sum, which needs no temporary array of the size of x.
        return bool(x.sum(dtype=torch.float32).isfinite())

    def concatenate(self, arrays: Sequence[Array], axis: int = 0) -> Array:
        return torch.cat(tuple(arrays), axis)

    def zeros_like(self, x: Array, shape: tuple[int, ...]) -> Array:
        return x.new_zeros(shape)

    def stack_last(self, arrays: Sequence[Array]) -> Array:
        return torch.stack(tuple(arrays), -1)

    def entropy(self, p: Array) -> Array:
        # More than twice as fast as xlogy, which is not vectorised on the CPU.
        return -p.clamp_min(torch.finfo(p.dtype).tiny).log_().mul_(p).sum(-1)

    def clamp_min(self, x: Array, smallest: float) -> Array:
        return x.clamp_min(smallest)

    def amax(self, x: Array) -> Array:
        return x.amax(-1)

    def log_sum_exp(self, logits: Array) -> Array:
        return logits.float().logsumexp(-1)

    def top_k(self, x: Array, k: int) -> tuple[Array, Array]:
        values, ids = x.topk(k, dim=-1)
        return values, ids


def _has_fast_layout(dtype: torch.dtype) -> bool:
    """Return True if products of this type are faster with a weight in oneDNN's own layout than with a plain matrix.

    They are by a fifth in float32. In bfloat16 they are if the processor multiplies it.
    """
    if dtype == torch.bfloat16:
        return multiplies_bfloat16("cpu") and onednn_is_usable(dtype)
    return dtype == torch.float32 and onednn_is_usable(dtype)


@cache
def onednn_is_usable(dtype: torch.dtype) -> bool:
    """Return True if oneDNN's linear layers give the results of torch's own, but for the rounding of the type.

    torch.compile uses these operators for linear layers on the CPU. They are private and may change or disappear, so
    they are tried on a small input, once per process and type.
    """
    generator = torch.Generator().manual_seed(0)
    x, weight, bias = (torch.randn(shape, generator=generator).to(dtype) for shape in ((2, 3, 40), (24, 40), (24,)))
    expected = F.linear(x.float(), weight.float(), bias.float())
    try:
        packed = Linear(_pack(weight), bias)
        outputs = {"linear": (_packed_linear(x, packed), expected)}
        for name, fused in _FUSED.items():
            outputs[name] = _packed_linear(x, packed, *fused), _ACTIVATIONS[name](expected)
        wrong = [name for name, (found, wanted) in outputs.items() if not _is_close(found, wanted)]
        problem = f"oneDNN computes {wrong[0]} wrongly" if wrong else ""
    except Exception as error:  # an operator that is missing, has another signature, or fails
        problem = " ".join(f"{type(error).__name__}: {error}".split())
    if problem:
        _log.debug("linear layers run without oneDNN's layout: %s", problem)
    return not problem


def _pack(weight: torch.Tensor) -> torch.Tensor:
    """Convert a weight to oneDNN's own layout."""
    packed: torch.Tensor = torch.ops.mkldnn._reorder_linear_weight(weight)
    return packed


def _packed_linear(x: torch.Tensor, linear: Linear, activation: str = "none", algorithm: str = "") -> torch.Tensor:
    """Compute x W^T + b with a packed weight, then an activation as oneDNN spells it."""
    product: torch.Tensor
    rows = x.shape[:-1].numel()
    extra = _extra_rows(rows) if x.dtype == torch.bfloat16 else 0
    if extra:
        x, shape = F.pad(x.reshape(rows, -1), (0, 0, 0, extra)), x.shape[:-1]
    product = torch.ops.mkldnn._linear_pointwise(x, linear.weight, linear.bias, activation, [], algorithm)
    return product[:rows].view(*shape, -1) if extra else product


def _extra_rows(rows: int) -> int:
    """Return the number of rows to add, so that the number of rows is one that recurs."""
    return -rows % (_ROWS if rows > _ROWS else _FEW_ROWS)


def _is_close(found: torch.Tensor, expected: torch.Tensor) -> bool:
    tolerance = 1e-5 if found.dtype == torch.float32 else 0.02
    return found.shape == expected.shape and torch.allclose(found.float(), expected, tolerance, tolerance)


def _activation(name: str) -> Callable[[Array], Array]:
    try:
        return _ACTIVATIONS[name]
    except KeyError:
        raise UnsupportedModel(
            f"the torch engine does not support hidden_act {name!r}, only {', '.join(_ACTIVATIONS)}",
            hint="use --engine transformers",
        ) from None


def _tensor(raw: Array) -> torch.Tensor:
    """Return a stored tensor as a torch tensor. In a numpy array, uint16 is the bits of bfloat16."""
    if isinstance(raw, torch.Tensor):
        return raw
    tensor = torch.from_numpy(raw)
    return tensor.view(torch.bfloat16) if tensor.dtype == torch.uint16 else tensor
