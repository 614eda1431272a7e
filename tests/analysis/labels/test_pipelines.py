"""Labels, entities and answers are those of transformers' pipelines."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bertcli.analysis.embeddings.encode import EncodeOptions, encode
from bertcli.analysis.labels.entities import find_entities
from bertcli.choices import HeadTask
from bertcli.model.session import Session
from bertcli.results.labels import TextLabels
from tests.task_models import (
    OTHERS,
    OWN,
    PAIRS,
    TEXTS,
    as_inputs,
    expected_answer,
    pipeline,
    save_head,
    takes_token_types,
)
from tests.tiny import edit_config, one_batch, open_bert, tokenize

ENGINES = [
    *((family, engine) for family in OWN for engine in ("numpy", "torch")),
    ("bert", "transformers"),
    *((family, "transformers") for family in OTHERS[:3]),
]
MIXED: list[Any] = [*TEXTS, *PAIRS]
near = partial(pytest.approx, abs=1e-5, rel=1e-5)


def labels_of(session: Session, texts: list[Any]) -> list[TextLabels]:
    """Return the labels of texts that are encoded together, as one padded batch."""
    records = encode(session, one_batch(session, texts), EncodeOptions(heads=session.heads))
    assert all(record.labels is not None for record in records)
    return [record.labels for record in records if record.labels is not None]


@pytest.mark.parametrize(("family", "engine"), ENGINES)
def test_labels_are_those_of_the_text_classification_pipeline(tmp_path: Path, family: str, engine: str) -> None:
    save_head(tmp_path, family, HeadTask.TEXT_LABELS)
    session = open_bert(tmp_path, engine)
    texts = MIXED if session.config.type_vocab_size != 1 else TEXTS
    classify = pipeline(tmp_path, HeadTask.TEXT_LABELS, top_k=None)
    with_types = takes_token_types(classify.model)
    for found, text in zip(labels_of(session, texts), as_inputs(texts), strict=True):
        expected = classify(text, return_token_type_ids=with_types)
        expected = expected[0] if isinstance(expected[0], list) else expected
        assert found.labels is not None
        assert [label.label for label in found.labels] == [each["label"] for each in expected]
        assert [label.score for label in found.labels] == near([each["score"] for each in expected])


@pytest.mark.parametrize(
    ("count", "problem_type"),
    [(3, "multi_label_classification"), (3, "regression"), (1, "regression"), (1, None), (2, None)],
)
def test_scores_follow_the_problem_type_as_in_the_pipeline(
    tmp_path: Path, count: int, problem_type: str | None
) -> None:
    save_head(tmp_path, "bert", HeadTask.TEXT_LABELS, {n: f"L{n}" for n in range(count)}, problem_type=problem_type)
    classify = pipeline(tmp_path, HeadTask.TEXT_LABELS, top_k=None)
    for found, text in zip(labels_of(open_bert(tmp_path), TEXTS), TEXTS, strict=True):
        expected = classify([text])[0]
        assert found.labels is not None
        assert [label.label for label in found.labels] == [each["label"] for each in expected]
        assert [label.score for label in found.labels] == near([each["score"] for each in expected])


def test_labels_of_equal_names_stay_apart(tmp_path: Path) -> None:
    save_head(tmp_path, "bert", HeadTask.TEXT_LABELS, {0: "same", 1: "same", 2: "[red]"})
    [found] = labels_of(open_bert(tmp_path), ["how are you"])
    assert found.labels is not None
    assert sorted(label.label for label in found.labels) == ["[red]", "same", "same"]
    assert sum(label.score for label in found.labels) == near(1.0)


@pytest.mark.parametrize(("family", "engine"), ENGINES)
@pytest.mark.filterwarnings("ignore:Tokenizer does not support real words")
def test_entities_are_those_of_the_token_classification_pipeline(tmp_path: Path, family: str, engine: str) -> None:
    save_head(tmp_path, family, HeadTask.TOKEN_LABELS)
    session = open_bert(tmp_path, engine)
    tag = pipeline(tmp_path, HeadTask.TOKEN_LABELS)
    count = 0
    for found, text in zip(labels_of(session, TEXTS), TEXTS, strict=True):
        assert found.token_labels is not None
        assert found.entities is not None
        expected = {each["index"]: each for each in tag(text, ignore_labels=[], aggregation_strategy="none")}
        shown = {at: label for at, label in enumerate(found.token_labels) if label is not None}
        assert {at: label.label for at, label in shown.items()} == {at: e["entity"] for at, e in expected.items()}
        for at, label in shown.items():
            assert label.score == near(float(expected[at]["score"]))
        merged = tag(text, aggregation_strategy="first")
        spans = [(each["entity_group"], each["start"], each["end"]) for each in merged]
        assert [(each.label, each.start, each.end) for each in found.entities] == spans
        assert [each.score for each in found.entities] == near([float(each["score"]) for each in merged])
        assert [each.text for each in found.entities] == [text[start:end] for _, start, end in spans]
        count += len(spans)
    assert count


def test_the_entities_of_a_pair_are_in_its_sentences(tmp_path: Path) -> None:
    save_head(tmp_path, "bert", HeadTask.TOKEN_LABELS, {0: "X"})
    [found] = labels_of(open_bert(tmp_path), [("how are you", "the cat")])
    assert found.entities is not None
    assert [(each.sentence, each.text, each.start, each.end, each.positions) for each in found.entities] == [
        ("text", "how are you", 0, 11, [1, 2, 3]),
        ("pair", "the cat", 0, 7, [5, 6]),
    ]
    assert found.token_labels is not None
    assert [label is None for label in found.token_labels] == [True, *[False] * 3, True, *[False] * 2, True]


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ("B-PER I-PER O B-LOC", ["PER the cat", "LOC mat"]),
        ("I-PER I-LOC B-LOC I-LOC", ["PER the", "LOC cat", "LOC sat mat"]),
        ("B-PER E-PER S-PER S-PER", ["PER the cat", "PER sat", "PER mat"]),
        ("B-PER I-PER E-PER I-PER", ["PER the cat sat", "PER mat"]),
        ("U-LOC B-PER L-PER O", ["LOC the", "PER cat sat"]),
        ("NOUN NOUN VERB E-mail", ["NOUN the cat", "VERB sat", "mail mat"]),
    ],
)
def test_schemes_of_labels(tiny_bert: Path, tags: str, expected: list[str]) -> None:
    session = open_bert(tiny_bert)
    [text] = tokenize(session, ["the cat sat mat"])
    names = list(dict.fromkeys(["O", *tags.split()]))
    scores = np.zeros((6, len(names)), np.float32)
    scores[[0, 5], 0] = 1
    scores[range(1, 5), [names.index(tag) for tag in tags.split()]] = 1
    found = find_entities(names, scores, text, session.tokenizer)
    assert [f"{entity.label} {entity.text}" for entity in found] == expected


@pytest.mark.parametrize(("family", "engine"), ENGINES)
def test_answers_are_those_of_the_question_answering_pipeline(tmp_path: Path, family: str, engine: str) -> None:
    save_head(tmp_path, family, HeadTask.ANSWER, **({"type_vocab_size": 2} if family in OWN[1:4] else {}))
    session = open_bert(tmp_path, engine)
    long = ("how", " ".join(["the cat sat on the mat"] * 4))
    for found, pair in zip(labels_of(session, [*PAIRS, long]), [*PAIRS, long], strict=True):
        assert found.answer is not None
        expected: Mapping[str, Any] = expected_answer(tmp_path, *pair)
        answer = found.answer
        assert (answer.text, answer.start, answer.end) == tuple(expected[key] for key in ("text", "start", "end"))
        assert answer.score == near(expected["score"])


def test_a_question_without_a_context_has_no_answer(tmp_path: Path) -> None:
    session = open_bert(save_head(tmp_path, "bert", HeadTask.ANSWER))
    assert [found.answer is None for found in labels_of(session, ["how", ("how", "the cat")])] == [True, False]


def test_an_answer_is_in_what_truncation_left_of_the_context(tmp_path: Path) -> None:
    session = open_bert(save_head(tmp_path, "bert", HeadTask.ANSWER), max_length=6, truncate=True)
    [found] = labels_of(session, [("how are you", "the cat")])
    assert found.answer is not None
    assert found.answer.text in ("the", "the cat")


def test_places_are_those_of_the_users_text_after_a_prompt_and_a_mask(tmp_path: Path) -> None:
    from bertcli.model.request import EmbeddingRequest

    save_head(tmp_path, "bert", HeadTask.TOKEN_LABELS, {0: "X"})
    edit_config(tmp_path, id2label={"0": "X"})
    session = open_bert(tmp_path, embedding=EmbeddingRequest(prompt="the mat: "))
    [found] = labels_of(session, ["how [MASK] you"])
    assert found.entities is not None
    assert [(each.text, each.start, each.end) for each in found.entities] == [("how [MASK] you", 0, 14)]
