"""Results made by hand, from which tests draw tables and write records without a model."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from bertcli.choices import HeadTask, LabelScore, Pooling, RecipeSource
from bertcli.output.display import AttentionDisplay
from bertcli.results.attention import AttnRecord, AttnSummary, Expansion, HeadStatistics, KeyWeight, StrongestKeys
from bertcli.results.embeddings import (
    EncodeRecord,
    Neighbours,
    Occurrence,
    SimilarityMatrix,
    SimilarPairs,
    TokenSimilarity,
    WordVector,
)
from bertcli.results.labels import Answer, Entity, HeadInfo, Label, TextLabels
from bertcli.results.lengths import LengthBin, TextLengths
from bertcli.results.masks import (
    Attribution,
    Change,
    Comparison,
    FilledSequence,
    FillMaskRecord,
    HeadEffects,
    LensLayer,
    MaskPredictions,
    Prediction,
    TargetPrediction,
    TextScore,
    TokenScore,
    WordCandidate,
    WordScore,
    WordValue,
)
from bertcli.results.models import (
    KnownModel,
    ModelClass,
    ModelsResult,
    Output,
    ShapesResult,
    SkippedModel,
    StoredTensor,
)
from bertcli.results.pairs import PairRecord
from bertcli.results.recipe import Recipe
from bertcli.results.summaries import GroupSummary, Interval, PairCounts, ProbeCounts, Summary
from bertcli.results.texts import RunInfo, TextInfo
from bertcli.results.tokens import Token, TokensRecord

COMMIT = "86b5e0934494bd15c9632b12f734a8a67f723594"
STATISTICS = ("entropy", "self", "previous", "next", "cls", "sep", "punctuation", "distance", "confidence")
DISPLAY = AttentionDisplay(STATISTICS, "labels: previous > 0.5; delimiter > 0.6")


def info(command: str, model: str = "bundled", revision: str | None = None) -> RunInfo:
    """Return a run of numpy on the CPU in float32."""
    return RunInfo(command, model, revision, "numpy", "cpu", "float32")


def recipe(**changes: object) -> Recipe:
    """Return the recipe that takes the mean of a tiny model's tokens."""
    fields: dict[str, object] = {
        "source": RecipeSource.DEFAULT,
        "pooling": [Pooling.MEAN],
        "dense": [],
        "normalize": False,
        "prompt": None,
        "dimension": 24,
        "max_length": 64,
    }
    return Recipe(**{**fields, **changes})  # type: ignore[arg-type]


def text_info(tokens: Sequence[str], text: str | None = None, **changes: object) -> TextInfo:
    """Return a text of these tokens, with [CLS] and [SEP] around them."""
    every = ["[CLS]", *tokens, "[SEP]"]
    fields: dict[str, object] = {
        "index": 0,
        "line": None,
        "text": " ".join(tokens) if text is None else text,
        "pair": None,
        "tokens": every,
        "input_ids": [101, *range(2000, 2000 + len(tokens)), 102],
        "token_type_ids": [0] * len(every),
        "truncated": False,
    }
    return TextInfo(**{**fields, **changes})  # type: ignore[arg-type]


def predictions(sequence: str, *candidates: tuple[str, float, float]) -> list[Prediction]:
    """Return predictions made of candidates (token, score, logit), best first.

    Args:
        sequence: Text, with {} at the mask.
        candidates: Token, score and logit of each candidate.
    """
    return [
        Prediction(rank, score, logit, 2000 + rank, token, sequence.format(token))
        for rank, (token, score, logit) in enumerate(candidates, 1)
    ]


def target(word: str, pieces: str, logprob: float, share: float, rank: int | None = None) -> TargetPrediction:
    """Return a target; a target of a single piece has a rank."""
    own = (None, None, None) if rank is None else (rank, logprob + 2, 2003)
    spelt = pieces.replace(" ##", "")
    return TargetPrediction(
        word, tuple(pieces.split()), "l2r", logprob, share, float(np.exp(logprob)), *own, spelt, f"how {spelt} you"
    )


