"""Tables of what explains a prediction: the effects of attention heads, and the contributions of tokens."""

from collections.abc import Iterator, Mapping

from rich.console import Group, RenderableType
from rich.text import Text

from bertcli.choices import AttributionMethod
from bertcli.output.heatmaps import contributions, head_effects_heatmap, mask_name
from bertcli.output.tables import cells
from bertcli.output.tables.matrix import shade, whole_matrix
from bertcli.output.tables.shaded import ShadedText
from bertcli.results.masks import Attribution, FillMaskRecord, HeadEffects, MaskPredictions
from bertcli.results.texts import RunInfo

_STRONGEST = 5
_EFFECT = "each value: the change of ln p when this head is switched off; ·: under 0.005"
_EFFECT_SIGN = "below 0: the head supports the token; above 0: it opposes the token"
_ATTRIBUTIONS: Mapping[str, str] = {
    AttributionMethod.OCCLUSION: "occlusion: how much ln p falls when the token is replaced by the mask",
    AttributionMethod.IG: "ig: integrated gradients of ln p; they sum to ln p minus that at the baseline, plus the gap",
}
_OF_WORDS: Mapping[str, str] = {
    AttributionMethod.OCCLUSION: "occlusion: how much ln p falls when all tokens of the word are replaced by the mask",
    AttributionMethod.IG: f"{_ATTRIBUTIONS[AttributionMethod.IG]}; a word has the sum over its tokens",
}
_ATTRIBUTION_SIGN = "above 0: the {} supports the prediction; below 0: it opposes it; ·: under 0.005"


def head_effects_table(record: FillMaskRecord, info: RunInfo) -> RenderableType:
    """Draw a grid of layers by heads for each explained token of each mask, and list the strongest heads."""
    parts: list[RenderableType] = []
    for ordinal, mask in enumerate(record.masks):
        for effects in mask.head_effects or ():
            grid = whole_matrix(head_effects_heatmap(effects, mask_name(record, ordinal)))
            parts.append(Group(grid, Text(), _strongest(effects)))
    return cells.figure(cells.title(record.text), *parts, cells.caption(info, _EFFECT, _EFFECT_SIGN))


def attributions_table(record: FillMaskRecord, info: RunInfo) -> RenderableType:
    """Draw the text for each explained token of each mask, its tokens or words shaded by their contributions."""
    parts: list[RenderableType] = []
    notes: dict[str, None] = {}
    for ordinal, mask in enumerate(record.masks):
        for found in mask.attributions or ():
            heading = cells.subtitle(f"{mask_name(record, ordinal)}: {found.target}", _logprob_and_gap(found))
            parts.append(Group(heading, _shaded_text(record, mask, found)))
            notes[(_ATTRIBUTIONS if found.words is None else _OF_WORDS)[found.method]] = None
            notes[_ATTRIBUTION_SIGN.format("token" if found.words is None else "word")] = None
    return cells.figure(cells.title(record.text), *parts, cells.caption(info, *notes))


def _shaded_text(record: FillMaskRecord, mask: MaskPredictions, found: Attribution) -> ShadedText:
    values = contributions(found)
    if found.words is None:
        return ShadedText(record.text.tokens, values, mask.position)
    explained = [number for number, word in enumerate(found.words) if mask.position in word.positions]
    return ShadedText([word.word for word in found.words], values, *explained)


def _logprob_and_gap(found: Attribution) -> str:
    shown = f"ln p {found.logprob:.3f}"
    if found.gap is None:
        return shown
    total = sum(value for value in contributions(found) if value == value)
    difference = total - found.gap
    share = f" ({abs(100 * found.gap / difference):.1f} %)" if difference else ""
    start = f"{found.logprob - difference:.3f} at the {found.baseline} baseline"
    return f"{shown}, {start}, gap {found.gap:z.4f}{share}"


def _strongest(effects: HeadEffects) -> Text:
    """Return the heads with the largest effects, each as layer.head, the largest first."""
    shown = Text(overflow="fold")
    shown.append("strongest ", cells.QUIET)
    largest = float(abs(effects.values).max())
    for number, (name, effect) in enumerate(_sorted_heads(effects)):
        if number == _STRONGEST:
            break
        strength = effect / largest if largest else 0.0
        shown.append(" " if number == 0 else "   ").append(f"{name} ", cells.STRONG)
        shown.append(f"{effect:z.3f}", shade(strength))
    return shown


def _sorted_heads(effects: HeadEffects) -> Iterator[tuple[str, float]]:
    """Yield the name and the effect of each head, the largest effect first."""
    found = [
        (f"{layer}.{head}", float(effect))
        for layer, of_layer in enumerate(effects.values)
        for head, effect in enumerate(of_layer)
    ]
    yield from sorted(found, key=lambda each: -abs(each[1]))
