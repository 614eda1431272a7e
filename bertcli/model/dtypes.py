"""Number types of the computation, and the types that the hardware multiplies."""

import os.path
import re
import sys
from functools import cache
from pathlib import Path

from bertcli.choices import DtypeName, EngineName

# Files of the drivers of NVIDIA's GPUs, those of its small boards, AMD's GPUs, and GPUs of Windows under Linux.
GPU_FILES = ("/dev/nvidiactl", "/dev/nvhost-gpu", "/dev/nvmap", "/dev/kfd", "/dev/dxg")
CPU_INFO = Path("/proc/cpuinfo")
# Linux's names of the instructions that multiply a number type, on x86 and on Arm.
_INSTRUCTIONS = {
    DtypeName.BFLOAT16: {"avx512_bf16", "amx_bf16", "bf16"},
    DtypeName.FLOAT16: {"avx512_fp16", "amx_fp16", "asimdhp"},
}


def has_gpu_driver() -> bool:
    """Return False if no driver of a GPU that torch calls cuda is loaded. Only Linux shows that."""
    return sys.platform != "linux" or any(map(os.path.exists, GPU_FILES))


def is_multiplied_by_processor(dtype: str) -> bool | None:
    """Return True if the processor multiplies numbers of a type, and False if it emulates the products.

    None means that the system does not tell. Only Linux does.
    """
    if dtype == DtypeName.FLOAT32:
        return True
    flags = _processor_flags(CPU_INFO)
    return bool(_INSTRUCTIONS[DtypeName(dtype)] & flags) if flags else None


@cache
def _processor_flags(cpu_info: Path) -> frozenset[str]:
    try:
        text = cpu_info.read_text(encoding="utf-8")
    except OSError:
        return frozenset()
    found = re.search(r"^(?:flags|Features)\s*:(.*)$", text, re.MULTILINE)
    return frozenset(found[1].split()) if found else frozenset()


def concrete_dtype(dtype: DtypeName, device: str, engine: EngineName) -> DtypeName:
    """Return the dtype that auto means for a long run, or the dtype itself if it is not auto, without loading torch.

    auto is bfloat16 if the hardware multiplies it, else float32. Numbers of float16 overflow too early for a default.

    Args:
        dtype: The requested dtype.
        device: cpu, cuda, cuda:N, mps, or auto for a GPU that CUDA drives, if there is one, or else the CPU.
        engine: The requested engine. numpy computes in float32 alone.
    """
    if dtype != DtypeName.AUTO:
        return dtype
    if engine == EngineName.NUMPY or device == "mps":
        return DtypeName.FLOAT32
    is_on_gpu = device.startswith("cuda") or (device == "auto" and _has_cuda())
    is_fast = is_on_gpu or is_multiplied_by_processor(DtypeName.BFLOAT16)
    return DtypeName.BFLOAT16 if is_fast else DtypeName.FLOAT32


def emulation_note(dtype: DtypeName, device: str) -> str | None:
    """Return a note if the processor emulates the products of a requested dtype, or None.

    The factors were measured on a Xeon, with its instructions for bfloat16 and float16 switched off in oneDNN.
    """
    is_on_processor = device == "cpu" or (device == "auto" and not _has_cuda())
    if dtype == DtypeName.AUTO or not is_on_processor or is_multiplied_by_processor(dtype) is not False:
        return None
    return (
        f"this processor has no instructions that multiply {dtype}, so it takes about 4 to 11 times as long as "
        "float32; --dtype auto selects the fastest type"
    )


def _has_cuda() -> bool:
    return sys.platform == "linux" and has_gpu_driver()
