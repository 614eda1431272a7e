"""safetensors headers, compared with the safetensors package, and errors for damaged ones."""

import json
from collections.abc import Callable
from math import prod
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file

from bertcli.checkpoints.safetensors import BITS_OF_DTYPE, MappedTensors, TensorInfo, read_header, release_pages
from bertcli.errors import BadCheckpoint
from bertcli.model.ops.numpy_ops import widen

DTYPES = [
    torch.float64, torch.float32, torch.float16, torch.bfloat16,
    torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool,
]  # fmt: skip


@st.composite
def tensors(draw: st.DrawFn) -> dict[str, torch.Tensor]:
    """Tensors of every dtype and of shapes from scalars to three axes, empty ones too."""
    names = draw(st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), unique=True, max_size=6))
    return {name: draw(tensor()) for name in names if name != "__metadata__"}


@st.composite
def tensor(draw: st.DrawFn) -> torch.Tensor:
    shape = draw(st.lists(st.integers(0, 4), max_size=3))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 1000)))
    return (torch.rand(shape, generator=generator) * 200 - 100).to(draw(st.sampled_from(DTYPES)))


@given(tensors(), st.booleans())
def test_a_header_agrees_with_the_safetensors_package(stored: dict[str, torch.Tensor], has_metadata: bool) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "model.safetensors"
        save_file(stored, path, {"format": "pt"} if has_metadata else None)
        infos = {info.name: info for info in read_header(path)}
        with safe_open(path, "pt") as opened:
            assert infos.keys() == set(opened.keys())
            for name, info in infos.items():
                lazy = opened.get_slice(name)
                assert (info.dtype, list(info.shape)) == (lazy.get_dtype(), lazy.get_shape())
                assert info.parameters == stored[name].numel()
                assert info.nbytes == stored[name].numel() * stored[name].element_size()


@given(tensors())
def test_a_mapped_tensor_holds_the_bits_that_were_saved(stored: dict[str, torch.Tensor]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "model.safetensors"
        save_file(stored, path)
        read = MappedTensors()
        for info in read_header(path):
            found, saved = read(info), stored[info.name]
            bits = saved.view(torch.uint16) if saved.dtype == torch.bfloat16 else saved
            assert found.dtype == bits.numpy().dtype
            np.testing.assert_array_equal(found, bits.numpy())
            assert found.shape == saved.shape


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16], ids=str)
def test_a_mapped_tensor_is_widened_to_its_float32(tmp_path: Path, dtype: torch.dtype) -> None:
    stored = torch.randn(7, 5).to(dtype)
    save_file({"a": stored}, tmp_path / "model.safetensors")
    [info] = read_header(tmp_path / "model.safetensors")
    found = widen(MappedTensors()(info))
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, stored.float().numpy())


def test_writing_to_a_mapped_tensor_does_not_reach_the_file(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    save_file({"a": torch.zeros(3)}, path)
    read = MappedTensors()
    read(read_header(path)[0])[:] = 7
    assert load_file(path)["a"].tolist() == [0, 0, 0]


def resident_kib(path: Path) -> int:
    """Return how much of a mapped file is in this process's memory."""
    maps = Path("/proc/self/smaps").read_text(encoding="utf-8").split(str(path))[1]
    return int(maps.partition("Rss:")[2].split()[0])


@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="only Linux shows the memory of a mapping")
def test_released_pages_leave_memory_and_are_read_again(tmp_path: Path) -> None:
    stored = {name: torch.randn(512, 512) for name in ("a", "b")}  # 1 MiB each
    path = tmp_path / "model.safetensors"
    save_file(stored, path)
    read = MappedTensors()
    first, second = (read(info) for info in read_header(path))
    before = (first.sum(), second.sum())
    assert resident_kib(path) >= 2000
    release_pages(first[256:])  # a view of a view
    assert 1000 <= resident_kib(path) <= 1700
    release_pages(first)
    release_pages(second)
    assert resident_kib(path) <= 100  # pages that tensors share
    assert (first.sum(), second.sum()) == before


def test_tensors_that_are_not_mapped_whole_are_not_released(tmp_path: Path) -> None:
    own = np.ones(10_000)
    release_pages(own)
    assert own.sum() == 10_000
    path = write(tmp_path, {"a": entry([2, 8192], 0, 65536)}, 65536)
    columns = MappedTensors()(read_header(path)[0])[:, ::2]
    release_pages(columns)
    assert columns.sum() == 0


