"""Valid and invalid combinations of the options of encode for words, layers and similarity."""

from dataclasses import replace
from typing import Any

import pytest

from bertcli.choices import LayerOp, OnLong, SimilarityUnit, WordPooling
from bertcli.commands.encode.request import EncodeRequest
from bertcli.commands.options import CorpusOptions, RayOptions, TextOptions, WordOptions
from bertcli.errors import WrongUsage
from bertcli.model.request import EmbeddingRequest, SessionRequest
from bertcli.output.destination import OutputOptions, resolve_destination


def request(
    *texts: str,
    output: str | None = None,
    words: dict[str, Any] | None = None,
    long: OnLong | None = None,
    **options: Any,
) -> EncodeRequest:
    text_options = TextOptions(list(texts or ("a", "b")), **options.pop("texts", {}))
    output_options = OutputOptions(json=output is None, output=output)
    return EncodeRequest(
        text_options, SessionRequest(long=long), output_options, words=WordOptions(**(words or {})), **options
    )


def check(found: EncodeRequest) -> None:
    found.check_options()
    found.check_format(resolve_destination(found.output, found.formats))


ALL_WORDS, ONE_WORD = {"words": True}, {"word": "bank"}
MIX = EmbeddingRequest(layer_op=LayerOp.MEAN)


@pytest.mark.parametrize(
    "found",
    [
        request(words=ALL_WORDS, similarity=SimilarityUnit.TEXTS),
        request(words={"word": "bank", "pretokenized": True, "word_pooling": WordPooling.LAST}),
        request(words=ALL_WORDS, layers="0,1", embedding=MIX, output="out.tsv"),
        request(words=ALL_WORDS, embedding=EmbeddingRequest(normalize=True)),
        request(words=ALL_WORDS, corpus=CorpusOptions(keep_text=True), output="out.parquet"),
        request(layers="0,1", embedding=MIX, output="out.npy"),
        request(similarity=SimilarityUnit.TOKENS),
        request(similarity=SimilarityUnit.TEXTS, top_k=3, output="out.tsv"),
        request(similarity=SimilarityUnit.TOKENS, output="out.jsonl"),
        request(similarity=SimilarityUnit.TEXTS, tokens=True, pooler=True, layers="0"),
        request("a", similarity=SimilarityUnit.TOKENS, texts={"pair": "b"}),
        request("-", similarity=SimilarityUnit.TOKENS),
    ],
)
def test_options_that_go_together_are_accepted(found: EncodeRequest) -> None:
    check(found)


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (request(words={"pretokenized": True}), "--pretokenized needs --words"),
        (request(words={"word_pooling": WordPooling.MEAN}), "--word-pooling needs --words"),
        (
            request(words=ALL_WORDS, tokens=True),
            "--tokens and --words cannot be combined: there is a row for each word",
        ),
        (
            request(words=ONE_WORD, pooler=True),
            "--pooler and --word cannot be combined: pooler_output is a vector of a",
        ),
        (
            request(words=ALL_WORDS, layers="0"),
            "--layers and --words cannot be combined: the vectors of words are made",
        ),
        (request(words=ALL_WORDS, corpus=CorpusOptions(dedupe=True)), "--dedupe and --words cannot be combined"),
        (request(words=ALL_WORDS, long=OnLong.WINDOWS), "--long windows and --words cannot be combined"),
        (request(similarity=SimilarityUnit.TOKENS, long=OnLong.WINDOWS), "--similarity tokens compares the tokens of"),
        (request(words=ALL_WORDS, ray=RayOptions(on_ray=True), output="out/"), "--ray and --words cannot be combined"),
        (request(words=ALL_WORDS, similarity=SimilarityUnit.TOKENS), "--similarity tokens and --words cannot be comb"),
        (request(words=ONE_WORD, output="out/"), "--word is not available in a folder"),
        (request(words={"word": " "}), "--word needs a word, not an empty one"),
        (request(words={"word": "\udcff"}), "--word is not UTF-8"),
        (
            request(words=ALL_WORDS, embedding=EmbeddingRequest(normalize=True), output="out.npy"),
            "--normalize scales the embedding of a text, and .npy has vectors of words alone",
        ),
        (request(embedding=MIX), "--layer-op needs --layers"),
        (request("a", similarity=SimilarityUnit.TOKENS), "--similarity tokens compares two texts, and there is 1"),
        (request("a", "b", "c", similarity=SimilarityUnit.TOKENS), "compares two texts, and there are 3"),
        (request(similarity=SimilarityUnit.TEXTS, output="out.npy"), "--similarity is not available in .npy"),
        (request(similarity=SimilarityUnit.TOKENS, top_k=3), "-k is the number of nearest texts"),
        (request(similarity=SimilarityUnit.TEXTS, tokens=True, output="out.svg"), "a picture shows --similarity alone"),
        (request(similarity=SimilarityUnit.TEXTS, words=ALL_WORDS, output="out.tsv"), "alone, without --words"),
    ],
)
def test_options_that_cannot_be_combined_are_wrong_usage(found: EncodeRequest, message: str) -> None:
    with pytest.raises(WrongUsage) as raised:
        check(found)
    assert message in raised.value.message
    assert raised.value.hint


@pytest.mark.parametrize(
    ("output", "hint"),
    [
        (None, "use --json, or leave --tokens out"),
        ("out.tsv", "use -o out.json instead of -o out.tsv, or leave --tokens out"),
    ],
)
def test_vectors_beside_a_similarity_are_available_in_the_format_of_the_hint(output: str | None, hint: str) -> None:
    with pytest.raises(WrongUsage) as raised:
        check(replace(request(similarity=SimilarityUnit.TEXTS, tokens=True), output=OutputOptions(output=output)))
    assert raised.value.hint == hint


def test_the_layers_are_mixed_or_added_to_the_output() -> None:
    mixed, added = request(layers="0,1", embedding=MIX), request(layers="0,1")
    assert (mixed.session.embedding.mixed_layers, mixed.added_layers) == ("0,1", None)
    assert (added.session.embedding.mixed_layers, added.added_layers) == (None, "0,1")
