"""The number type that auto means, and the note about emulated types."""

from pathlib import Path

import pytest

from bertcli.choices import DtypeName, EngineName
from bertcli.model import dtypes
from bertcli.model.dtypes import concrete_dtype, emulation_note, is_multiplied_by_processor

XEON = "processor\t: 0\nflags\t\t: fpu avx512f avx512_bf16 amx_bf16\nbugs\t\t: none\n"
GRAVITON = "processor\t: 0\nFeatures\t: fp asimd asimdhp bf16\n"
OLD = "processor\t: 0\nflags\t\t: fpu avx2 bf16_of_another_name\n"


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the file that describes the processor of a Linux machine without a GPU."""
    monkeypatch.setattr(dtypes, "CPU_INFO", tmp_path / "cpuinfo")
    monkeypatch.setattr(dtypes, "GPU_FILES", (str(tmp_path / "gpu"),))
    monkeypatch.setattr("sys.platform", "linux")
    return tmp_path / "cpuinfo"


@pytest.mark.parametrize(
    ("text", "bfloat16", "float16"),
    [(XEON, True, False), (GRAVITON, True, True), (OLD, False, False), ("", None, None)],
)
def test_the_processor_tells_what_it_multiplies(
    machine: Path, text: str, bfloat16: bool | None, float16: bool | None
) -> None:
    machine.write_text(text)
    assert is_multiplied_by_processor("bfloat16") is bfloat16
    assert is_multiplied_by_processor("float16") is float16
    assert is_multiplied_by_processor("float32") is True


def test_a_system_without_the_file_tells_nothing(machine: Path) -> None:
    assert is_multiplied_by_processor("bfloat16") is None
    assert concrete_dtype(DtypeName.AUTO, "cpu", EngineName.AUTO) == "float32"
    assert emulation_note(DtypeName.BFLOAT16, "cpu") is None


def test_auto_is_bfloat16_where_the_hardware_multiplies_it(machine: Path) -> None:
    auto = DtypeName.AUTO
    machine.write_text(OLD)
    assert concrete_dtype(auto, "auto", EngineName.TORCH) == "float32"
    assert concrete_dtype(auto, "cuda:1", EngineName.AUTO) == "bfloat16"
    machine.with_name("gpu").touch()
    assert concrete_dtype(auto, "auto", EngineName.AUTO) == "bfloat16"
    assert concrete_dtype(auto, "cpu", EngineName.AUTO) == "float32"
    assert concrete_dtype(auto, "mps", EngineName.AUTO) == "float32"
    assert concrete_dtype(auto, "auto", EngineName.NUMPY) == "float32"
    assert concrete_dtype(DtypeName.FLOAT16, "cpu", EngineName.AUTO) == "float16"


def test_a_note_warns_of_emulated_types_on_the_processor_only(machine: Path) -> None:
    machine.write_text(XEON)
    assert emulation_note(DtypeName.BFLOAT16, "auto") is None
    assert emulation_note(DtypeName.AUTO, "auto") is None
    note = emulation_note(DtypeName.FLOAT16, "auto")
    assert note is not None and "float16, so it takes about 4 to 11 times as long as float32" in note
    assert emulation_note(DtypeName.FLOAT16, "cuda") is None
    machine.with_name("gpu").touch()
    assert emulation_note(DtypeName.FLOAT16, "auto") is None
    assert emulation_note(DtypeName.FLOAT16, "cpu") == note
