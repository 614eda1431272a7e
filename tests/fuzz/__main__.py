"""Run the fuzzer: `python -m tests.fuzz SEED` for one case, `python -m tests.fuzz --cases N` for many."""

import argparse
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from tests.fuzz.play import Player, Report, reproduction


def main() -> int:
    """Run one case or many, and print the problems and the figures."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("one", nargs="?", type=int, metavar="SEED", help="run this case and show its output")
    parser.add_argument("--cases", type=int, default=300, help="number of cases to run (default: 300)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the first case (default: 0)")
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="bertcli-fuzz-"))
    with Player(folder) as player:
        if given.one is not None:
            return _show(player.play(given.one, keep=True))
        reports = []
        for seed in range(given.seed, given.seed + given.cases):
            reports.append(player.play(seed))
            if reports[-1].problems:
                print(reports[-1], flush=True)
    print(figures(reports))
    return int(any(report.problems for report in reports))


def _show(report: Report) -> int:
    print(reproduction(report.case, report.folder))
    for number, run in enumerate(report.runs, 1):
        print(f"run {number}: exit code {run.code} after {run.seconds:.2f} s, signals {list(run.sent)}")
        print(run.stdout[:2000].decode(errors="backslashreplace"))
        print(run.stderr[-4000:].decode(errors="backslashreplace"), end="")
    print("\n".join(report.problems) or "no problem")
    return int(bool(report.problems))


def figures(reports: Sequence[Report]) -> str:
    """Return the figures of many cases, as docs/reliability.md shows them."""
    runs = [run for report in reports for run in report.runs]
    codes = Counter(run.code for run in runs)
    stops = sorted(run.after_signal for run in runs if run.after_signal is not None and run.code in (130, 143, 129))
    kills = sum(report.survived_kill for report in reports)
    failed = sum(bool(report.problems) for report in reports)
    lines = [
        f"cases: {len(reports):,}, runs: {len(runs):,}, cases with a problem: {failed:,}",
        f"exit codes: {', '.join(f'{code}: {count:,}' for code, count in sorted(codes.items()))}",
        f"interrupts: {len(stops):,}, kills: {codes[-9]:,}, resumed after a kill: {kills:,}",
        f"median run: {median(run.seconds for run in runs):.2f} s, "
        f"longest run: {max(run.seconds for run in runs):.1f} s",
    ]
    if stops:
        lines.append(f"from signal to end: median {median(stops):.2f} s, longest {stops[-1]:.2f} s")
    return "\n".join(lines)


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)
