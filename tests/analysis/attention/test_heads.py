"""Statistics of attention heads against plain loops over transformers' own weights."""

import math
import unicodedata
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bertcli.analysis.attention.heads import AttnOptions, compute_attention
from bertcli.analysis.attention.statistics import describe_heads, head_label
from bertcli.analysis.attention.strongest_keys import check_has_token, token_spellings
from bertcli.choices import HeadLabel
from bertcli.model.session import Session
from bertcli.results.attention import AttnRecord, HeadStatistics
from tests.reference import transformers_outputs
from tests.tiny import DEFAULTS, WORDS, one_batch, open_bert, random_model, save_bert, tokenize

ENGINES = ["numpy", "torch", "transformers"]
TEXTS = ["how are you", "the cat, sat! (on) the mat ...", ("a", "the cat sat on the mat?"), "[SEP] [CLS] e", "!"]
LAYERS, HEADS = DEFAULTS["num_hidden_layers"], DEFAULTS["num_attention_heads"]
NUMBERS = ("entropy", "self", "previous", "next", "cls", "sep", "punctuation", "distance", "confidence")


def attention_of(session: Session, texts: Sequence[str | tuple[str, str]], **options: object) -> list[AttnRecord]:
    requested = {"layers": range(LAYERS), "heads": range(HEADS), **options}
    return compute_attention(session, one_batch(session, texts), AttnOptions(**requested))


def slow_statistics(a: np.ndarray, tokens: Sequence[str]) -> dict[str, float]:
    """Compute the statistics of one head over one text by their definitions, from its weights, (seq, seq)."""
    n = len(tokens)
    queries = range(n)

    def mean(values: Sequence[float]) -> float:
        return math.fsum(values) / len(values)

    def mass_on(keys: Sequence[int]) -> float:
        return mean([math.fsum(a[i, j] for j in keys) for i in queries])

    return {
        "entropy": mean([-math.fsum(a[i, j] * math.log(a[i, j]) for j in queries if a[i, j] > 0) for i in queries]),
        "self": mean([a[i, i] for i in queries]),
        "previous": mean([a[i, i - 1] for i in queries if i > 0]),
        "next": mean([a[i, i + 1] for i in queries if i < n - 1]),
        "cls": mass_on([j for j in queries if tokens[j] == "[CLS]"]),
        "sep": mass_on([j for j in queries if tokens[j] == "[SEP]"]),
        "punctuation": mass_on([j for j in queries if all(unicodedata.category(c)[0] == "P" for c in tokens[j])]),
        "distance": mean([math.fsum(a[i, j] * abs(i - j) for j in queries) for i in queries]),
        "confidence": mean([max(a[i, j] for j in queries) for i in queries]),
    }


@pytest.mark.parametrize("engine", ENGINES)
def test_statistics_follow_their_definitions_over_transformers_weights(tiny_bert: Path, engine: str) -> None:
    session = open_bert(tiny_bert, engine)
    expected = transformers_outputs(tiny_bert, one_batch(session, TEXTS)).attentions
    for row, answer in enumerate(attention_of(session, TEXTS)):
        tokens = answer.text.tokens
        assert [(head.layer, head.head) for head in answer.heads] == [
            (i, j) for i in range(LAYERS) for j in range(HEADS)
        ]
        for head in answer.heads:
            a = expected[head.layer][row, head.head, : len(tokens), : len(tokens)].astype(np.float64)
            wanted = slow_statistics(a, tokens)
            found = asdict(head)
            assert {name: found[name] for name in NUMBERS} == pytest.approx(wanted, abs=1e-5)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_text_has_the_same_statistics_alone_and_in_a_batch(tiny_bert: Path, engine: str) -> None:
    session = open_bert(tiny_bert, engine)
    for text, together in zip(TEXTS, attention_of(session, TEXTS), strict=True):
        [alone] = attention_of(session, [text])
        assert together.text.tokens == alone.text.tokens
        for found, wanted in zip(together.heads, alone.heads, strict=True):
            assert found.label == wanted.label
            for name in NUMBERS:
                assert getattr(found, name) == pytest.approx(getattr(wanted, name), abs=1e-5), name


@given(
    st.lists(st.lists(st.sampled_from([*WORDS, ".", "!", "[MASK]"]), min_size=1, max_size=12), min_size=1, max_size=4)
)
@settings(max_examples=25)
def test_statistics_stay_within_their_bounds(tiny_bert: Path, texts: list[list[str]]) -> None:
    for answer in attention_of(open_bert(tiny_bert), [" ".join(words) for words in texts]):
        n = len(answer.text.tokens)
        for head in answer.heads:
            assert -1e-6 <= head.entropy <= math.log(n) + 1e-5
            assert 0 <= head.distance <= n - 1
            assert 1 / n - 1e-6 <= head.confidence <= 1 + 1e-6
            shares = (head.self, head.previous, head.next, head.cls, head.sep, head.punctuation)
            assert all(-1e-6 <= share <= 1 + 1e-6 for share in shares)
            assert head.cls + head.sep + head.punctuation <= 1 + 1e-5


