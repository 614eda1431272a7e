"""A long run with ever new batch sizes needs no more memory than a short one."""

import platform
import subprocess
import sys

import pytest

from bertcli.model.resources import limit_onednn_cache

PROGRAM = """
import resource, sys
from bertcli.model.resources import limit_onednn_cache

limit_onednn_cache(is_reduced=True)
import torch

linear = torch.ops.mkldnn._linear_pointwise
weight = torch.ops.mkldnn._reorder_linear_weight(torch.randn(64, 64))
with torch.inference_mode():
    for rows in range(int(sys.argv[1])):
        linear(torch.ones(1, rows + 1, 64), weight, None, "none", [], "")
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def peak(sizes: int) -> int:
    """Return the peak memory in KiB of a process that computes products of the given number of sizes."""
    done = subprocess.run([sys.executable, "-c", PROGRAM, str(sizes)], capture_output=True, text=True, check=True)
    return int(done.stdout)


def test_the_onednn_cache_stays_small() -> None:
    # At their default size the caches would hold 500 MB after 1,000 sizes.
    assert peak(1000) < peak(100) + 30_000


def test_float32_keeps_fewer_products_than_reduced_precision_unless_the_user_sets_a_number(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept = []
    for is_reduced, chosen in ((False, {}), (True, {}), (False, {"LRU_CACHE_CAPACITY": "7"})):
        environment = dict(chosen)
        monkeypatch.setattr("os.environ", environment)
        limit_onednn_cache(is_reduced=is_reduced)
        assert {**environment, **chosen} == environment
        kept.append(int(environment["ONEDNN_PRIMITIVE_CACHE_CAPACITY"]))
    assert 0 < kept[0] == kept[2] < kept[1]


FREED = """
from bertcli.model.resources import trim_heap

def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4

held = [bytearray(50_000) for _ in range(2000)]
last = bytearray(50_000)
before = resident()
held.clear()
freed = resident()
trim_heap()
print(before - freed, freed - resident())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc keeps freed memory, and has malloc_trim")
def test_trim_heap_returns_freed_memory_to_the_system() -> None:
    done = subprocess.run([sys.executable, "-c", FREED], capture_output=True, text=True, check=True)
    by_itself, by_trim = map(int, done.stdout.split())
    assert by_itself < 10_000
    assert by_trim > 60_000
