"""The page, written a text at a time."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Any, BinaryIO

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from bertcli.choices import Statistic
from bertcli.output.page.encoding import ALPHABET, VECTOR_STEPS, WEIGHT_STEPS, EncodedLayer
from bertcli.results.attention import AttnPageRecord
from bertcli.results.texts import RunInfo

# In the order in which they stand in the page: each may use what the ones before it define.
_SCRIPTS = (
    "data.js", "state.js", "drawing.js", "text.js", "edges.js", "heads.js", "matrix.js", "grid.js", "model.js",
    "neuron.js", "statistics.js", "rollout.js", "masks.js", "finder.js", "help.js", "controls.js", "keys.js",
    "start.js",
)  # fmt: skip
_STYLES = ("page.css", "views.css", "print.css")
_STATISTICS = tuple(map(str, Statistic))


@dataclass(frozen=True, slots=True)
class PageInfo:
    """What the page says of all its texts. thresholds: what makes a label. start: what it opens with."""

    run: RunInfo
    version: str
    layer_count: int
    head_count: int
    head_size: int
    has_mlm_head: bool
    thresholds: str
    start: Mapping[str, str | int] = field(default_factory=dict)


class PageWriter:
    """Writes a page to a stream: the frame as it is made, then each text, so that one text is held at a time."""

    def __init__(self, stream: BinaryIO, info: PageInfo) -> None:
        self._stream, self._info = stream, info
        self._count = 0
        self._render("head.html.j2", info=info, script=_script(), style=_style(), about=_about(info))

    def write(self, record: AttnPageRecord[EncodedLayer]) -> None:
        """Add a text."""
        self._render("text.html.j2", number=self._count, text=_text(record), layers=record.layers)
        self._count += 1

    def skip(self, missing: object) -> None:
        """A text without an answer has no place in the page."""

    def finish(self) -> None:
        """Close the page."""
        self._render("foot.html.j2")

    def _render(self, template: str, **names: Any) -> None:
        for piece in _environment().get_template(template).generate(names):
            self._stream.write(piece.encode())


def _about(info: PageInfo) -> Mapping[str, Any]:
    """What the script knows of the model."""
    return {
        "run": asdict(info.run),
        "layers": info.layer_count,
        "heads": info.head_count,
        "headSize": info.head_size,
        "hasMlmHead": info.has_mlm_head,
        "statistics": _STATISTICS,
        "thresholds": info.thresholds,
        "start": dict(info.start),
        "steps": {"weights": WEIGHT_STEPS, "vectors": VECTOR_STEPS},
        "alphabet": ALPHABET.decode("ascii"),
    }


def _text(record: AttnPageRecord[EncodedLayer]) -> Mapping[str, Any]:
    """What the script knows of a text beside its arrays."""
    text = record.text
    return {
        "text": text.text,
        "pair": text.pair,
        "line": text.line,
        "truncated": text.truncated,
        "tokens": list(text.tokens),
        "sentences": list(record.sentences),
        "statistics": [[_rounded(getattr(head, name)) for name in _STATISTICS] for head in record.heads],
        "labels": [head.label for head in record.heads],
        "masks": [
            {
                "position": mask.position,
                "predictions": [
                    {"token": one.token_str, "score": one.score, "sequence": one.sequence} for one in mask.predictions
                ],
            }
            for mask in record.masks
        ],
    }


def _rounded(number: float) -> float:
    return float(f"{number:.6g}")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("bertcli", "output/page/templates"),
        autoescape=True,
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )
    # Python would write NaN, which no browser reads: the page would stay empty, and not say why.
    environment.policies["json.dumps_kwargs"] = {"sort_keys": True, "allow_nan": False}
    return environment


@dataclass(frozen=True, slots=True)
class _Inlined:
    """A script or a style, and the hash by which the page's policy knows it."""

    content: Markup
    hash: str


@cache
def _script() -> _Inlined:
    return _inlined("script", _SCRIPTS, before='(() => {\n"use strict";\n', after="})();\n")


@cache
def _style() -> _Inlined:
    return _inlined("style", _STYLES)


def _inlined(folder: str, names: Sequence[str], before: str = "", after: str = "") -> _Inlined:
    parts = [files("bertcli.output.page").joinpath(folder, name).read_text(encoding="utf-8") for name in names]
    content = f"\n{before}{''.join(parts)}{after}"
    digest = b64encode(sha256(content.encode()).digest()).decode("ascii")
    return _Inlined(Markup(content), f"sha256-{digest}")