def test_tensors_come_in_the_order_of_their_bytes(tmp_path: Path) -> None:
    path = write(tmp_path, {"late": entry([2], 12, 20), "early": entry([3], 0, 12), "none": entry([0], 0, 0)}, 20)
    assert [info.name for info in read_header(path)] == ["none", "early", "late"]


def entry(shape: Any, begin: Any, end: Any, dtype: Any = "F32") -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def write(folder: Path, header: object, size: int = 0, *, length: int | None = None) -> Path:
    """Write a safetensors file by hand. length: the length of the header that it claims."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    claimed = len(text) if length is None else length
    path = folder / "model.safetensors"
    path.write_bytes(claimed.to_bytes(8, "little") + text + bytes(size))
    return path


HEADER_ONLY = {"a": entry([2], 0, 8)}


@pytest.mark.parametrize(
    ("header", "size", "why"),
    [
        (b"", 0, "not JSON"),
        (b"{", 0, "not JSON"),
        (b"\xff\xfe{}", 0, "not JSON"),
        (b"[" * 100_000, 0, "not JSON"),
        ([], 0, "not a JSON object"),
        ({"a": 3}, 0, "malformed"),
        ({"a": []}, 0, "malformed"),
        ({"a": {}}, 0, "malformed"),
        ({"a": {"dtype": "F32", "shape": [1]}}, 4, "malformed"),
        ({"a": entry([2], 0, 8, "F7")}, 8, "unknown dtype 'F7'"),
        ({"a": entry([2], 0, 8, None)}, 8, "unknown dtype"),
        ({"a": entry([2], 0, 8, ["F32"])}, 8, "malformed"),
        ({"a": entry([-2], 0, -8)}, 8, "not a whole number"),
        ({"a": entry([2.0], 0, 8)}, 8, "not a whole number"),
        ({"a": entry([True, 2], 0, 8)}, 8, "not a whole number"),
        ({"a": entry("2", 0, 8)}, 8, "not a whole number"),
        ({"a": entry(2, 0, 8)}, 8, "malformed"),
        ({"a": entry([1 << 60] * 100_000, 0, 4)}, 4, "a has 100,000 dimensions"),  # minutes to multiply
        ({"a": entry([2], "0", 8)}, 8, "not a whole number"),
        ({"a": entry([2], -8, 0)}, 8, "not a whole number"),
        ({"a": entry([3], 0, 8)}, 8, "8 bytes, but its shape needs 12"),
        ({"a": entry([10**30], 0, 8)}, 8, "but its shape needs"),
        ({"a": entry([2], 8, 0)}, 8, "malformed"),
        ({"a": entry([2], 0, 8), "b": entry([2], 4, 12)}, 12, "b does not begin where the tensor before it ends"),
        ({"a": entry([2], 0, 8), "b": entry([2], 0, 8)}, 8, "does not begin where the tensor before it ends"),
        ({"a": entry([2], 0, 8), "b": entry([2], 12, 20)}, 20, "b does not begin where the tensor before it ends"),
        ({"a": entry([2], 4, 12)}, 12, "a does not begin"),
        (HEADER_ONLY, 7, "bytes, but its header describes"),
        (HEADER_ONLY, 0, "bytes, but its header describes"),
        (HEADER_ONLY, 9, "bytes, but its header describes"),
    ],
)
def test_a_damaged_header_is_a_bad_checkpoint_that_names_the_file(
    tmp_path: Path, header: object, size: int, why: str
) -> None:
    path = write(tmp_path, header, size)
    with pytest.raises(BadCheckpoint) as raised:
        read_header(path)
    assert raised.value.message.startswith(f"{path} is damaged: ")
    assert why in raised.value.message
    assert raised.value.hint


@pytest.mark.parametrize("length", [100, 2**32, 2**63, 2**64 - 1])
def test_a_header_longer_than_its_file_is_not_read_into_memory(tmp_path: Path, length: int) -> None:
    with pytest.raises(BadCheckpoint, match="cut short"):
        read_header(write(tmp_path, HEADER_ONLY, 8, length=length))


def test_a_header_beyond_the_formats_limit_is_not_read_into_memory(tmp_path: Path) -> None:
    path = write(tmp_path, {}, length=100_000_001)
    with path.open("r+b") as file:
        file.truncate(100_000_100)  # sparse: takes no disk space
    with pytest.raises(BadCheckpoint, match="cut short"):
        read_header(path)


@pytest.mark.parametrize("size", [0, 1, 7])
def test_a_file_shorter_than_its_first_number_is_damaged(tmp_path: Path, size: int) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(bytes(size))
    with pytest.raises(BadCheckpoint, match="cut short" if size else "empty"):
        read_header(path)


@given(st.data())
def test_a_file_cut_anywhere_is_damaged(data: st.DataObject) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "model.safetensors"
        save_file({"a": torch.ones(3, 2), "b": torch.ones(4)}, path)
        whole = path.read_bytes()
        path.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
        with pytest.raises(BadCheckpoint, match="is damaged"):
            read_header(path)


def accepts(read: Callable[[Path], object], path: Path) -> bool:
    try:
        read(path)
    except (BadCheckpoint, SafetensorError):
        return False
    return True


@st.composite
def almost_whole_headers(draw: st.DrawFn) -> tuple[dict[str, Any], int]:
    """Draw a header of contiguous tensors in any order; some offsets, and the file's size, may be wrong."""
    sizes, begin = {"F32": 4, "F16": 2, "U8": 1}, 0
    entries = {}
    for name in draw(st.permutations("abcd")):
        dtype, shape = draw(st.sampled_from(list(sizes))), draw(st.lists(st.integers(0, 3), max_size=2))
        end = begin + prod(shape) * sizes[dtype]
        wrong = draw(st.sampled_from([0] * 12 + [-1, 2]))
        entries[name] = entry(shape, begin + wrong, end + wrong, dtype)
        begin = end
    return {name: entries[name] for name in sorted(entries)}, max(begin + draw(st.sampled_from([0] * 8 + [-1, 1])), 0)


