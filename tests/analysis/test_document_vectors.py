"""Vectors of documents equal those that are put together by hand from transformers' outputs for each window."""

from collections.abc import Callable, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bertcli.analysis.embeddings.encode import EncodeOptions, encode
from bertcli.analysis.embeddings.lexical import dense_vector
from bertcli.analysis.embeddings.pooling import normalize
from bertcli.analysis.embeddings.windows import DocumentVectors, encode_windows
from bertcli.choices import OnLong, Pooling
from bertcli.errors import NotFinite
from bertcli.input.records import FailedText
from bertcli.model.request import EmbeddingRequest
from bertcli.model.session import Session
from bertcli.model.windows import OverlappingWindows
from bertcli.pipeline.documents import DocumentPlan
from bertcli.pipeline.scheduler import Plan
from bertcli.results.embeddings import EncodeRecord
from tests.analysis.test_recipe import RECIPES, pooling, save_dense_of
from tests.by_hand import HandDocument
from tests.reference import assert_close, load
from tests.sentence_models import load_model, models, quiet, save_sentence_model
from tests.tiny import WORDS, answers, open_bert, record, save_bert

HIDDEN = 24
PARTS = st.sampled_from([*WORDS, "caning", "xyz", "a.b", "中文"])
TEXTS = st.lists(PARTS, min_size=1, max_size=90).map(" ".join)
ENGINES = ["numpy", "torch", "transformers"]


def open_windows(folder: Path, engine: str = "numpy", *, pooling: str = "auto", **options: Any) -> Session:
    """Open a session that reads windows. options: of the session, and of its embeddings."""
    own = {name: options.pop(name) for name in ("normalize", "prompt", "prompt_name") if name in options}
    embedding = EmbeddingRequest(Pooling(pooling), **own)
    return open_bert(folder, engine, long=OnLong.WINDOWS, embedding=embedding, **options)


def encode_all(session: Session, texts: Sequence[Any], options: EncodeOptions, **plan: Any) -> list[EncodeRecord]:
    """Return the record of each text."""
    documents = DocumentPlan(OverlappingWindows(), partial(DocumentVectors, session, options))
    window = [record(text, index) for index, text in enumerate(texts)]
    compute = partial(encode_windows, session, options=options)
    found = list(answers(session, [window], compute, Plan(**plan), documents=documents))
    assert not [each.error for each in found if isinstance(each, FailedText)]
    return found


def encode_one(session: Session, text: Any, **options: Any) -> EncodeRecord:
    [found] = encode_all(session, [text], EncodeOptions(**options))
    return found


def pooled(document: HandDocument, how: str, layer: int = -1) -> np.ndarray:
    """Return the pooled vector of a document by the definition of the pooling."""
    states = document.token_vectors(layer).astype(np.float64)
    positions = np.arange(1, len(states) + 1)[:, None]
    vector = {
        "mean": lambda: states.mean(0),
        "max": lambda: states.max(0),
        "mean-sqrt": lambda: states.sum(0) / len(states) ** 0.5,
        "weighted-mean": lambda: (positions * states).sum(0) / positions.sum(),
        "last": lambda: states[-1],
        "cls": lambda: document.mean_over_windows(lambda window: window.hidden_states[layer][0]),
        "pooler": lambda: document.mean_over_windows(lambda window: window.pooler_output),
    }[how]()
    return np.asarray(vector, np.float32)