def test_uniform_attention_has_the_entropy_of_its_length(tmp_path: Path) -> None:
    model = random_model(std=0)
    session = open_bert(save_bert(tmp_path, model))
    for head in attention_of(session, ["a b c . !"])[0].heads:
        assert head.entropy == pytest.approx(math.log(7), abs=1e-5)
        found = (head.self, head.previous, head.next, head.cls, head.sep, head.confidence)
        assert found == pytest.approx([1 / 7] * 6, abs=1e-6)
        assert head.punctuation == pytest.approx(2 / 7, abs=1e-6)
        assert head.distance == pytest.approx(16 / 7, abs=1e-5)  # the mean of |i - j| over 7 x 7


@pytest.mark.parametrize("engine", ENGINES)
def test_a_weight_of_zero_adds_nothing_to_the_entropy(tmp_path: Path, engine: str) -> None:
    session = open_bert(save_bert(tmp_path, std=6.0), engine)
    answer = attention_of(session, ["the cat sat on the mat"], tensors=True)[0]
    assert (answer.attentions == 0).any()
    assert all(math.isfinite(head.entropy) and head.entropy >= -1e-6 for head in answer.heads)


def head(**numbers: float) -> HeadStatistics:
    return HeadStatistics(layer=0, head=0, **{**dict.fromkeys(NUMBERS, 0.0), **numbers}, label=None)


@pytest.mark.parametrize(
    ("numbers", "name"),
    [
        ({"previous": 0.51}, "previous"),
        ({"next": 0.51}, "next"),
        ({"self": 0.51}, "self"),
        ({"cls": 0.3, "sep": 0.31}, "delimiter"),
        ({"entropy": 0.81}, "broad"),
        ({}, None),
        ({"previous": 0.5, "next": 0.5, "self": 0.5, "cls": 0.3, "sep": 0.3, "entropy": 0.8}, None),
        ({"previous": 0.6, "next": 0.6, "self": 0.6, "sep": 0.7, "entropy": 0.9}, "previous"),
        ({"next": 0.6, "self": 0.6, "sep": 0.7, "entropy": 0.9}, "next"),
        ({"self": 0.6, "sep": 0.7, "entropy": 0.9}, "self"),
        ({"sep": 0.7, "entropy": 0.9}, "delimiter"),
    ],
    ids=str,
)
def test_a_label_is_the_first_that_fits_and_a_threshold_itself_does_not(
    numbers: dict[str, float], name: str | None
) -> None:
    normalized_entropy = numbers.get("entropy", 0.0)
    assert head_label(head(**numbers), normalized_entropy) == name


def labels_of(entropy: float, token_count: int) -> HeadLabel | None:
    """Return the label of a head with this mean entropy over a text of this number of tokens."""
    values = np.zeros((2, len(NUMBERS)), np.float32)
    values[1, NUMBERS.index("entropy")] = entropy
    [found] = describe_heads(3, [1], values, token_count)
    assert (found.layer, found.head, found.entropy) == (3, 1, pytest.approx(entropy))
    return found.label


@given(st.integers(8, 512), st.floats(0, 1))
def test_a_head_is_broad_if_its_entropy_is_near_that_of_even_attention(token_count: int, share: float) -> None:
    label = labels_of(share * math.log(token_count), token_count)
    assert abs(share - 0.8) < 1e-6 or label == ("broad" if share > 0.8 else None)


@given(st.integers(1, 7))
def test_a_text_of_fewer_than_8_tokens_has_no_broad_head(token_count: int) -> None:
    assert labels_of(math.log(token_count), token_count) is None


def test_an_even_head_is_broad_from_8_tokens_on(tmp_path: Path) -> None:
    session = open_bert(save_bert(tmp_path, random_model(std=0)))
    for text, label in (("a b c . !", None), ("a b c . ! ?", "broad")):
        assert {head.label for head in attention_of(session, [text])[0].heads} == {label}


@pytest.mark.parametrize("engine", ENGINES)
def test_the_matrix_and_the_tensors_are_transformers_weights_without_padding(tiny_bert: Path, engine: str) -> None:
    session = open_bert(tiny_bert, engine)
    expected = transformers_outputs(tiny_bert, one_batch(session, TEXTS)).attentions
    whole = attention_of(session, TEXTS, tensors=True)
    matrices = attention_of(session, TEXTS, layers=[1], heads=[2], matrix=True)
    for row, (answer, one) in enumerate(zip(whole, matrices, strict=True)):
        n = len(answer.text.tokens)
        assert answer.attentions.shape == (LAYERS, HEADS, n, n)
        for layer in range(LAYERS):
            np.testing.assert_allclose(answer.attentions[layer], expected[layer][row, :, :n, :n], 0, 1e-5)
        np.testing.assert_allclose(one.attention, expected[1][row, 2, :n, :n], 0, 1e-5)
        assert [(head.layer, head.head) for head in one.heads] == [(1, 2)]
        assert answer.attention is None
        assert one.attentions is None


