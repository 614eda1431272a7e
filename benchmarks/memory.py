"""Measure the peak memory of `encode` for a corpus, which must not depend on the size of the corpus.

The program encodes up to a million short lines into a folder of Parquet shards. The model is a random checkpoint of one
narrow layer with the bundled vocabulary, so that a run takes minutes. A larger model adds the size of its weights.

    pip install -e '.[bench,parquet]'
    python benchmarks/memory.py
"""

import argparse
import sys
import tempfile
from pathlib import Path

from processes import run_process
from samples import short_lines, write_lines

WANTED_MIB = 700
# Run in a process of its own, since a child process inherits its parent's peak memory.
SAVE_TINY = """
import sys
from pathlib import Path
import transformers
from checkpoints import copy_tokenizer
config = transformers.BertConfig(
    hidden_size=64, num_hidden_layers=1, num_attention_heads=2, intermediate_size=256)
transformers.BertModel(config).save_pretrained(sys.argv[1])
copy_tokenizer(Path(sys.argv[1]))
"""


def save_tiny(scratch: Path) -> Path:
    """Save the random checkpoint, in a process of its own, and return its folder."""
    program = f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n{SAVE_TINY}"
    run_process([sys.executable, "-c", program, scratch / "model"], scratch)
    return scratch / "model"


def main() -> None:
    """Run the benchmark and print the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--lines", type=int, nargs="+", default=[10_000, 1_000_000], help="numbers of lines (10000 1000000)"
    )
    parser.add_argument("--engine", default="auto", help="engine, as for bertcli (auto)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        model = save_tiny(scratch)
        for count in options.lines:
            file = write_lines(scratch / "lines.txt", short_lines(count))
            command = [
                sys.executable,
                "-m",
                "bertcli",
                "encode",
                "-m",
                model,
                "-f",
                file,
                "--force",
                "--engine",
                options.engine,
                "-o",
                f"{scratch / 'out'}/",
            ]
            run = run_process(command, scratch)
            print(f"{count:,} lines: {run.seconds:,.0f} s, {run.peak_mib:,.0f} MiB (target: {WANTED_MIB})", flush=True)


if __name__ == "__main__":
    main()