@given(TEXTS, st.integers(4, 40), st.data())
@settings(max_examples=15)
def test_every_pooling_and_layer_of_a_document_equals_that_by_hand(
    tiny_bert: Path, text: str, limit: int, data: st.DataObject
) -> None:
    overlap = data.draw(st.integers(0, limit - 3))
    document = HandDocument(tiny_bert, text, limit, overlap)
    layers = [0, 2]
    for how in ("mean", "max", "mean-sqrt", "weighted-mean", "last", "cls", "pooler"):
        session = open_windows(tiny_bert, pooling=how, max_length=limit, overlap=overlap)
        pools_layers = how != "pooler"
        options = {"tokens": True, "pooler": True, "layers": layers, "layer_embeddings": pools_layers}
        found = encode_one(session, text, **options)
        assert list(found.text.input_ids) == document.input_ids
        assert list(found.text.tokens) == [session.tokenizer.token(id_) for id_ in document.input_ids]
        spans = [(window.start, window.end) for window in found.text.windows]
        assert spans == (document.spans if len(document.spans) > 1 else [])
        assert_close(found.embedding, pooled(document, how), how)
        assert_close(found.last_hidden_state, document.token_vectors())
        assert_close(found.pooler_output, pooled(document, "pooler"))
        for at, layer in enumerate(layers):
            assert_close(found.hidden_states[at], document.token_vectors(layer))
            if pools_layers:
                assert_close(found.layer_embeddings[at], pooled(document, how, layer), f"{how} of layer {layer}")


@given(st.integers(0, 3), TEXTS, st.integers(4, 24), st.data())
@settings(max_examples=10)
def test_random_models_limits_and_overlaps_give_what_is_computed_by_hand(
    random_models: Callable[[int], Path], seed: int, text: str, limit: int, data: st.DataObject
) -> None:
    folder, overlap = random_models(seed), data.draw(st.integers(0, limit - 3))
    document = HandDocument(folder, text, limit, overlap)
    found = encode_one(open_windows(folder, max_length=limit, overlap=overlap), text, pooler=True)
    assert_close(found.embedding, pooled(document, "mean"))
    assert_close(found.pooler_output, pooled(document, "pooler"))


@pytest.fixture(scope="module")
def random_models(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Path]:
    """Return a function that saves a tiny random model of some shape, once for each seed."""

    @cache
    def save(seed: int) -> Path:
        shape = {
            "num_hidden_layers": 1 + seed % 3,
            "num_attention_heads": 2 + seed % 2,
            "hidden_size": 12 * (1 + seed % 2),
        }
        return save_bert(tmp_path_factory.mktemp("random"), seed=seed, **shape)

    return save


@pytest.mark.parametrize("engine", ENGINES)
def test_all_engines_join_windows_alike(tiny_bert: Path, engine: str) -> None:
    text = " ".join(WORDS * 9)
    document = HandDocument(tiny_bert, text, 30, 7)
    found = encode_one(open_windows(tiny_bert, engine, max_length=30, overlap=7), text, pooler=True)
    assert_close(found.embedding, pooled(document, "mean"))
    assert_close(found.pooler_output, pooled(document, "pooler"))


@given(st.lists(st.one_of(TEXTS, st.just("how are you")), min_size=1, max_size=6), st.integers(1, 100))
@settings(max_examples=15)
def test_documents_and_short_texts_share_batches_and_keep_their_order(
    tiny_bert: Path, texts: list[str], batch_tokens: int
) -> None:
    session = open_windows(tiny_bert, max_length=16, overlap=4, batch_tokens=batch_tokens)
    found = encode_all(session, texts, EncodeOptions(), sort_window=2)
    assert [each.text.text for each in found] == texts
    assert [each.text.index for each in found] == list(range(len(texts)))
    for text, each in zip(texts, found, strict=True):
        assert_close(each.embedding, pooled(HandDocument(tiny_bert, text, 16, 4), "mean"))


@given(st.lists(PARTS, min_size=20, max_size=60).map(" ".join))
@settings(max_examples=10)
def test_windows_divide_sentence_b_of_a_pair_and_sentence_a_is_in_each(tiny_bert: Path, text: str) -> None:
    document = HandDocument(tiny_bert, ("how are you", text), 20, 5)
    found = encode_one(open_windows(tiny_bert, max_length=20, overlap=5), ("how are you", text), tokens=True)
    assert list(found.text.input_ids) == document.input_ids
    assert [(window.start, window.end) for window in found.text.windows] == document.spans
    assert_close(found.embedding, pooled(document, "mean"))
    assert_close(found.last_hidden_state, document.token_vectors())
    first = document.windows[0]
    with torch.no_grad():
        types = [0] * first.before + [1] * (len(first.ids) - first.before)
        logits = load("BertForNextSentencePrediction", tiny_bert)(
            torch.tensor([first.ids]), token_type_ids=torch.tensor([types])
        ).logits
    assert found.next_sentence == pytest.approx(float(logits.softmax(-1)[0, 0]), abs=1e-5)