@given(almost_whole_headers())
@settings(max_examples=300)
def test_the_same_headers_are_valid_as_for_the_safetensors_package(header: tuple[dict[str, Any], int]) -> None:
    with TemporaryDirectory() as folder:
        path = write(Path(folder), *header)
        assert accepts(read_header, path) == accepts(load_file, path)


def test_an_unaligned_tensor_is_read(tmp_path: Path) -> None:
    values = np.arange(6, dtype=np.float32)
    text = json.dumps({"a": entry([2, 3], 0, 24)}).encode()
    text += b" " * (1 - len(text) % 2)
    path = tmp_path / "model.safetensors"
    path.write_bytes(len(text).to_bytes(8, "little") + text + values.tobytes())
    [info] = read_header(path)
    assert info.offset % 4
    np.testing.assert_array_equal(MappedTensors()(info), values.reshape(2, 3))


@pytest.mark.parametrize(
    ("dtype", "nbytes"), [("F64", 96), ("BF16", 24), ("BOOL", 12), ("F8_E8M0", 12), ("F6_E2M3", 9), ("F4", 6)]
)
def test_bytes_are_parameters_times_the_size_of_the_dtype(dtype: str, nbytes: int) -> None:
    assert TensorInfo("a", dtype, (3, 4), Path(), 0).nbytes == nbytes


@pytest.mark.parametrize("dtype", BITS_OF_DTYPE)
def test_every_dtype_of_the_safetensors_package_is_known(tmp_path: Path, dtype: str) -> None:
    nbytes = BITS_OF_DTYPE[dtype]
    path = write(tmp_path, {"a": entry([2, 4], 0, nbytes, dtype)}, nbytes)
    assert [(info.dtype, info.nbytes) for info in read_header(path)] == [(dtype, nbytes)]
    with safe_open(path, "np") as opened:
        assert opened.get_slice("a").get_dtype() == dtype


@pytest.mark.parametrize(
    ("header", "name"),
    [
        (b'{"a": {"dtype": "U8", "shape": [0], "data_offsets": [0, 0]}, "a": {}}', "a"),
        (b'{"a": {"dtype": "U8", "shape": [0], "shape": [0], "data_offsets": [0, 0]}}', "shape"),
    ],
)
def test_a_name_that_a_header_has_twice_is_damage(tmp_path: Path, header: bytes, name: str) -> None:
    with pytest.raises(BadCheckpoint, match=f"its header has '{name}' twice"):
        read_header(write(tmp_path, header))


def test_a_name_that_is_not_text_is_damage(tmp_path: Path) -> None:
    with pytest.raises(BadCheckpoint, match="malformed"):
        read_header(write(tmp_path, {"\ud800": entry([0], 0, 0)}))


def test_too_many_tensors_are_an_error_before_they_are_checked(tmp_path: Path) -> None:
    path = write(tmp_path, {str(number): {"data_offsets": 0} for number in range(50_001)})
    with pytest.raises(BadCheckpoint, match="lists 50,001 tensors, and the limit is 50,000"):
        read_header(path)
