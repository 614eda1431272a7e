"""Measure the attention page in headless Chromium: its size, its first view, its memory, and a hover in each view.

There are four pages: a sentence and 200 tokens with the bundled model, 512 tokens with it, and 512 tokens with a random
checkpoint of bert-base's shape, whose even weights are the hardest to compress. The page of 200 tokens is the longest
of these that has query and key vectors. Each round opens every page in a new tab.

A hover is a move of the mouse. It begins when the browser receives the event and ends when the next frame is drawn.
The program fails if a hover leaves the text that describes it unchanged. Memory is the JavaScript heap with its arrays
and strings, after the garbage collection.

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
MOST_MEGABYTES, LONG_SECONDS, SENTENCE_SECONDS, HOVER_MILLISECONDS = 80.0, 2.0, 0.5, 50.0
HOVERS, CELLS = 12, 5  # moves over items, and over the cells of a drawing, in each round
VIEWS = ("heads", "matrix", "model", "neuron", "statistics", "rollout", "masks", "trace")
TIMER = """() => addEventListener("pointermove", (event) => {
  requestAnimationFrame(() => setTimeout(() => (window.hovered = performance.now() - event.timeStamp)));
}, true)"""
# All boxes in one call: a call for each of 512 tokens would take longer than the hovers.
BOXES = """(selector) => [...document.querySelectorAll(selector)]
  .filter((one) => one.checkVisibility({ visibilityProperty: true }))
  .map((one) => one.getBoundingClientRect())
  .map(({ x, y, width, height }) => [x, y, width, height])"""


@dataclass(frozen=True, slots=True)
class Target:
    """Something that reacts to the pointer.

    view: The view that it belongs to. element: Selector of the items, or of one drawing with many cells. readout:
    Selector of the text that describes what is pointed at.
    """

    view: str
    element: str
    readout: str

    def points(self, tab: Any) -> list[tuple[float, float]]:
        """Return points to hover, in pixels of the window: the middles of visible items, or cells of a drawing."""
        found = tab.evaluate(BOXES, self.element)
        bottom = tab.viewport_size["height"]
        if len(found) > 1:
            middles = [(x + width / 2, y + height / 2) for x, y, width, height in found]
            return [point for point in middles if 120 < point[1] < bottom - 4][:HOVERS]
        [(x, y, width, height)] = found
        room = min(height, bottom - y)
        # The left and the upper edge of a drawing have labels, and the right edge may have a summary.
        parts = [(at + 0.5) / CELLS for at in range(CELLS)]
        return [(x + width * (0.24 + 0.3 * part), y + room * (0.55 + 0.4 * part)) for part in parts]


TARGETS = (
    Target("heads", ".side.queries li", ".readout"),
    Target("heads", ".side.keys li", ".readout"),
    Target("heads", ".overview.query", ".readout"),
    Target("matrix", "#view-matrix .heatmap canvas", "#view-matrix .pointed"),
    Target("model", ".thumbnail", "#view-model .pointed"),
    Target("neuron", "#view-neuron .token", "#view-neuron .pointed"),
    Target("statistics", ".numbers .cell", "#view-statistics .pointed"),
    Target("rollout", "#view-rollout .heatmap canvas", "#view-rollout .pointed"),
    Target("trace", "#view-trace .token", "#view-trace .pointed"),
    Target("trace", "#view-trace .trace canvas", "#view-trace .pointed"),
)


@dataclass(frozen=True, slots=True)
class Opened:
    """The measurements of one opening of a page.

    view: Seconds to the first view. hovers: Milliseconds of each hover, by target. opened, visited: Megabytes of memory
    after the first view, and after all views.
    """

    view: float
    hovers: Mapping[Target, Sequence[float]]
    opened: float
    visited: float


def make_pages(scratch: Path) -> Mapping[str, Path]:
    """Write the pages and return their paths, by the names that are printed."""
    bertcli = [sys.executable, "-m", "bertcli", "attn", "--truncate"]
    long = " ".join(mixed_texts(200))
    cases = {
        "sentence, bundled": (BUNDLED_FOLDER, SENTENCE, "512"),
        "200 tokens, bundled (6 x 12)": (BUNDLED_FOLDER, long, "200"),
        "512 tokens, bundled (6 x 12)": (BUNDLED_FOLDER, long, "512"),
        "512 tokens, bert-base's shape (12 x 12)": (random_bert_base(scratch), long, "512"),
    }
    pages = {}
    for number, (name, (model, text, length)) in enumerate(cases.items()):
        pages[name] = scratch / f"{number}.html"
        run = run_process([*bertcli, "-m", model, text, "--max-length", length, "-o", pages[name]], scratch)
        print(f"{name}: written in {run.seconds:.1f} s, peak {run.peak_mib:.0f} MiB")
    return pages


def open_page(browser: Any, page: Path) -> Opened:
    """Open the page in a new tab, visit every view, and move the mouse over what reacts to it."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, offline=True)
    tab = context.new_page()
    memory = context.new_cdp_session(tab)
    start = time.perf_counter()
    tab.goto(page.as_uri(), wait_until="commit")
    tab.wait_for_selector("body[data-drawn]")
    view = time.perf_counter() - start
    opened = megabytes_of(memory)
    tab.evaluate(TIMER)
    hovers: dict[Target, Sequence[float]] = {}
    for name in VIEWS:
        tab.click(f"#tab-{name}")
        tab.wait_for_selector(f"body[data-drawn={name}]")
        for target in TARGETS:
            if target.view == name and tab.is_visible(target.element):
                hovers[target] = hover(tab, target)
    visited = megabytes_of(memory)
    context.close()
    return Opened(view, hovers, opened, visited)