def fill_mask_record() -> FillMaskRecord:
    """Return one mask with three targets: one is spelt unlike its token, and one has several pieces."""
    found = predictions(
        "how {} you", ("are", 0.7040, 1.188), ("about", 0.0401, -1.679), ("many", 0.000031, -2.2), ("is", 0.0, -9.0)
    )
    targets = [
        target("are", "are", -0.351, 0.98, 1),
        target("IS", "is", -26.9, 2e-12, 12345),
        target("souvenirs", "so ##uven ##irs", -4.3, 0.02),
    ]
    text = text_info(["how", "[MASK]", "you"])
    return FillMaskRecord(text, [MaskPredictions(2, found, targets, entropy=2.93912, mass=0.74413)])


def joint_record() -> FillMaskRecord:
    """Return two masks that are filled together."""
    filled = [
        FilledSequence("the man sat on the table.", ("man", "table"), -5.644),
        FilledSequence("the [mask] sat on the ##able.", ("[mask]", "##able"), -15.832),
    ]
    return replace(two_masks_record(), sequences=filled)


def score_record() -> FillMaskRecord:
    """Return the score of a text whose tokens are certain, unlikely and almost impossible."""
    tokens = [
        TokenScore(1, "the", 1996, -0.00001, 0.0000144, 1, "the"),
        TokenScore(2, "##irs", 18894, -10.155, 14.65, 13267, "[mask]"),
        TokenScore(3, ".", 1012, -103.2, 148.886, 2, "\x1b[31m"),
    ]
    text = text_info(["the", "##irs", "."], "Theirs.")
    return FillMaskRecord(text, [], score=TextScore("PLL-word-l2r", -113.35501, -37.785, 2.5697e16, tokens))


def word_score_record(pair: str | None = None) -> FillMaskRecord:
    """Return the scores of words, one of two pieces and one that looks like markup."""
    record = score_record()
    assert record.score is not None
    sentence = None if pair is None else 0
    words = [
        WordScore("Theirs", sentence, 0, 0, 6, [1, 2], -10.15501, 14.6500144),
        WordScore("[b]\x1b", None if pair is None else 1, 1, None, None, [3], -103.2, 148.886),
    ]
    return replace(record, text=replace(record.text, pair=pair), score=replace(record.score, words=words))


def pair_record(group: Mapping[str, str] | None = None) -> PairRecord:
    """Return a pair whose texts differ in one word, of one piece and of two."""
    shared = [TokenScore(1, "the", 1996, -0.801, 1.156, 1, "the"), TokenScore(2, "keys", 6309, -7.225, 10.42, 188, "a")]
    ends = TokenScore(4, ".", 1012, -0.005, 0.007, 1, "."), TokenScore(5, ".", 1012, -0.016, 0.023, 1, ".")
    first = [*shared, TokenScore(3, "are", 2024, -2.531, 3.65, 2, "were"), ends[0]]
    others = [
        TokenScore(3, "[UNK]", 100, -14.5, 20.9, 9000, "were"),
        TokenScore(4, "##s", 2015, -8.25, 11.9, 70, "[b]"),
    ]
    versus = [replace(shared[0], logprob=-0.75), shared[1], *others, ends[1]]
    text = text_info(["the", "keys", "are", "."], "The keys are.", line=3, group=group)
    other = text_info(["the", "keys", "[UNK]", "##s", "."], "The keys [b]\x1b.", line=3, unknown=1)
    scores = [
        TextScore("PLL-word-l2r", -10.562, -2.6405, 14.02, first, only_words=["are", "[b]"]),
        TextScore("PLL-word-l2r", -30.741, -6.1482, 467.9, versus, only_words=["are", "[b]"]),
    ]
    return PairRecord(FillMaskRecord(text, [], score=scores[0]), FillMaskRecord(other, [], score=scores[1]))