def test_keys_are_sorted_by_weight_strongest_first(tiny_bert: Path) -> None:
    session = open_bert(tiny_bert)
    [answer] = attention_of(session, ["the cat sat on the mat"], from_token=["the"], tensors=True, top_k=4)
    tokens = answer.text.tokens
    assert [found.position for found in answer.strongest_keys[:: LAYERS * HEADS]] == [1, 5]
    assert len(answer.strongest_keys) == 2 * LAYERS * HEADS
    for found in answer.strongest_keys:
        row = answer.attentions[found.layer, found.head, found.position]
        best = sorted(range(len(tokens)), key=lambda key: -row[key])[:4]
        assert [key.position for key in found.keys] == best
        assert [key.token for key in found.keys] == [tokens[key] for key in best]
        assert [key.weight for key in found.keys] == pytest.approx([row[key] for key in best])
        assert found.token == "the"


def test_a_number_is_a_position_unless_it_is_a_token_of_the_text(tiny_bert: Path) -> None:
    session = open_bert(tiny_bert)
    [by_position] = attention_of(session, ["how are you"], from_token=["2"], layers=[0], heads=[0])
    assert [(found.position, found.token) for found in by_position.strongest_keys] == [(2, "are")]
    [by_token] = attention_of(session, ["how 2 you 2 3"], from_token=["2"], layers=[0], heads=[0])
    assert [(found.position, found.token) for found in by_token.strongest_keys] == [(2, "2"), (4, "2")]


@pytest.mark.parametrize("token", ["dog", "5", "-1", "", "HOW"])
def test_a_token_missing_from_the_text_is_an_error_that_lists_its_tokens(tiny_bert: Path, token: str) -> None:
    [text] = tokenize(open_bert(tiny_bert), ["how are you"])
    found = check_has_token(text, [token])
    assert found is not None
    assert repr(token) in found.error.message
    assert "[CLS] how are you [SEP]" in found.error.message
    assert check_has_token(text, ["4"]) is None
    assert check_has_token(text, ["you"]) is None


def test_a_token_is_found_by_the_spelling_of_the_text(tiny_bert: Path) -> None:
    tokenizer = open_bert(tiny_bert).tokenizer
    assert token_spellings(tokenizer, "Cat") == ("Cat", "cat")
    assert token_spellings(tokenizer, "[CLS]") == ("[CLS]", "[CLS]")
    assert token_spellings(tokenizer, "catting") == ("catting",)


@pytest.mark.parametrize("engine", ENGINES)
def test_layers_come_in_the_order_in_which_they_are_requested(tiny_bert: Path, engine: str) -> None:
    session = open_bert(tiny_bert, engine)
    requested = {"tensors": True, "head_distance": True, "from_token": ["the"]}
    [forward] = attention_of(session, ["the cat"], layers=[0, 1], **requested)
    [backward] = attention_of(session, ["the cat"], layers=[1, 0], **requested)
    order = [*range(HEADS, 2 * HEADS), *range(HEADS)]
    assert [(head.layer, head.head) for head in backward.heads] == [divmod(at, HEADS) for at in order]
    assert list(backward.heads) == [forward.heads[at] for at in order]
    assert list(backward.strongest_keys) == [forward.strongest_keys[at] for at in order]
    np.testing.assert_array_equal(backward.attentions, forward.attentions[::-1])
    np.testing.assert_array_equal(backward.head_distance, forward.head_distance[np.ix_(order, order)])


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_statistics_are_near_those_of_float32(tiny_bert: Path, dtype: str) -> None:
    exact = attention_of(open_bert(tiny_bert, "torch"), TEXTS)
    for found, wanted in zip(attention_of(open_bert(tiny_bert, "torch", dtype=dtype), TEXTS), exact, strict=True):
        for head_found, head_wanted in zip(found.heads, wanted.heads, strict=True):
            assert head_found.entropy == pytest.approx(head_wanted.entropy, abs=0.1)
            assert head_found.cls == pytest.approx(head_wanted.cls, abs=0.05)


@pytest.mark.parametrize("engine", ENGINES)
def test_the_distance_of_a_long_text_keeps_its_last_digits(tmp_path: Path, engine: str) -> None:
    model = random_model(max_position_embeddings=512)
    session = open_bert(save_bert(tmp_path, model), engine)
    words = np.random.default_rng(0).choice(WORDS, 500)
    [answer] = attention_of(session, [" ".join(words)], tensors=True)
    queries = len(answer.text.tokens)
    assert queries > 500
    apart = np.abs(np.subtract.outer(np.arange(queries), np.arange(queries)))
    wanted = (answer.attentions.astype(np.float64) * apart).sum((-2, -1)).ravel() / queries
    assert [head.distance for head in answer.heads] == pytest.approx(list(wanted), rel=1e-6)