def document_features(document: HandDocument, *, prompt_length: int = 0) -> dict[str, Any]:
    """Return the vectors of a document's tokens as sentence-transformers passes them from module to module."""
    states = torch.from_numpy(document.token_vectors())[None]
    features = {"token_embeddings": states, "attention_mask": torch.ones(1, states.shape[1], dtype=torch.long)}
    return {**features, "prompt_length": prompt_length} if prompt_length else features


def apply_modules(folder: Path, features: dict[str, Any]) -> np.ndarray:
    """Apply sentence-transformers' own modules after the transformer."""
    with torch.no_grad(), quiet():
        for module in list(load_model(folder))[1:]:
            features = module.eval()(features)
    return features["sentence_embedding"][0].numpy()


LONG = " ".join([*WORDS, "caning", "a.b"] * 6)
# The first token's vector is the mean over windows, which no module of sentence-transformers computes.
WITHOUT_CLS = [name for name in RECIPES if name not in ("cls", "several", "all", "dense without bias")]


@pytest.mark.parametrize("recipe", WITHOUT_CLS)
def test_the_layers_of_a_recipe_are_applied_to_the_pooled_document(tmp_path: Path, recipe: str) -> None:
    folder = save_sentence_model(tmp_path / "model", *RECIPES[recipe]())
    document = HandDocument(folder, LONG, 32, 8)
    found = encode_one(open_windows(folder, overlap=8), LONG)
    assert_close(found.embedding, apply_modules(folder, document_features(document)))


def test_a_recipe_that_makes_nan_of_a_document_is_an_error(tmp_path: Path) -> None:
    session = open_windows(save_dense_of(tmp_path / "model", torch.nan), overlap=8)
    with pytest.raises(NotFinite, match=r"the embeddings of .*model are infinite or NaN"):
        encode_one(session, LONG)


def test_several_poolings_are_joined(tmp_path: Path) -> None:
    folder = save_sentence_model(tmp_path / "model", pooling("cls", "max", "mean"), models.Normalize())
    document = HandDocument(folder, LONG, 32, 8)
    expected = np.concatenate([pooled(document, how) for how in ("cls", "max", "mean")])
    assert_close(encode_one(open_windows(folder, overlap=8), LONG).embedding, normalize(expected))


def test_weighted_layers_are_pooled(tmp_path: Path) -> None:
    modules = [models.WeightedLayerPooling(HIDDEN, 2, 1), pooling("mean")]
    folder = save_sentence_model(tmp_path / "model", *modules)
    from tests.sentence_models import edit_json

    edit_json(folder / "config.json", output_hidden_states=True)
    document = HandDocument(folder, LONG, 32, 8)
    session = open_windows(folder, overlap=8)
    mean = session.recipe.layer_mean
    assert mean is not None
    states = [document.token_vectors(layer) for layer in mean.layers]
    weighted = sum(weight * state for weight, state in zip(mean.weights, states, strict=True)) / mean.weights.sum()
    assert_close(encode_one(session, LONG).embedding, np.asarray(weighted.mean(0), np.float32))


@pytest.mark.parametrize("mode", ["mean", "max", "weightedmean", "mean_sqrt_len_tokens", "lasttoken"])
@pytest.mark.parametrize("include_prompt", [True, False])
def test_a_prompt_is_in_every_window_and_counts_once(tmp_path: Path, mode: str, include_prompt: bool) -> None:
    folder = save_sentence_model(tmp_path / "model", pooling(mode, include_prompt=include_prompt))
    prompt = "how are you: "
    document = HandDocument(folder, LONG, 32, 8, prompt=prompt)
    session = open_windows(folder, overlap=8, prompt=prompt)
    assert session.tokenizer.prompt_token_count == len(document.before) == 5
    found = encode_one(session, LONG)
    assert list(found.text.input_ids) == document.input_ids
    assert found.text.text == LONG
    features = document_features(document, prompt_length=len(document.before))
    assert_close(found.embedding, apply_modules(folder, features))


