"""Take the screenshots of the attention page: `python -m tools.pictures.page`, from the root of the repository.

Needs playwright, and Chromium at /usr/bin/chromium.
"""

import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

FOLDER = Path(__file__).parent
CHROMIUM = "/usr/bin/chromium"
TEXT, PAIR = "She poured the tea.", "It was too [MASK] to drink."


@dataclass(frozen=True)
class Shot:
    """A screenshot.

    address is the fragment that the page is opened with. scheme is "light" or "dark". height is in pixels. pointed is
    the selector of the element under the pointer, None for no pointer.
    """

    name: str
    address: str
    scheme: str
    height: int
    pointed: str | None = None


SHOTS = (
    Shot("attn-page-heads.png", "layer=1", "light", 820, ".queries [data-position='11']"),
    Shot("attn-page-statistics.png", "view=statistics", "dark", 480, ".cell[data-layer='1'][data-head='8']"),
)


def take(browser: Browser, page: Path, shot: Shot) -> None:
    """Take one screenshot of the page."""
    context = browser.new_context(viewport={"width": 1120, "height": shot.height}, color_scheme=shot.scheme)
    tab = context.new_page()
    tab.goto(f"{page.as_uri()}#{shot.address}")
    tab.wait_for_selector("body[data-drawn]")
    if shot.pointed is not None:
        tab.hover(shot.pointed)
        tab.wait_for_timeout(300)
    tab.screenshot(path=FOLDER / shot.name)
    context.close()


def main() -> None:
    """Write the page and take every screenshot."""
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        page = Path(scratch) / "tea.html"
        subprocess.run([sys.executable, "-m", "bertcli", "attn", TEXT, "--pair", PAIR, "--html", page], check=True)
        browser = playwright.chromium.launch(executable_path=CHROMIUM)
        for shot in SHOTS:
            take(browser, page, shot)
            print(shot.name)
        browser.close()


if __name__ == "__main__":
    main()
