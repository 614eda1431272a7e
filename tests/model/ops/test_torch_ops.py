"""The torch backend falls back to torch's own linear layer if oneDNN's private operators do not work."""

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
import torch.nn.functional as F  # noqa: N812 - the customary name

from bertcli.model.ops.base import Linear
from bertcli.model.ops.torch_ops import TorchOps, multiplies_bfloat16, onednn_is_usable

LINEAR, REORDER = "_linear_pointwise", "_reorder_linear_weight"
pytestmark = pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="this build of torch has no oneDNN")


def raise_error(*arguments: Any) -> torch.Tensor:
    raise RuntimeError("this build\nhas no such kernel")


def change(wrong: Callable[[torch.Tensor, str], torch.Tensor]) -> Callable[..., torch.Tensor]:
    """Return oneDNN's operator with a change to its output, which also depends on the name of the activation."""
    operator = getattr(torch.ops.mkldnn, LINEAR)

    def changed(*arguments: Any) -> torch.Tensor:
        return wrong(operator(*arguments), arguments[3])

    return changed


@pytest.fixture(autouse=True)
def checked_anew() -> Iterator[None]:
    """Check the operators again in this test, and again after it."""
    onednn_is_usable.cache_clear()
    yield
    onednn_is_usable.cache_clear()


def assert_falls_back(caplog: pytest.LogCaptureFixture, note: str) -> None:
    """Check that linear layers equal torch's own, bit by bit, and that one note for developers says why."""
    caplog.set_level(logging.DEBUG, "bertcli")
    ops = TorchOps("cpu", "float32")
    x, weight, bias = torch.randn(5, 48), torch.randn(32, 48), torch.randn(32)
    linear = ops.prepare_linear(Linear(weight, bias))
    expected = F.linear(x, weight, bias)
    assert torch.equal(ops.linear(x, linear), expected)
    assert torch.equal(ops.linear_activation(x, linear, "gelu"), F.gelu(expected))
    stacked = ops.stack_linears([Linear(weight, bias), Linear(weight, bias)])
    for part in ops.linear_stacked(x, stacked):
        torch.testing.assert_close(part, expected)
    assert [record.getMessage() for record in caplog.records] == [f"linear layers run without oneDNN's layout: {note}"]


def test_operators_that_work_are_used_without_a_note(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "bertcli")
    linear = TorchOps("cpu", "float32").prepare_linear(Linear(torch.randn(32, 48), torch.randn(32)))
    assert linear.weight.is_mkldnn
    assert not caplog.records


@pytest.mark.parametrize("name", [LINEAR, REORDER])
def test_an_operator_that_fails_is_not_used(
    name: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(torch.ops.mkldnn, name, raise_error)
    assert_falls_back(caplog, "RuntimeError: this build has no such kernel")


@pytest.mark.parametrize(
    ("wrong", "note"),
    {
        "slightly": (lambda y, activation: y * 1.0001, "oneDNN computes linear wrongly"),
        "shape": (lambda y, activation: y[..., :1], "oneDNN computes linear wrongly"),
        "nan": (lambda y, activation: y * torch.nan, "oneDNN computes linear wrongly"),
        "activation": (lambda y, activation: y + (activation == "gelu"), "oneDNN computes gelu wrongly"),
    }.values(),
)
def test_an_operator_with_wrong_numbers_is_not_used(
    wrong: Callable[[torch.Tensor, str], torch.Tensor],
    note: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(torch.ops.mkldnn, LINEAR, change(wrong))
    assert_falls_back(caplog, note)


def test_a_missing_operator_is_not_used(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(torch.ops, "mkldnn", object())
    assert_falls_back(caplog, "AttributeError: 'object' object has no attribute '_reorder_linear_weight'")


needs_bfloat16 = pytest.mark.skipif(
    not (multiplies_bfloat16("cpu") and onednn_is_usable(torch.bfloat16)),
    reason="the processor does not multiply bfloat16",
)


@needs_bfloat16
@pytest.mark.parametrize("rows", [1, 16, 17, 128, 130, 256])
@pytest.mark.parametrize("activation", [None, "gelu", "gelu_new"])
def test_products_of_bfloat16_equal_those_of_float32_but_for_rounding(rows: int, activation: str | None) -> None:
    generator = torch.Generator().manual_seed(rows)
    x, weight, bias = (torch.randn(shape, generator=generator) for shape in ((1, rows, 48), (32, 48), (32,)))
    ops = TorchOps("cpu", "bfloat16")
    x, weight, bias = (tensor.bfloat16() for tensor in (x, weight, bias))
    linear = ops.prepare_linear(Linear(weight, bias))
    assert linear.weight.is_mkldnn
    expected = F.linear(x.float(), weight.float(), bias.float())
    found = ops.linear(x, linear)
    if activation is not None:
        found = ops.linear_activation(x, linear, activation)
        expected = F.gelu(expected, approximate="tanh" if activation == "gelu_new" else "none")
    assert found.dtype == torch.bfloat16
    torch.testing.assert_close(found.float(), expected, rtol=0.01, atol=0.02)


@needs_bfloat16
@pytest.mark.parametrize(("count", "extra"), [(5, 11), (16, 0), (100, 12), (128, 0), (129, 127), (300, 84)])
def test_a_short_text_is_filled_up_to_fewer_tokens(count: int, extra: int) -> None:
    assert TorchOps("cpu", "bfloat16").extra_tokens(count) == extra
    assert TorchOps("cpu", "float32").extra_tokens(count) == 0


@needs_bfloat16
def test_an_operator_of_bfloat16_that_fails_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.ops.mkldnn, LINEAR, raise_error)
    ops = TorchOps("cpu", "bfloat16")
    assert ops.extra_tokens(100) == 0
    assert not ops.prepare_linear(Linear(torch.ones(8, 8).bfloat16(), torch.ones(8).bfloat16())).weight.is_mkldnn