def test_cls_after_an_excluded_prompt_is_the_first_token_of_each_window(tmp_path: Path) -> None:
    folder = save_sentence_model(tmp_path / "model", pooling("cls", include_prompt=False))
    document = HandDocument(folder, LONG, 32, 8, prompt="how are you: ")
    found = encode_one(open_windows(folder, overlap=8, prompt="how are you: "), LONG)
    expected = document.mean_over_windows(lambda window: window.states[len(document.before)])
    assert_close(found.embedding, np.asarray(expected, np.float32))


@pytest.mark.parametrize("is_normalized", [False, True])
def test_a_lexical_vector_has_the_largest_weights_over_all_tokens(tiny_bert: Path, is_normalized: bool) -> None:
    session = open_windows(tiny_bert, pooling="lexical", overlap=8, max_length=32, normalize=is_normalized)
    document = HandDocument(tiny_bert, LONG, 32, 8)
    head = load("AutoModelForMaskedLM", tiny_bert).cls
    with torch.no_grad():
        logits = head(torch.from_numpy(document.token_vectors())).numpy()
    expected = np.log1p(np.maximum(logits, 0)).max(0)
    found = encode_one(session, LONG)
    assert found.embedding is None
    assert found.terms is not None
    dense = dense_vector(found.terms, len(expected))
    np.testing.assert_allclose(dense, normalize(expected) if is_normalized else expected, 1e-5, 1e-5)


def test_each_window_is_a_text_of_its_own_if_windows_are_not_joined(tiny_bert: Path) -> None:
    session = open_windows(tiny_bert, max_length=30, overlap=7)
    text = LONG.replace("cat", "[MASK]")
    document = HandDocument(tiny_bert, text, 30, 7)
    options = EncodeOptions(tokens=True)
    found = list(answers(session, [[record("how"), record(text, 1)]], partial(encode, session, options=options)))
    assert [each.text.index for each in found] == [0] + [1] * len(document.windows)
    assert found[0].text.window is None
    for number, (each, window) in enumerate(zip(found[1:], document.windows, strict=True)):
        assert list(each.text.input_ids) == window.ids
        assert_close(each.last_hidden_state, window.states)
        assert_close(each.embedding, window.states.mean(0))
        start, end = document.offsets[window.start][0], document.offsets[window.end - 1][1]
        assert (each.text.window.number, each.text.window.start, each.text.window.end) == (number, start, end)
        assert each.text.text == text[start:end]


def test_the_vectors_of_tokens_do_not_grow_unless_they_are_requested(tiny_bert: Path) -> None:
    session = open_windows(tiny_bert, max_length=30, overlap=7)
    [joined] = encode_all(session, [LONG], EncodeOptions(), ids_only=True)
    assert joined.last_hidden_state is None
    assert_close(joined.embedding, pooled(HandDocument(tiny_bert, LONG, 30, 7), "mean"))


def test_a_family_without_token_types_is_read_in_windows(tmp_path: Path) -> None:
    from tests.families import save_family

    folder = save_family(tmp_path, "roberta")
    session = open_windows(folder, max_length=20, overlap=4)
    text = "how are you, " * 20
    found = encode_one(session, text, tokens=True)
    whole = session.tokenizer.encode_bare(text).ids
    assert list(found.text.input_ids)[1:-1] == whole
    assert found.last_hidden_state.shape == (len(whole) + 2, HIDDEN)


def test_the_limit_of_a_model_leaves_room_for_one_token(tmp_path: Path) -> None:
    folder = save_bert(tmp_path, max_position_embeddings=3)
    document = HandDocument(folder, "how are you", 3, 0)
    assert_close(encode_one(open_windows(folder), "how are you").embedding, pooled(document, "mean"))
