"""Measure the peak memory of `encode --long windows` for documents, which must not depend on their length.

The program encodes a document of ten thousand tokens and one of a million into a Parquet file. The model is a random
checkpoint of one narrow layer with the bundled vocabulary, so that a run takes minutes.

    pip install -e '.[bench,parquet]'
    python benchmarks/documents.py
"""

import argparse
import sys
import tempfile
from pathlib import Path

from memory import save_tiny
from processes import run_process
from samples import short_lines, write_lines

# Tokens of a line of short_lines, on average. Its words are one token each.
TOKENS_OF_LINE = 8.5
# The text itself has about 6 MB, and so has the line that it is read from. Its tokens are in arrays of 16 MB.
WANTED_GROWTH = 64


def main() -> None:
    """Run the benchmark and print the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--tokens", type=int, nargs=2, default=[10_000, 1_000_000], help="tokens of the documents (10000 1000000)"
    )
    parser.add_argument("--engine", default="torch", help="engine, as for bertcli (torch)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        model = save_tiny(scratch)
        peaks = []
        for count in options.tokens:
            document = " ".join(short_lines(round(count / TOKENS_OF_LINE)))
            file = write_lines(scratch / "document.txt", [document])
            command = [sys.executable, "-m", "bertcli", "encode", "--long", "windows", "--engine", options.engine]
            command += ["-q", "--force", "-m", model, "-f", file, "-o", scratch / "out.parquet"]
            run = run_process(command, scratch)
            peaks.append(run.peak_mib)
            print(f"{count:,} tokens: {run.seconds:,.0f} s, {run.peak_mib:,.0f} MiB", flush=True)
        print(f"growth: {peaks[1] - peaks[0]:,.0f} MiB (target: {WANTED_GROWTH})")


if __name__ == "__main__":
    main()
