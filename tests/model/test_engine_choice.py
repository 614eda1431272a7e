"""Which engine computes, and where, for what is asked and for how much work."""

from typing import Any

import pytest
import torch

from bertcli.errors import DeviceUnavailable, WrongUsage
from bertcli.model.engine_choice import CheckpointTraits, EngineChoice, choose_engine, encoder_work

BEST = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
LITTLE, MUCH = 0.0, 1e15
NO_CUDA = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
ONLY_WITHOUT_CUDA = pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")


def placed(
    engine: str = "auto",
    device: str = "auto",
    dtype: str = "float32",
    *,
    is_pickled: bool = False,
    work: float = LITTLE,
) -> tuple[str, str, str]:
    found = choose_engine(engine, device, dtype, CheckpointTraits(is_pickled), lambda: work)
    assert isinstance(found, EngineChoice)
    return found.engine, found.device, found.dtype


def test_little_work_goes_to_numpy_and_much_to_torch() -> None:
    assert placed(work=LITTLE) == ("numpy", "cpu", "float32")
    assert placed(work=MUCH) == ("torch", BEST, "float32")
    assert placed(device="cpu", work=LITTLE) == ("numpy", "cpu", "float32")
    assert placed(device="cpu", work=MUCH) == ("torch", "cpu", "float32")


def test_what_only_torch_can_do_goes_to_torch_however_little_it_is() -> None:
    assert placed(dtype="float16") == ("torch", BEST, "float16")
    assert placed(device="cpu", dtype="bfloat16") == ("torch", "cpu", "bfloat16")
    assert placed(is_pickled=True) == ("torch", BEST, "float32")


@pytest.mark.parametrize(("is_fast", "dtype"), [(True, "bfloat16"), (False, "float32")])
def test_auto_dtype_is_bfloat16_where_torch_computes_on_hardware_that_multiplies_it(
    monkeypatch: pytest.MonkeyPatch, is_fast: bool, dtype: str
) -> None:
    monkeypatch.setattr("bertcli.model.ops.torch_ops.multiplies_bfloat16", lambda device: is_fast)
    assert placed(device="cpu", dtype="auto", work=MUCH) == ("torch", "cpu", dtype)
    assert placed("transformers", "cpu", "auto") == ("transformers", "cpu", dtype)
    assert placed(device="cpu", dtype="auto", work=LITTLE) == ("numpy", "cpu", "float32")
    assert placed("numpy", dtype="auto", work=MUCH) == ("numpy", "cpu", "float32")
    traits = CheckpointTraits(needs_gradients=True)
    assert choose_engine("auto", "cpu", "auto", traits, lambda: MUCH).dtype == "float32"


@pytest.mark.parametrize("engine", ["torch", "transformers"])
def test_an_engine_that_is_asked_for_computes_however_little_it_is(engine: str) -> None:
    assert placed(engine, "cpu") == (engine, "cpu", "float32")
    assert placed(engine, dtype="bfloat16") == (engine, BEST, "bfloat16")


def test_numpy_computes_however_much_it_is_where_it_is_asked_for() -> None:
    assert placed("numpy", work=MUCH) == ("numpy", "cpu", "float32")
    assert placed("numpy", "cpu", work=MUCH) == ("numpy", "cpu", "float32")


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({"work": 7e7}, "about 7e+07 floating-point operations, under the 3e+11 that torch is loaded for"),
        ({"work": 1e15}, "about 1e+15 floating-point operations, at least the 3e+11 that torch is loaded for"),
        ({"engine": "torch"}, "--engine torch"),
        ({"is_pickled": True}, "numpy cannot do this: it does not read pytorch_model.bin"),
    ],
)
def test_the_debug_log_names_the_engine_and_the_reason(
    caplog: pytest.LogCaptureFixture, asked: dict[str, Any], reason: str
) -> None:
    with caplog.at_level("DEBUG", "bertcli"):
        engine, device, dtype = placed(**asked)
    assert caplog.messages == [f"engine {engine} on {device} in {dtype}: {reason}"]


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({"device": "cuda"}, "on the CPU, not on cuda"),
        ({"device": "cuda:1"}, "on the CPU, not on cuda:1"),
        ({"device": "mps"}, "on the CPU, not on mps"),
        ({"dtype": "float16"}, "in float32, not in float16"),
        ({"is_pickled": True}, "does not read pytorch_model.bin"),
    ],
    ids=str,
)
def test_numpy_refuses_what_it_cannot_do_and_says_why(asked: dict[str, object], why: str) -> None:
    with pytest.raises(WrongUsage) as raised:
        placed("numpy", **asked)
    assert why in raised.value.message
    assert "--engine torch" in raised.value.hint


@pytest.mark.parametrize("device", ["gpu", "cuda:", "cuda:x", "CPU", "cpu:0", "", "cuda:-1"])
@pytest.mark.parametrize("engine", ["auto", "numpy", "torch"])
def test_a_device_that_nobody_knows_is_wrong_usage(engine: str, device: str) -> None:
    with pytest.raises(WrongUsage, match=f"there is no device '{device}'"):
        placed(engine, device)


@ONLY_WITHOUT_CUDA
@pytest.mark.parametrize("gpu_file", ["/dev/no-gpu", "/dev/null"])
@pytest.mark.parametrize("device", ["cuda", "cuda:0", "cuda:99", "cuda:128", "cuda:99999999999999999999"])
@pytest.mark.parametrize("engine", ["auto", "torch", "transformers"])
def test_cuda_where_there_is_none_is_an_error_and_no_way_round_it_is_taken(
    monkeypatch: pytest.MonkeyPatch, engine: str, device: str, gpu_file: str
) -> None:
    monkeypatch.setattr("bertcli.model.dtypes.GPU_FILES", (gpu_file,))
    with pytest.raises(DeviceUnavailable) as raised:
        placed(engine, device)
    assert "--device" in raised.value.hint


@pytest.mark.cuda
@NO_CUDA
def test_cuda_is_what_auto_takes_and_a_device_that_is_not_there_is_counted_out() -> None:
    assert placed(work=MUCH) == ("torch", "cuda", "float32")
    assert placed(device="cuda:0") == ("torch", "cuda:0", "float32")
    for device in ("cuda:99", "cuda:128", "cuda:99999999999999999999"):
        with pytest.raises(DeviceUnavailable, match="counted from 0"):
            placed(device=device)


def test_work_grows_with_the_text_and_with_the_layers_parameters() -> None:
    assert encoder_work(0, 85_000_000) == 0
    assert encoder_work(4, 85_000_000) == 2 * 85_000_000  # a token, a multiplication and an addition a parameter
    assert encoder_work(400, 10) == 100 * encoder_work(4, 10)