def probe_record() -> FillMaskRecord:
    """Return a text whose expected word is its third candidate."""
    record = fill_mask_record()
    mask = replace(record.masks[0], targets=[target("many", "many", -10.4, 1.0, 3)], entropy=None, mass=None)
    return FillMaskRecord(replace(record.text, group={"kind": "a"}), [mask])


def pair_summary() -> Summary[PairCounts]:
    """Return the summary of two groups, one of them of a single pair that is a tie."""
    counts = PairCounts(1203, 0.8136, Interval(0.7906, 0.8346), 1, 2.642, Interval(2.288, 2.995))
    first = PairCounts(1202, 0.8143, Interval(0.7913, 0.8352), 0, 2.644, Interval(2.29, 2.998))
    tie = PairCounts(1, 0.0, Interval(0.0, 0.7935), 1, 0.0, None)
    groups = [({"field": "syntax", "UID": "[b]"}, first), ({"field": "morphology", "UID": "agreement\x1b"}, tie)]
    return Summary(counts, [GroupSummary(group, of_group) for group, of_group in groups])


def probe_summary() -> Summary[ProbeCounts]:
    """Return the summary of two groups, one of them without a word that has a rank."""
    counts = ProbeCounts(
        1200, 3, 0.312, Interval(0.2864, 0.3388), 0.52, 0.6125, 0.4123, Interval(0.39, 0.4346), 1234.5678
    )
    empty = ProbeCounts(0, 3, *[None] * 7)
    groups = [({"relation": "capital of"}, replace(counts, unranked=0)), ({"relation": "[b]\x1b"}, empty)]
    return Summary(counts, [GroupSummary(group, of_group) for group, of_group in groups])


def lens_record() -> FillMaskRecord:
    """Return three layers of two masks, with the ranks of two targets."""

    def layer(index: int, token: str, score: float, *ranks: int) -> LensLayer:
        best = predictions("how {}", (token, score, 1.0))
        words = zip(("are", "is"), ranks, strict=True)
        return LensLayer(index, best, [target(word, word, -1.0, 0.5, rank) for word, rank in words])

    ends = [("[mask]", 0.12, 12345, 398), ("are", 0.70, 1, 15), ("are", 0.99, 1, 2)]
    others = [("the", 0.5, 3, 30000), (".", 1e-7, 4, 5), ("souvenirs", 0.2, 6, 7)]
    text = text_info(["how", "[MASK]", "you", "[MASK]"])
    masks = []
    for position, answers in ((2, ends), (4, others)):
        layers = [layer(index, *answer) for index, answer in enumerate(answers)]
        masks.append(
            MaskPredictions(position, layers[-1].predictions, layers[-1].targets, lens=layers, lens_method="raw")
        )
    return FillMaskRecord(text, masks)


def compare_record(*, one_vocabulary: bool = True) -> FillMaskRecord:
    """Return candidates that rise, fall, stay, or are missing from the other vocabulary, and a target."""
    found = predictions("how {} you", ("are", 0.7040, 1.188), ("about", 0.0401, -1.679))
    changes = [
        Change("are", 1, 1, 0.704, 0.344),
        Change("about", 2, 12345, 0.0401, 3e-9),
        Change("were", 8, 2, 0.01, 0.2),
        Change("##T", None, 5, None, 0.07),
    ]
    other = [target("is", "is", -4.0, 1.0, 12)]
    comparison = Comparison("/models/bert", None, found, 0.29951 if one_vocabulary else None, changes, other)
    text = text_info(["how", "[MASK]", "you"])
    own = [target("is", "is", -2.0, 1.0, 7)]
    return FillMaskRecord(text, [MaskPredictions(2, found, own, comparison=comparison)])


def mutual_record() -> FillMaskRecord:
    """Return distances of all shades over a pair; the [SEP] in the middle has none."""
    tokens = ["the", "cat", "[SEP]", "snow", "##mo", "##bil"]
    ids = {"input_ids": [101, 1, 2, 102, 3, 4, 5, 102], "token_type_ids": [0, 0, 0, 0, 1, 1, 1, 1]}
    distances = np.abs(vectors(8, 8)) ** 3 * np.float32(0.83)
    for special in (0, 3, 7):
        distances[special] = distances[:, special] = np.nan
    distances[[1, 2, 4, 5, 6], [1, 2, 4, 5, 6]] = 0
    return FillMaskRecord(text_info(tokens, "the cat", pair="snowmobil", **ids), [], mutual=distances)


