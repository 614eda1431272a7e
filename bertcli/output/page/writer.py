"""Writer of the attention page, one text at a time."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import asdict, field
from functools import cache
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any, BinaryIO

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from bertcli.choices import Statistic
from bertcli.lazy_dataclass import dataclass
from bertcli.output.display import heads_off
from bertcli.output.page.encoding import VECTOR_STEPS, EncodedLayer, weight_encoding
from bertcli.results.attention import AttnPageRecord
from bertcli.results.masks import MaskPredictions
from bertcli.results.texts import RunInfo

_STYLES = ("colours.css", "page.css", "views.css", "print.css")
_STATISTICS = tuple(map(str, Statistic))


@dataclass(frozen=True, slots=True)
class PageInfo:
    """Facts about the model and the run.

    layers: Numbers of the layers that the page holds.
    thresholds: Description of the thresholds that define labels.
    start: Initial values of the script's state, such as view, layer (an index of layers) and head.
    """

    run: RunInfo
    version: str
    layers: Sequence[int]
    head_count: int
    head_size: int
    has_mlm_head: bool
    thresholds: str
    start: Mapping[str, str | int] = field(default_factory=dict)

    @property
    def model_name(self) -> str:
        """The name of a model on the hub, or the last component of a local path."""
        name = str(self.run.model)
        return name if self.run.revision is not None else Path(name).absolute().name or name

    @property
    def layer_count(self) -> int:
        """Number of layers that the page holds."""
        return len(self.layers)

    @property
    def heads_off(self) -> str:
        """The attention heads that were switched off, in a line; empty if there are none."""
        return heads_off(self.run.ablated)


class PageWriter:
    """Writer of a page to a stream.

    The constructor writes the start of the page and write() adds a text, so only one text is in memory at a time.
    """

    def __init__(self, stream: BinaryIO, info: PageInfo) -> None:
        self._stream, self._info = stream, info
        self._count = 0
        self._render("head.html.j2", info=info, script=_script(), style=_style(), about=_about(info))

    def write(self, record: AttnPageRecord[EncodedLayer]) -> None:
        """Add a text."""
        self._render("text.html.j2", number=self._count, text=_text(record), layers=record.layers)
        self._count += 1

    def skip(self, failed: object) -> None:
        """Ignore a failed text; the page leaves it out."""

    def finish(self) -> None:
        """Write the end of the page."""
        self._render("foot.html.j2")

    def _render(self, template: str, **names: Any) -> None:
        for piece in _environment().get_template(template).generate(names):
            self._stream.write(piece.encode())


def _about(info: PageInfo) -> Mapping[str, Any]:
    """Return the data about the model and the run for the script."""
    return {
        "run": asdict(info.run),
        "layers": info.layer_count,
        "layerNumbers": list(info.layers),
        "heads": info.head_count,
        "headSize": info.head_size,
        "hasMlmHead": info.has_mlm_head,
        "statistics": _STATISTICS,
        "thresholds": info.thresholds.replace("\n", " "),
        "start": dict(info.start),
        "vectorSteps": VECTOR_STEPS,
    }


def _text(record: AttnPageRecord[EncodedLayer]) -> Mapping[str, Any]:
    """Return the data about a text for the script, except its arrays."""
    text = record.text
    return {
        "text": text.text,
        "pair": text.pair,
        "line": text.line,
        "truncated": text.truncated,
        "tokens": list(text.tokens),
        "sentences": list(record.sentences),
        "weights": asdict(weight_encoding(len(text.tokens))),
        "spans": list(record.spans),
        "statistics": [[_rounded(getattr(head, name)) for name in _STATISTICS] for head in record.heads],
        "labels": [head.label for head in record.heads],
        "masks": list(map(_mask, record.masks)),
    }


def _mask(mask: MaskPredictions) -> Mapping[str, Any]:
    """Return the data about a mask: predictions, and if requested attributions and the effects of heads."""
    data: dict[str, Any] = {
        "position": mask.position,
        "predictions": [
            {"token": one.token_str, "score": one.score, "sequence": one.sequence} for one in mask.predictions
        ],
    }
    if mask.attributions is not None:
        data["attributions"] = [
            {
                "target": one.target,
                "method": one.method,
                "values": [None if value != value else _rounded(value) for value in one.values.tolist()],  # NaN
                "gap": one.gap,
                "logprob": one.logprob,
                "baseline": one.baseline,
                "steps": one.steps,
            }
            for one in mask.attributions
        ]
    if mask.head_effects is not None:
        [effects] = mask.head_effects  # those on the top prediction
        values = [[_rounded(value) for value in layer] for layer in effects.values.tolist()]
        data["headEffects"] = {"target": effects.target, "values": values, "logprob": effects.logprob}
    return data


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
    # Python writes NaN by default, which no browser parses: the page would stay empty without an error. Raise instead.
    environment.policies["json.dumps_kwargs"] = {"sort_keys": True, "allow_nan": False}
    return environment


@dataclass(frozen=True, slots=True)
class _Inlined:
    """A script or style with its hash, by which the Content-Security-Policy allows it."""

    content: Markup
    hash: str


@cache
def _script() -> _Inlined:
    return _inlined("page.js")


@cache
def _style() -> _Inlined:
    return _inlined(*(f"style/{name}" for name in _STYLES))


def _inlined(*paths: str) -> _Inlined:
    content = "\n" + "".join(files("bertcli.output.page").joinpath(path).read_text(encoding="utf-8") for path in paths)
    digest = b64encode(sha256(content.encode()).digest()).decode("ascii")
    return _Inlined(Markup(content), f"sha256-{digest}")
