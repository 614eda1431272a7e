"""Measurement of whole processes from outside: wall-clock seconds and peak memory."""

import os
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

_KIB_PER_MIB = 1024


@dataclass(frozen=True, slots=True)
class Run:
    """The measurements of one process: seconds from start to end, and the largest resident set in MiB."""

    seconds: float
    peak_mib: float


def run_process(arguments: Sequence[str | Path], cwd: Path) -> Run:
    """Run a process to its end and drop its output.

    Args:
        arguments: The command line.
        cwd: The working directory; the standard error is written to a file in it.

    Raises:
        RuntimeError: The process failed; the message holds its standard error.
    """
    # Allow bytecode files, since an installed package has them.
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    with (cwd / "stderr.txt").open("w+") as errors:
        start = time.perf_counter()
        process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=errors, cwd=cwd, env=env)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        errors.seek(0)
        if process.returncode:
            raise RuntimeError(f"{arguments} exited with {process.returncode}: {errors.read()}")
    return Run(seconds, _peak_mib(usage))


def random_bert_base(scratch: Path) -> Path:
    """Save a random checkpoint of bert-base's size, in a process of its own, and return its folder."""
    folder = scratch / "bert-base"
    run_process([sys.executable, Path(__file__).with_name("checkpoints.py"), folder], scratch)
    return folder


def median_run(runs: Sequence[Run]) -> Run:
    """Return the median of each measurement."""
    return Run(median(run.seconds for run in runs), median(run.peak_mib for run in runs))


def _peak_mib(usage: resource.struct_rusage) -> float:
    unit = _KIB_PER_MIB if sys.platform != "darwin" else _KIB_PER_MIB * 1024
    return usage.ru_maxrss / unit