def head_effects_record(heads: int = 12) -> FillMaskRecord:
    """Return the effects of heads of all shades and both signs, and those of a model without any, on two masks."""
    values = vectors(3, heads) ** 3 * np.float32(0.2)
    none = np.zeros((3, heads), np.float32)
    masks = [
        MaskPredictions(
            2, predictions("how {}", ("are", 0.7, 1.0)), head_effects=[HeadEffects("are", 1, -0.357, values)]
        ),
        MaskPredictions(4, predictions("how {}", (".", 0.5, 3.0)), head_effects=[HeadEffects(".", 3, -0.693, none)]),
    ]
    return FillMaskRecord(text_info(["how", "[MASK]", "you", "[MASK]"]), masks)


def attributions_record(method: str = "occlusion") -> FillMaskRecord:
    """Return contributions of all shades and both signs to two targets in one mask, and none at all in another."""
    words = ["the", "capital", "of", "france", "is", "[MASK]", "and", "[MASK]"]
    values = vectors(2, len(words) + 2) ** 3 * np.float32(2)
    values[:, [0, -1]] = np.nan
    gap, baseline, steps = (None, None, None) if method == "occlusion" else (0.0123, "mask", 50)
    if gap is None:
        values[:, 6] = np.nan
    found = [
        Attribution(word, token, method, -1.5, each, gap, baseline, steps)
        for word, token, each in zip(("paris", "lyon"), (5, 6), values, strict=True)
    ]
    none = Attribution(".", 3, method, -0.1, np.zeros(len(words) + 2, np.float32), gap and 0.0, baseline, steps)
    best = predictions("the capital of france is {}", ("paris", 0.7, 1.0))
    return FillMaskRecord(
        text_info(words), [MaskPredictions(6, best, attributions=found), MaskPredictions(8, best, attributions=[none])]
    )


def word_attributions_record(method: str = "occlusion", pair: str | None = None) -> FillMaskRecord:
    """Return contributions of words: one of two tokens, one that looks like markup, and the mask."""
    is_pair = pair is not None
    words = [
        WordValue("Theirs", 0 if is_pair else None, 0, 0, 6, [1, 2], 2.25),
        WordValue("[b]\x1b", 0 if is_pair else None, 1, None, None, [3], -0.7512),
        WordValue("[MASK]", 1 if is_pair else None, 0 if is_pair else 2, 8, 14, [4], None),
        WordValue(".", 1 if is_pair else None, 1 if is_pair else 3, 14, 15, [5], 0.001),
    ]
    values = np.array([np.nan, 2, 0.25, -0.7512, np.nan, 0.001, np.nan], np.float32)
    gap, baseline, steps = (0.0123, "mask", 50)
    found = Attribution("paris", 5, method, -1.5, values, gap, baseline, steps, words)
    if method == "occlusion":
        found = Attribution("paris", 5, method, -1.5, np.full_like(values, np.nan), None, words=words)
    best = predictions("theirs [b] {}.", ("paris", 0.7, 1.0))
    text = text_info(["the", "##irs", "[b]", "[MASK]", "."], "Theirs [b]\x1b [MASK].", pair=pair)
    return FillMaskRecord(text, [MaskPredictions(4, best, attributions=[found])])


