"""A real browser for tests of the page, offline, with all errors and requests recorded."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest

from tests.programs import needed

WAIT = 10_000  # milliseconds; the page needs tens
# Number of tests after which a tab is closed, since its process keeps memory of each page and slows down.
_USES = 20
# Debian's package of the same browser without windows. The tests take a third less time with it.
_WITHOUT_WINDOWS = "chromium-headless-shell"
# In one call, since each call to the browser takes milliseconds.
_VISIBLE_TEXTS = """(all) => all.filter((one) => {
    const box = one.getBoundingClientRect();
    return box.width > 0 && box.height > 0 && getComputedStyle(one).visibility === "visible";
}).map((one) => one.innerText)"""


@dataclass
class Tab:
    """A tab with one page.

    complaints: Console messages and uncaught errors. requests: URLs requested, except that of the page.
    uses: The number of tests that have used the tab. is_due: True if the file is to be opened at the next use.
    """

    opened: Any
    file: Path
    uses: int = 0
    is_due: bool = False
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    @property
    def page(self) -> Any:
        """The page as playwright has it."""
        if self.is_due:
            self.open()
        return self.opened

    def open_when_used(self) -> "Tab":
        """Open the page at its first use, so that a test that opens it with an address loads it once."""
        self.is_due = True
        return self

    def open(self, address: str = "") -> "Tab":
        """Open the page with this address after #, and wait until it is drawn."""
        self.is_due = False
        if self.page.url != "about:blank":  # a new address after # alone would not load the page again
            self.page.goto("about:blank")
        self.page.goto(f"{self.file.as_uri()}#{address}")
        self.page.wait_for_selector("body[data-drawn]", timeout=WAIT)
        return self

    def go(self, address: str) -> "Tab":
        """Change the address after # of the open page, and wait until it is drawn. This is much faster than open."""
        self.page.evaluate("(address) => { location.hash = address }", address)
        return self.drawn(dict(parse_qsl(address)).get("view", "heads")).settled()

    def view(self, name: str) -> "Tab":
        """Open a view by its tab, and wait until it is drawn."""
        self.page.click(f"#tab-{name}")
        return self.drawn(name)

    def drawn(self, name: str) -> "Tab":
        """Wait until the view is drawn."""
        self.page.wait_for_selector(f"body[data-drawn={name}]", timeout=WAIT)
        return self

    def key(self, key: str) -> "Tab":
        """Press a key, and wait until its effect is drawn."""
        self.page.keyboard.press(key)
        return self.settled()

    def settled(self) -> "Tab":
        """Wait until pending work is drawn."""
        self.page.evaluate(
            "() => new Promise((done) => setTimeout(() => requestAnimationFrame(() => setTimeout(done, 30)), 30))"
        )
        return self

    def text(self, selector: str) -> str:
        """Return the visible text of an element."""
        return str(self.page.inner_text(selector))

    def texts(self, selector: str) -> list[str]:
        """Return the text of each visible element."""
        return list(self.page.eval_on_selector_all(selector, _VISIBLE_TEXTS))

    def address(self) -> dict[str, str]:
        """Return the values after # in the location."""
        return dict(self.page.evaluate("() => Object.fromEntries(new URLSearchParams(location.hash.slice(1)))"))

    def data(self, number: int = 0) -> dict[str, Any]:
        """Return what the page says about a text."""
        return dict(self.page.evaluate("(n) => JSON.parse(document.getElementById(`text-${n}`).textContent)", number))

    def ink(self, selector: str) -> int:
        """Return the number of pixels of a canvas that are not empty."""
        return int(
            self.page.evaluate(
                """(selector) => {
                    const canvas = document.querySelector(selector);
                    const copy = new OffscreenCanvas(canvas.width, canvas.height);
                    const context = copy.getContext("2d", { willReadFrequently: true });
                    context.drawImage(canvas, 0, 0);
                    const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
                    let count = 0;
                    for (let at = 3; at < data.length; at += 4) count += data[at] > 0;
                    return count;
                }""",
                selector,
            )
        )


@dataclass
class Browser:
    """A browser with the tabs that no test is using.

    A new tab is a new process, which takes longer than most tests, so tests use a tab one after another.
    """

    chromium: Any
    idle: list[Tab] = field(default_factory=list)

    def new_tab(self, file: Path, **context: Any) -> Tab:
        """Open an empty tab in a context of its own."""
        found = Tab(self.chromium.new_context(offline=True, **context).new_page(), file)
        found.opened.on("request", lambda request: _note(found, request.url))
        found.opened.on("websocket", lambda socket: found.requests.append(socket.url))
        found.opened.on("console", lambda message: found.complaints.append(f"{message.type}: {message.text}"))
        found.opened.on("pageerror", lambda error: found.complaints.append(str(error)))
        found.opened.on("dialog", lambda dialog: (found.complaints.append("a dialog"), dialog.dismiss()))
        return found

    def idle_tab(self, file: Path, viewport: dict[str, int], color_scheme: str) -> Tab:
        """Return an empty tab in the state of a new one, with the pointer in the corner."""
        if not self.idle:
            return self.new_tab(file, viewport=viewport, color_scheme=color_scheme)
        found = self.idle.pop()
        found.opened.evaluate("() => { try { localStorage.clear(); } catch { /* no file is open */ } }")
        found.opened.goto("about:blank")
        # Chromium keeps 50 steps back. Without this, a new step would not make the history longer.
        session = found.opened.context.new_cdp_session(found.opened)
        session.send("Page.resetNavigationHistory")
        session.detach()  # each session that stays makes all that follows slower
        found.opened.mouse.up()  # a test that failed in a drag did not release it
        found.opened.mouse.move(0, 0)
        found.opened.set_viewport_size(viewport)
        found.opened.emulate_media(media="null", color_scheme=color_scheme)
        found.file = file
        found.is_due = False
        found.complaints.clear()
        found.requests.clear()
        return found


@contextmanager
def browser() -> Iterator[Browser]:
    """Start Debian's chromium, headless."""
    path = shutil.which(_WITHOUT_WINDOWS) or needed("chromium")
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=["--in-process-gpu"])
        yield Browser(opened)
        opened.close()


@contextmanager
def tab(browser: Browser, file: Path, **context: Any) -> Iterator[Tab]:
    """Open a tab for one file. At its end, fail if the page made a request or reported an error.

    Args:
        browser: The browser.
        file: The page.
        context: Options of playwright's context. Any option except viewport and color_scheme needs a new tab.
    """
    options = {"viewport": {"width": 1200, "height": 800}, "color_scheme": "light", **context}
    is_usual = {*options} == {"viewport", "color_scheme"}
    found = browser.idle_tab(file, **options) if is_usual else browser.new_tab(file, **options)
    yield found
    assert found.complaints == [], found.complaints
    assert found.requests == [], found.requests
    found.uses += 1
    if is_usual and found.uses < _USES:
        browser.idle.append(found)
    else:
        found.opened.context.close()


def _note(found: Tab, url: str) -> None:
    if not url.startswith((found.file.as_uri(), "about:")):
        found.requests.append(url)
