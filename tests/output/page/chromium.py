"""The page in a real browser: no network, and whatever goes wrong in it is known."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.programs import needed

WAIT = 10_000  # milliseconds, for what takes tens


@dataclass
class Tab:
    """A tab with one page. complaints: of its console and of uncaught errors. requests: but the page's own."""

    page: Any
    file: Path
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def open(self, address: str = "") -> "Tab":
        """The page, as a link with that address after # opens it."""
        self.page.goto("about:blank")
        self.page.goto(f"{self.file.as_uri()}#{address}")
        self.page.wait_for_selector("body[data-drawn]", timeout=WAIT)
        return self

    def view(self, name: str) -> "Tab":
        """The view, opened by its tab and drawn."""
        self.page.click(f"#tab-{name}")
        return self.drawn(name)

    def drawn(self, name: str) -> "Tab":
        """Wait until the view is drawn."""
        self.page.wait_for_selector(f"body[data-drawn={name}]", timeout=WAIT)
        return self

    def key(self, key: str) -> "Tab":
        """Press it, and wait until what it led to is drawn."""
        self.page.keyboard.press(key)
        return self.settled()

    def settled(self) -> "Tab":
        """Wait until what is under way is drawn."""
        self.page.evaluate(
            "() => new Promise((done) => setTimeout(() => requestAnimationFrame(() => setTimeout(done, 30)), 30))"
        )
        return self

    def text(self, selector: str) -> str:
        """What is written there and can be seen."""
        return str(self.page.inner_text(selector))

    def texts(self, selector: str) -> list[str]:
        """What is written in each element that can be seen."""
        return [element.inner_text() for element in self.page.query_selector_all(selector) if element.is_visible()]

    def address(self) -> dict[str, str]:
        """What stands after # in the location."""
        return dict(self.page.evaluate("() => Object.fromEntries(new URLSearchParams(location.hash.slice(1)))"))

    def ink(self, selector: str) -> int:
        """How many pixels of a canvas are not empty."""
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


@contextmanager
def browser() -> Iterator[Any]:
    """Debian's chromium, without a window."""
    path = needed("chromium")
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path)
        yield opened
        opened.close()


@contextmanager
def tab(opened: Any, file: Path, **context: Any) -> Iterator[Tab]:
    """A tab for that file alone. At its end the page must have asked for nothing and complained of nothing."""
    options = {"viewport": {"width": 1200, "height": 800}, "color_scheme": "light", "offline": True, **context}
    own = opened.new_context(**options)
    found = Tab(own.new_page(), file)
    found.page.on("request", lambda request: _note(found, request.url))
    found.page.on("websocket", lambda socket: found.requests.append(socket.url))
    found.page.on("console", lambda message: found.complaints.append(f"{message.type}: {message.text}"))
    found.page.on("pageerror", lambda error: found.complaints.append(str(error)))
    found.page.on("dialog", lambda dialog: (found.complaints.append("a dialog"), dialog.dismiss()))
    yield found
    own.close()
    assert found.complaints == [], found.complaints
    assert found.requests == [], found.requests


def _note(found: Tab, url: str) -> None:
    if not url.startswith((found.file.as_uri(), "about:")):
        found.requests.append(url)
