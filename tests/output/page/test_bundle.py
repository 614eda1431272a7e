"""Tests of the bundled script of the page."""

import re
from hashlib import sha256
from pathlib import Path

import bertcli.output.page

PAGE = Path(bertcli.output.page.__file__).parent
LOCK = Path(__file__).parents[3] / "tools" / "page" / "package-lock.json"


def test_the_bundle_is_built_from_the_sources() -> None:
    """The first line names the hash of the sources, see tools/page/build.js."""
    sources = sorted((PAGE / "script").rglob("*.js"), key=lambda path: str(path.relative_to(PAGE / "script")))
    digest = sha256(b"".join(path.read_bytes() for path in [*sources, LOCK])).hexdigest()
    first = (PAGE / "page.js").read_text(encoding="utf-8").partition("\n")[0]
    assert first == f"// sources: sha256-{digest}", "run `npm run build` in tools/page"


def test_the_bundle_cannot_end_its_element() -> None:
    content = (PAGE / "page.js").read_text(encoding="utf-8").lower()
    assert "</script" not in content and "<!--" not in content


def test_no_script_parses_text_as_html() -> None:
    for path in (PAGE / "script").rglob("*.js"):
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write", path.read_text()), path.name