def hover(tab: Any, target: Target) -> Sequence[float]:
    """Return the milliseconds of each hover over a target.

    Raises:
        RuntimeError: A hover changed nothing.
    """
    times = []
    tab.mouse.move(1, 1)
    tab.wait_for_timeout(50)
    read = tab.inner_text(target.readout)
    for x, y in target.points(tab):
        tab.evaluate("() => (window.hovered = null)")
        tab.mouse.move(x, y)
        times.append(tab.wait_for_function("() => window.hovered").json_value())
        before, read = read, tab.inner_text(target.readout)
        if read == before:
            raise RuntimeError(
                f"a hover at {x:.0f}, {y:.0f} over {target.element} left {target.readout} unchanged: {read}"
            )
    return times


def megabytes_of(session: Any) -> float:
    """Return the memory of the page's script, with its arrays and strings, after a garbage collection."""
    session.send("HeapProfiler.collectGarbage")
    usage = session.send("Runtime.getHeapUsage")
    return float(sum(usage[name] for name in ("usedSize", "embedderHeapUsedSize", "backingStorageSize"))) / 1e6


def report(name: str, page: Path, rounds: Sequence[Opened]) -> bool:
    """Print the figures of a page. Return True if they meet the targets."""
    megabytes = page.stat().st_size / 1e6
    view = median(one.view for one in rounds)
    opened, visited = median(one.opened for one in rounds), median(one.visited for one in rounds)
    seconds = SENTENCE_SECONDS if name.startswith("sentence") else LONG_SECONDS
    print(
        f"{name}: {megabytes:.2f} MB, first view {view:.3f} s, memory {opened:.0f} MB, {visited:.0f} MB after all views"
    )
    good = megabytes <= MOST_MEGABYTES and view <= seconds
    for target in rounds[0].hovers:
        times = [milliseconds for one in rounds for milliseconds in one.hovers[target]]
        hover, longest = median(times), max(times)
        good &= hover <= HOVER_MILLISECONDS
        print(f"    {target.view:10} {target.element:30} a hover {hover:5.1f} ms, the longest {longest:5.1f} ms")
    return good


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
