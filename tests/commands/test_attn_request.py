"""Valid and invalid combinations of attn's options."""

from pathlib import Path
from typing import Any

import pytest

from bertcli.choices import AttributionMethod, Baseline, EngineName
from bertcli.commands.attn.explanations import estimate_passes
from bertcli.commands.attn.request import AttnRequest
from bertcli.commands.options import HeadOptions, MapOptions, PageOptions, TextOptions
from bertcli.errors import WrongUsage
from bertcli.model.request import SessionRequest
from bertcli.output.destination import OutputOptions

PAGE = Path("a.html")
IG, OCCLUSION = AttributionMethod.IG, AttributionMethod.OCCLUSION


def request(engine: EngineName = EngineName.AUTO, **options: Any) -> AttnRequest:
    """Return a request. The options may be of any group."""
    groups = [
        group(**{name: value for name, value in options.items() if name in group.__slots__})
        for group in (HeadOptions, MapOptions, PageOptions)
    ]
    return AttnRequest(TextOptions(), SessionRequest(engine=engine), OutputOptions(), *groups)


@pytest.mark.parametrize(
    "options",
    [
        {"layers": "1,2", "head": 3},
        {"layers": "1,2", "by": "entropy", "top": 3},
        {"layers": "-1", "grid": "entropy"},
        {"layers": "-1", "from_token": "cat"},
        {"layers": "0", "expansion": True},
        {"html": PAGE, "layers": "1,2", "layer": "1", "head": 0},
        {"html": PAGE, "layer": "all", "label": "self", "grid": "self", "rollout": True},
        {"html": PAGE, "attribute": OCCLUSION, "head_effects": True, "layers": "1,2"},
        {"html": PAGE, "attribute": IG, "baseline": Baseline.PAD, "steps": 3, "engine": EngineName.TORCH},
    ],
    ids=str,
)
def test_options_that_go_together(options: dict[str, Any]) -> None:
    request(**options).check_options()


@pytest.mark.parametrize(
    ("options", "message", "hint"),
    [
        (
            {"layer": "1", "layers": "1,2"},
            "--layer and --layers cannot be combined without a page",
            "leave one of them out",
        ),
        (
            {"attribute": OCCLUSION},
            "--attribute explains the predictions on a page, and needs --html FILE",
            "add --html page.html, or leave --attribute out; `bertcli fill-mask --attribute occlusion` needs no page",
        ),
        (
            {"head_effects": True, "rollout": True},
            "--head-effects explains the predictions on a page, and needs --html FILE",
            "add --html page.html, or leave --head-effects out; `bertcli fill-mask --head-effects` needs no page",
        ),
        (
            {"html": PAGE, "attribute": OCCLUSION, "steps": 3},
            "--steps needs --attribute ig",
            "use --attribute ig, or leave --steps out",
        ),
        ({"baseline": Baseline.PAD}, "--baseline needs --attribute ig", "use --attribute ig, or leave --baseline out"),
        (
            {"html": PAGE, "attribute": IG, "engine": EngineName.NUMPY},
            "--attribute ig needs gradients, which the numpy engine does not compute",
            "use --engine torch, or --attribute occlusion",
        ),
        (
            {"html": PAGE, "layers": "1", "by": "entropy"},
            "--by cannot be combined with a page, which holds every head and token of its layers",
            "leave --by out",
        ),
        (
            {"html": PAGE, "from_token": "cat"},
            "--from cannot be combined with a page, which holds every head and token of its layers",
            "leave --from out",
        ),
        (
            {"html": PAGE, "expansion": True},
            "--expansion cannot be combined with a page, which holds every head and token of its layers",
            "leave --expansion out",
        ),
    ],
    ids=str,
)
def test_options_that_do_not_go_together(options: dict[str, Any], message: str, hint: str) -> None:
    with pytest.raises(WrongUsage) as raised:
        request(**options).check_options()
    assert (raised.value.message, raised.value.hint) == (message, hint)


@pytest.mark.parametrize(
    ("options", "shows_one_head"),
    [
        ({"layer": "0"}, True),
        ({"layers": "-1"}, True),
        ({"layers": "0,1"}, False),
        ({"layers": "all"}, False),
        ({}, False),
        ({"html": PAGE, "layers": "0"}, False),
        ({"html": PAGE, "layers": "0,1", "layer": "1"}, True),
    ],
    ids=str,
)
def test_one_layer_and_one_head_are_a_matrix(options: dict[str, Any], shows_one_head: bool) -> None:
    assert request(head=1, **options).shows_one_head == shows_one_head


def test_only_integrated_gradients_need_gradients() -> None:
    assert request(html=PAGE, attribute=IG).session.with_gradients
    assert not request(html=PAGE, attribute=OCCLUSION).session.with_gradients


def test_explanations_count_as_work_for_the_choice_of_the_engine() -> None:
    assert estimate_passes(PageOptions(), 400) == 1
    assert estimate_passes(PageOptions(attribute=OCCLUSION), 400) == 1 + 100
    assert estimate_passes(PageOptions(attribute=IG, head_effects=True), 400) == 1 + 100 + 72
