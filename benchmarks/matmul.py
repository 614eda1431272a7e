"""The speed of bertcli's encoder as a share of the speed of a plain float32 matrix product."""

import platform
from collections.abc import Callable, Iterable, Sequence
from math import prod

import torch

from bertcli.checkpoints import layout
from bertcli.checkpoints.config import BertConfig
from bertcli.model.dtypes import CPU_INFO
from bertcli.model.ops.base import Linear
from bertcli.model.ops.torch_ops import TorchOps
from bertcli.model.session import Session
from timing import seconds


def share_of_matmul(session: Session, lengths: Iterable[int], run_seconds: float) -> float:
    """Return the speed of a run divided by that of a matrix product of the size of a batch.

    Args:
        session: The session that ran. Its model has BERT's layers.
        lengths: Number of tokens of each text.
        run_seconds: Duration of the run.
    """
    config = session.config
    assert isinstance(config, BertConfig)
    speed = encoder_operations(config, lengths) / run_seconds
    return speed / matmul_speed(session.batch_tokens, config.hidden_size, config.intermediate_size)


def encoder_operations(config: BertConfig, lengths: Iterable[int]) -> float:
    """Return the floating-point operations of the encoder's matrix products, without padding.

    A layer takes 2 operations for each parameter of its matrices and each token, and 4 n^2 hidden for the products of
    queries, keys and values over n tokens.

    Args:
        config: The model.
        lengths: Number of tokens of each text.
    """
    matrices = sum(prod(shape) for shape in layout.layer_layout(config, 0).values() if len(shape) == 2)
    return float(sum(config.num_hidden_layers * (2 * matrices * n + 4 * n * n * config.hidden_size) for n in lengths))


def matmul_speed(rows: int, hidden: int, inner: int) -> float:
    """Return the best floating-point operations a second of a float32 product, (rows, hidden) by (hidden, inner).

    torch has two libraries for it, and the faster one counts: on some processors MKL reaches less than half the speed
    of oneDNN.
    """
    a, b, out = torch.randn(rows, hidden), torch.randn(hidden, inner), torch.empty(rows, inner)
    ops = TorchOps("cpu", "float32")
    laid_out = ops.prepare_linear(Linear(b.T.contiguous(), torch.zeros(inner)))
    products: Sequence[Callable[[], object]] = (
        lambda: torch.matmul(a, b, out=out),
        lambda: ops.linear(a, laid_out),
    )
    fastest = min(seconds(product) for product in products for _ in range(200))
    return 2.0 * rows * hidden * inner / fastest


def processor_name() -> str:
    """Return the name of the processor, as Linux reports it, and the instructions that torch uses."""
    lines = CPU_INFO.read_text(encoding="utf-8").splitlines() if CPU_INFO.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{names[0] if names else platform.machine()} with {torch.backends.cpu.get_cpu_capability()}"