def whole_words_record(masks: int = 1) -> FillMaskRecord:
    """Return words of one and of several pieces for a mask, one of which looks like markup; and a mask without any."""
    best = predictions("i bought a {}.", ("ticket", 0.1, 1.0))
    found = [
        WordCandidate(1, "ticket", ["ticket"], [7281], 1, -2.30665, -2.30665, "i bought a ticket."),
        WordCandidate(
            2, "macchiato", ["mac", "##chia", "##to"], [6097, 3, 2], 3, -8.1234, -2.70780, "i bought a macchiato."
        ),
        WordCandidate(3, "[b]", ["[", "##b]"], [1, 2], 2, -200.5, -100.25, "i bought a [b]."),
    ]
    text = text_info(["i", "bought", "a", "[MASK]", *["[MASK]"] * (masks - 1), "."])
    more = [MaskPredictions(4 + mask, best, candidates=[]) for mask in range(1, masks)]
    return FillMaskRecord(text, [MaskPredictions(4, best, candidates=found), *more])


def two_masks_record() -> FillMaskRecord:
    """Return two masks in a line of a file; the candidates of the second are punctuation and words."""
    first = predictions("{} are [MASK]", ("you", 0.3306, -2.313), ("we", 0.1079, -3.433))
    second = predictions("[MASK] are{}", (".", 0.7989, 3.005), (" there", 0.1265, 1.162))
    text = text_info(["[MASK]", "are", "[MASK]"], line=17, truncated=True)
    return FillMaskRecord(text, [MaskPredictions(1, first), MaskPredictions(3, second)])


def strange_record() -> FillMaskRecord:
    """Return tokens that control terminals, look like markup, run from right to left, or are two cells wide."""
    tokens = ["[mask]", "[/b]", ":smile:", "\x1b[31mred", "مرحبا", "שלום", "世界"]
    tokens += ["👩\u200d👧", "e\u0301", "\u202eevil"]
    sequence = " ".join(tokens)
    found = [
        Prediction(rank, 1 / rank / 4, -float(rank), rank, token, f"{sequence} {token}")
        for rank, token in enumerate(tokens, 1)
    ]
    return FillMaskRecord(text_info([*tokens, "[MASK]"]), [MaskPredictions(len(tokens) + 1, found)])


def vectors(rows: int, hidden: int = 6) -> np.ndarray:
    """Return numbers from -1 to 1 that look random and are the same each time: (rows, hidden)."""
    return np.sin(np.arange(1, rows * hidden + 1, dtype=np.float32) ** 2).reshape(rows, hidden)


def encode_record() -> EncodeRecord:
    """Return two segments with every optional value; one number rounds to -0."""
    ids = {"input_ids": [101, 7592, 102, 2088, 102], "token_type_ids": [0, 0, 0, 1, 1]}
    text = text_info(["hello", "[SEP]", "world"], "Hello", pair="World", **ids)
    states = [vectors(5) * scale for scale in (7.0, 70.0, 1.0)]
    states[-1][0, 0] = -0.0001
    return EncodeRecord(
        text,
        embedding=states[-1].mean(0),
        last_hidden_state=states[-1],
        pooler_output=np.tanh(states[-1][0]),
        layers=[0, 1, 2],
        hidden_states=states,
        next_sentence=0.98765,
    )


def words_record() -> EncodeRecord:
    """Return a pair with words: of several pieces, of none, and without a place."""
    ids = {"input_ids": [101, 19204, 4697, 102, 2088, 102], "token_type_ids": [0, 0, 0, 0, 1, 1]}
    text = text_info(["token", "##ize", "[SEP]", "world"], "Tokenize \u200b", pair="World [b]", **ids)
    mean, world, _ = vectors(3)
    words = [
        WordVector("Tokenize", 0, 0, 0, 8, [1, 2], mean),
        WordVector("\u200b", 0, 1, 9, 10, [], None),
        WordVector("World", 1, 0, None, None, [4], world),
    ]
    return EncodeRecord(text, embedding=vectors(1)[0], words=words)


def occurrences() -> tuple[list[Occurrence], np.ndarray]:
    """Return three occurrences of a word and their cosines: in a long text, at its beginning, and without a place."""
    long = "after the flood the people met on the bank of the river to talk about the harvest"
    texts = [text_info(["bank"], long), text_info(["bank"], "Bank\nnotes"), text_info(["bank"], "the bank", index=2)]
    places = [(38, 42), (0, 4), (None, None)]
    found = [
        Occurrence(text, WordVector("bank", 0, 7, *place, [1], vectors(1)[0]))
        for text, place in zip(texts, places, strict=True)
    ]
    return found, np.array([[1, 0.833, -0.2], [0.833, 1, -0.0001], [-0.2, -0.0001, 1]], np.float32)


