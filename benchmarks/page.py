"""Measure the attention page in headless Chromium: its size, the time to the first view, and the time of a hover.

There are three pages: a sentence with the bundled model, 512 tokens with it, and 512 tokens with a random checkpoint of
bert-base's shape, whose even weights are the hardest to compress. Each round opens every page in a new tab, and the
program prints medians. A view ends when it is drawn, a hover when the next frame is drawn.

    python benchmarks/page.py --rounds 7

Needs playwright, and Chromium at /usr/bin/chromium.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from bertcli.checkpoints.find import BUNDLED_FOLDER
from processes import random_bert_base, run_process
from samples import mixed_texts

CHROMIUM = "/usr/bin/chromium"
SENTENCE = "The cat sat on the mat because it was [MASK]."
MOST_MEGABYTES, LONG_SECONDS, SENTENCE_SECONDS, HOVER_MILLISECONDS = 80.0, 2.0, 0.5, 60.0
HOVERS = 20
HOVER = """async (count) => {
  const rows = [...document.querySelectorAll(".queries li")].slice(0, count);
  const times = [];
  for (const row of rows) {
    const start = performance.now();
    row.dispatchEvent(new MouseEvent("mouseover", { bubbles: true }));
    await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
    times.push(performance.now() - start);
  }
  return times;
}"""


@dataclass(frozen=True, slots=True)
class Opened:
    """The times of one opening of a page: view is seconds to the first view, hovers are milliseconds each."""

    view: float
    hovers: Sequence[float]


def make_pages(scratch: Path) -> Mapping[str, Path]:
    """Write the pages and return their paths, by the names that are printed."""
    bertcli = [sys.executable, "-m", "bertcli", "attn", "--truncate"]
    long = " ".join(mixed_texts(200))
    cases = {
        "sentence, bundled": (BUNDLED_FOLDER, SENTENCE),
        "512 tokens, bundled (6 x 12)": (BUNDLED_FOLDER, long),
        "512 tokens, bert-base's shape (12 x 12)": (random_bert_base(scratch), long),
    }
    pages = {}
    for number, (name, (model, text)) in enumerate(cases.items()):
        pages[name] = scratch / f"{number}.html"
        run = run_process([*bertcli, "-m", model, text, "-o", pages[name]], scratch)
        print(f"{name}: written in {run.seconds:.1f} s, peak {run.peak_mib:.0f} MiB")
    return pages


def open_page(browser: Any, page: Path) -> Opened:
    """Open the page in a new tab and move the pointer over its first tokens."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, offline=True)
    tab = context.new_page()
    start = time.perf_counter()
    tab.goto(page.as_uri(), wait_until="commit")
    tab.wait_for_selector("body[data-drawn]")
    view = time.perf_counter() - start
    hovers = tab.evaluate(HOVER, HOVERS)
    context.close()
    return Opened(view, hovers)


def report(name: str, page: Path, rounds: Sequence[Opened]) -> bool:
    """Print the figures of a page. Return True if they meet the targets."""
    megabytes = page.stat().st_size / 1e6
    view = median(opened.view for opened in rounds)
    hover = median(milliseconds for opened in rounds for milliseconds in opened.hovers)
    seconds = SENTENCE_SECONDS if name.startswith("sentence") else LONG_SECONDS
    print(f"{name:40} {megabytes:8.2f} MB  first view {view:6.3f} s  a hover {hover:5.1f} ms")
    return megabytes <= MOST_MEGABYTES and view <= seconds and hover <= HOVER_MILLISECONDS


def main() -> None:
    """Run the benchmark and print the results."""
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7, help="number of rounds (7)")
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        pages = make_pages(Path(scratch))
        browser = playwright.chromium.launch(executable_path=CHROMIUM)
        opened = [{name: open_page(browser, page) for name, page in pages.items()} for _ in range(rounds + 1)][1:]
        browser.close()
        good = [report(name, page, [found[name] for found in opened]) for name, page in pages.items()]
    print("all targets met" if all(good) else "targets missed")


if __name__ == "__main__":
    main()
