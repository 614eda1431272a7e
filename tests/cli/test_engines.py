"""Engines: all compute the same numbers, and the output names the engine."""

from typing import Any

import numpy as np
import pytest

from tests.cli.process import assert_failed, printed, run
from tests.tiny import VOCABULARY

# Two lengths, so that there is padding.
ARGUMENTS = {
    "encode": ("encode", "how [MASK] you", "the cat sat on the [MASK]", "--tokens", "--pooler", "--layers", "all"),
    "fill-mask": ("fill-mask", "how [MASK] you", "the cat sat on the [MASK]", "-k", str(len(VOCABULARY))),
    "attn": ("attn", "how [MASK] you", "the cat sat on the [MASK]", "--layer", "1", "--head", "2"),
}


def numbers(value: Any) -> list[float]:
    """Return all numbers in a JSON value, in order."""
    if isinstance(value, dict):
        return [number for name, part in value.items() if name != "rank" for number in numbers(part)]
    if isinstance(value, list):
        return [number for part in value for number in numbers(part)]
    return [float(value)] if isinstance(value, (int, float)) else []


def sort_candidates(records: Any) -> Any:
    """Sort the candidates by vocabulary, since two with almost equal scores may change places."""
    for record in records:
        for mask in record.get("masks", ()):
            mask["predictions"].sort(key=lambda prediction: prediction["token"])
    return records


@pytest.mark.parametrize(
    ("command", "engine"),
    [
        ("encode", "torch"),
        ("attn", "torch"),
        ("fill-mask", "transformers"),
        pytest.param("fill-mask", "torch", marks=pytest.mark.slow),
        pytest.param("encode", "transformers", marks=pytest.mark.slow),
        pytest.param("attn", "transformers", marks=pytest.mark.slow),
    ],
)
def test_an_engine_agrees_with_numpy(tiny: tuple[str, str], command: str, engine: str) -> None:
    document = run(*ARGUMENTS[command], *tiny, "--engine", engine, "--device", "cpu", "--json").json()
    expected = printed(*ARGUMENTS[command], *tiny, "--engine", "numpy", "--json").json()
    assert (document["engine"], expected["engine"]) == (engine, "numpy")
    np.testing.assert_allclose(
        numbers(sort_candidates(document["records"])),
        numbers(sort_candidates(expected["records"])),
        rtol=1e-5,
        atol=1e-5,
    )


def test_half_precision_runs_on_torch_and_the_output_names_it(tiny: tuple[str, str]) -> None:
    document = run("encode", "how are you", *tiny, "--dtype", "bfloat16", "--device", "cpu", "--json", "-q").json()
    assert (document["engine"], document["dtype"]) == ("torch", "bfloat16")
    (expected,) = printed("encode", "how are you", *tiny, "--json").records()
    difference = np.abs(np.subtract(document["records"][0]["embedding"], expected["embedding"]))
    assert 1e-5 < difference.max() < 0.1


def test_shapes_shows_the_bytes_of_half_precision(tiny: tuple[str, str]) -> None:
    output = run("shapes", "--seq", "8", *tiny, "--dtype", "float16", "--json").json()["classes"][0]["outputs"][0]
    assert (output["dtype"], output["bytes"]) == ("float16", 8 * 24 * 2)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--engine", "numpy", "--dtype", "float16"), "float32, not in float16"),
        (("--engine", "numpy", "--device", "cuda"), "on the CPU, not on cuda"),
        (("--device", "gpu"), "no device 'gpu'"),
        (("--device", "cuda:x"), "no device 'cuda:x'"),
    ],
)
def test_an_engine_without_the_device_or_dtype_is_wrong_usage(
    tiny: tuple[str, str], options: tuple[str, ...], words: str
) -> None:
    assert_failed(run("encode", "how", *tiny, *options), 2, words)


def test_a_missing_gpu_is_an_error(tiny: tuple[str, str]) -> None:
    import torch

    device = f"cuda:{torch.cuda.device_count()}" if torch.cuda.is_available() else "cuda"
    assert_failed(run("encode", "how", *tiny, "--device", device), 1, "there is no ")