def token_similarity() -> TokenSimilarity:
    """Return the similarity of two short texts, with a negative and a large cosine."""
    cosine = np.array([[1, 0.2, -0.12, 0.5], [0.3, 0.961, 0.004, 0.1], [0.55, 0.1, 0.25, 0.998]], np.float32)
    rows, columns = ["[CLS]", "cat", "[SEP]"], ["[CLS]", "a", "[dog]", "[SEP]"]
    return TokenSimilarity(range(3), range(4), rows, columns, cosine, 0.961, 0.60547, 0.742882)


def pooled_record() -> EncodeRecord:
    """Return a text with nothing but its embedding."""
    return EncodeRecord(text_info(["hello"]), embedding=vectors(1)[0])


def labelled_record() -> EncodeRecord:
    """Return a pair with the labels of every kind of head. Some look like markup, or could control the terminal."""
    names = (
        "[red]good[/red]",
        "\x1b[31mbad",
        "a label that is much longer than a narrow terminal",
        *map(str, range(9)),
    )
    heads = [
        HeadInfo(HeadTask.TEXT_LABELS, "BertForSequenceClassification", names, LabelScore.SOFTMAX),
        HeadInfo(HeadTask.TEXT_LABELS, "BertForSequenceClassification", names[:2], LabelScore.NONE),
        HeadInfo(HeadTask.TOKEN_LABELS, "BertForTokenClassification", ("O", "B-PER"), LabelScore.SOFTMAX),
        HeadInfo(HeadTask.ANSWER, "BertForQuestionAnswering", (), LabelScore.SOFTMAX),
    ]
    record = encode_record()
    labels = TextLabels(
        heads,
        [Label(name, 0.5**rank) for rank, name in enumerate(names, 1)],
        [None, Label("B-PER", 0.9876), None, Label("O", 0.6), None],
        [
            Entity("PER", 0.9876, 0, 5, "Hello", [1], "text"),
            Entity("[b]LOC", 0.5, 0, 5, "World", [3], "pair"),
            Entity("PER", 0.5, None, None, "hello", [1], "text"),
        ],
        Answer("[/b] World", 0.1234, 0, 10),
    )
    return replace(record, hidden_states=[], layers=[], labels=labels)


def attention(size: int) -> np.ndarray:
    """Return a square matrix whose rows sum to 1, the same each time."""
    weights = np.exp(3 * vectors(size, size))
    return weights / weights.sum(-1, keepdims=True)


def attn_record() -> AttnRecord:
    """Return two layers of two heads with different labels, and a matrix of all shades."""
    heads = [
        HeadStatistics(0, 0, 3.91, 0.12, 0.11, 0.04, 0.23, 0.23, 0.0, 100.4, 0.28, "broad"),
        HeadStatistics(0, 1, 0.003, 0.13, 0.999, 0.0, 0.25, 0.0, 0.0, 0.9, 0.999, "previous"),
        HeadStatistics(1, 0, 0.858, 0.17, 0.07, 0.02, 0.76, 0.04, 0.61, 3.4, 0.76, "delimiter"),
        HeadStatistics(1, 1, 1.511, 0.18, 0.19, 0.07, 0.37, 0.04, 0.0, 2.1, 0.43, None),
    ]
    text = text_info(["the", "cat", "sat", "on", "the", "mat"])
    keys = [KeyWeight(5, "the", 0.56), KeyWeight(0, "[CLS]", 0.23), KeyWeight(6, "mat", 0.004)]
    attended = [
        StrongestKeys(position, "the", layer, head, keys) for position in (1, 5) for layer in (0, 1) for head in (0, 1)
    ]
    return AttnRecord(text, heads, attention(8), attended)


def grid_summary() -> AttnSummary:
    """Return two layers of twelve heads over a corpus."""
    numbers = np.abs(vectors(24, len(STATISTICS)))
    heads = [
        HeadStatistics(at // 12, at % 12, **dict(zip(STATISTICS, map(float, row), strict=True)), label=None)
        for at, row in enumerate(numbers)
    ]
    return AttnSummary(1234, 56789, heads)


def grid_summary_with_gaps() -> AttnSummary:
    """Return some heads of two layers, neither of them the first and with a gap between."""
    heads = [replace(head, layer=3 + 2 * head.layer) for head in grid_summary().heads if head.head in (2, 3, 9, 11)]
    return replace(grid_summary(), heads=heads)


def maps_record() -> AttnRecord:
    """Return rollout, the value norms of one head, and head distances, over words."""
    heads = attn_record().heads
    distance = np.abs(np.subtract.outer(np.arange(4), np.arange(4))).astype(np.float32) / 5
    words = ["[CLS]", "the", "unbelievable", "世界", "[SEP]"]
    norms = 7 * attention(5)[None]
    text = text_info(["the", "un", "##believable", "世界"])
    return AttnRecord(text, heads, words=words, rollout=attention(5), value_norms=norms, head_distance=distance)


def long_matrix_record() -> AttnRecord:
    """Return a matrix with more tokens than a table shows."""
    text = text_info([f"token{at}" for at in range(60)])
    return AttnRecord(text, [], attention(62))


def expansion() -> Expansion:
    """Return the expansion rates of three layers."""
    return Expansion([0, 1, 2], [0.901, 0.7404, 1.051])


def shapes_result(*, has_pooler: bool | None = True, ran: bool = False) -> ShapesResult:
    """Return the outputs of both classes for a batch of 2 texts of 128 tokens."""

    def output(name: str, symbolic: str, shape: list[int], count: int = 1, *, default: bool = True) -> Output:
        in_checkpoint = has_pooler if name == "pooler_output" or has_pooler is None else True
        came = [shape] * count if ran and in_checkpoint else None
        nbytes = 4 * count * int(np.prod(shape))
        return Output(name, symbolic.split(), shape, count, "float32", nbytes, default, in_checkpoint, came)

    hidden = "batch_size sequence_length hidden_size"
    on_request = [
        output("hidden_states", hidden, [2, 128, 384], 7, default=False),
        output(
            "attentions",
            "batch_size num_attention_heads sequence_length sequence_length",
            [2, 12, 128, 128],
            6,
            default=False,
        ),
    ]
    pooled = [
        output("last_hidden_state", hidden, [2, 128, 384]),
        output("pooler_output", "batch_size hidden_size", [2, 384]),
    ]
    logits = output("logits", "batch_size sequence_length vocab_size", [2, 128, 30522])
    classes = [
        ModelClass("BertModel", 22_713_216, [*pooled, *on_request]),
        ModelClass("BertForMaskedLM", 22_744_506, [logits, *on_request]),
    ]
    holds = None if has_pooler is None else {"pooler": has_pooler, "mlm_head": True, "next_sentence_head": False}
    return ShapesResult(2, 128, classes, holds=holds)


def tensors() -> list[StoredTensor]:
    """Return a few tensors of a checkpoint."""
    return [
        StoredTensor("bert.embeddings.word_embeddings.weight", [30522, 384], "F16", 11_720_448, 23_440_896),
        StoredTensor("bert.encoder.layer.0.attention.output.LayerNorm.weight", [384], "F16", 384, 768),
        StoredTensor("temperature", [], "F32", 1, 4),
    ]


def weights_result(stored: Sequence[StoredTensor] | None = None) -> ShapesResult:
    """Return the tensors of a checkpoint."""
    return ShapesResult(0, 0, [], tensors() if stored is None else stored)


def models_result() -> ModelsResult:
    """Return the bundled model and published ones, one of them in a pickle."""
    return ModelsResult(
        "/home/somebody/.cache/huggingface/hub",
        [
            KnownModel("bundled", None, [], "bert", 6, 384, 12, 22_892_346, 46_559_803, True, True, None, None),
            KnownModel(
                "bert-large-cased",
                COMMIT,
                ["main"],
                "bert",
                24,
                1024,
                16,
                334_661_958,
                1_339_000_123,
                True,
                True,
                None,
                None,
            ),
            KnownModel(
                "xlm-roberta-base",
                COMMIT,
                ["v2", "main"],
                "xlm-roberta",
                12,
                768,
                12,
                None,
                9_999,
                None,
                None,
                None,
                None,
            ),
            KnownModel(
                "sentence-transformers/all-mpnet-base-v2",
                COMMIT,
                [],
                "mpnet",
                12,
                768,
                12,
                1,
                20,
                True,
                False,
                recipe(source=RecipeSource.CHECKPOINT, normalize=True, dimension=768, max_length=384),
                None,
            ),
            KnownModel(
                "a/distilbert",
                COMMIT,
                ["refs/pr/1"],
                "distilbert",
                6,
                768,
                12,
                66_985_530,
                1 << 28,
                False,
                True,
                None,
                "Router",
            ),
        ],
        [SkippedModel("openai-community/gpt2", COMMIT, "it is of model_type 'gpt2'")],
    )


def tokens_record() -> TokensRecord:
    """Return the tokens of a pair: special ones, an unknown one, and pieces of a word."""
    text = text_info(["[CLS]", "[UNK]", "##s", "[SEP]", "a", "[SEP]"], "☃s", pair="a", unknown=1)
    tokens = [
        Token(0, "[CLS]", 101, 0, None, None, None, is_special=True, is_unknown=False),
        Token(1, "[UNK]", 100, 0, 0, 1, 0, is_special=False, is_unknown=True),
        Token(2, "##s", 2015, 0, 1, 2, 0, is_special=False, is_unknown=False),
        Token(3, "[SEP]", 102, 0, None, None, None, is_special=True, is_unknown=False),
        Token(4, "a", 1037, 1, 0, 1, 0, is_special=False, is_unknown=False),
        Token(5, "[SEP]", 102, 1, None, None, None, is_special=True, is_unknown=False),
    ]
    return TokensRecord(text, tokens)


def lengths() -> TextLengths:
    """Return the lengths of texts with a few long ones and unknown tokens."""
    bins = [LengthBin(0, 9, 12), LengthBin(10, 19, 12_345), LengthBin(20, 29, 900), LengthBin(30, 1_204, 1)]
    shares = {"over_limit": 1, "over_limit_share": 1 / 13_258, "unknown": 20_000, "unknown_share": 0.1}
    return TextLengths(13_258, 200_000, 3, 14, 18, 22, 1_204, limit=512, unknown_texts=7, histogram=bins, **shares)


def similarity_matrix() -> SimilarityMatrix:
    """Return the cosines of three texts, of which one is a pair and one is long."""
    texts = [
        text_info(["a"], "a cat"),
        text_info(["a"], "a dog\x1b[31m", pair="[bold]", index=1),
        text_info(["a"], "a text that is much longer than what a narrow terminal has room for", index=3),
    ]
    return SimilarityMatrix(texts, np.array([[1, 0.833, -0.2], [0.833, 1, -0.0001], [-0.2, -0.0001, 1]], np.float32))


def similar_pairs() -> SimilarPairs:
    """Return the most similar pairs of many texts."""
    one, two, three = similarity_matrix().items
    return SimilarPairs(1_234, [(0.833, 5, one, 1_233, two), (-0.0001, 5, one, 12, three)])


def neighbours() -> list[Neighbours]:
    """Return texts with those that are nearest to them."""
    one, two, three = similarity_matrix().items
    return [
        Neighbours(one, [two, three], np.array([0.833, -0.2], np.float32)),
        Neighbours(three, [two], np.array([-0.0001], np.float32)),
    ]
