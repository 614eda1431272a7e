"""Known ways to give wrong results outside the forward pass, each with a test that would catch it."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import transformers

from bertcli.analysis.attention.heads import AttnOptions, compute_attention
from bertcli.analysis.masks.predictions import check_masks, predict_masks
from bertcli.analysis.masks.targets import parse_targets
from bertcli.checkpoints.required_files import find_tokenizer_files
from bertcli.errors import BadCheckpoint, BadText, WrongUsage
from bertcli.input.records import FailedText
from bertcli.model.engine import OutputRequest
from bertcli.model.session import Session
from bertcli.model.tokenizer import TokenizedText
from bertcli.model.tokenizer_loading import load_tokenizer
from bertcli.results.attention import HeadStatistics
from bertcli.results.masks import FillMaskRecord
from tests.tiny import (
    VOCABULARY,
    one_batch,
    open_bert,
    random_model,
    record,
    save_bert,
    tokenize,
    write_json,
    write_vocabulary,
)

ENGINES = ["numpy", "torch", "transformers"]
DTYPES = [("numpy", "float32"), ("torch", "float32"), ("torch", "float16"), ("torch", "bfloat16")]


def predictions(session: Session, *texts: str, top_k: int = 5) -> list[FillMaskRecord]:
    return predict_masks(session, one_batch(session, texts), top_k)


def statistics(session: Session, *texts: str) -> list[list[HeadStatistics]]:
    heads = range(session.config.num_attention_heads)
    options = AttnOptions(range(session.config.num_hidden_layers), heads)
    return [list(answer.heads) for answer in compute_attention(session, one_batch(session, texts), options)]


def tokens_of(folder: Path, text: str) -> list[str]:
    return list(tokenize(open_bert(folder), [text])[0].tokens)


@pytest.mark.parametrize(("engine", "dtype"), DTYPES)
def test_scores_are_a_float32_softmax_of_the_logits_over_the_whole_vocabulary(
    tiny_bert: Path, engine: str, dtype: str
) -> None:
    session = open_bert(tiny_bert, engine, dtype=dtype)
    [answer] = predictions(session, "how [MASK] you", top_k=len(VOCABULARY))
    found = answer.masks[0].predictions
    logits = np.array([prediction.logit for prediction in found])
    exponentials = np.exp(logits - logits.max())
    np.testing.assert_allclose(
        [prediction.score for prediction in found], exponentials / exponentials.sum(), rtol=1e-5, atol=1e-7
    )
    assert sum(prediction.score for prediction in found) == pytest.approx(1, abs=1e-5)
    assert logits.max() > 1, "a logit this large is not a probability"


@pytest.mark.parametrize("engine", ENGINES)
def test_padding_is_left_out_of_averages_as_key_and_as_query(tiny_bert: Path, engine: str) -> None:
    session = open_bert(tiny_bert, engine)
    short, long = "a b", "the cat sat on the mat, how are you the cat sat"
    [alone], [padded, _] = statistics(session, short), statistics(session, short, long)
    for found, expected in zip(padded, alone, strict=True):
        for name in ("entropy", "self", "previous", "next", "cls", "sep", "punctuation", "distance", "confidence"):
            assert getattr(found, name) == pytest.approx(getattr(expected, name), abs=1e-5), name
        assert found.label == expected.label


@pytest.mark.parametrize(
    ("settings", "tokens"),
    [
        ({}, ["caf", "##e"]),
        ({"do_lower_case": True}, ["caf", "##e"]),
        ({"do_lower_case": True, "strip_accents": False}, ["caf", "##é"]),
        ({"do_lower_case": False}, ["Caf", "##é"]),
        ({"do_lower_case": False, "strip_accents": None}, ["Caf", "##é"]),
        ({"do_lower_case": False, "strip_accents": True}, ["Caf", "##e"]),
    ],
    ids=str,
)
def test_case_comes_from_tokenizer_config_and_accents_follow_it(
    own_tiny_bert: Path, settings: dict[str, object], tokens: list[str]
) -> None:
    if settings:
        write_json(own_tiny_bert / "tokenizer_config.json", settings)
    assert tokens_of(own_tiny_bert, "Café") == ["[CLS]", *tokens, "[SEP]"]


def test_cased_text_is_not_lowered_by_a_tokenizer_json_either(own_tiny_bert: Path) -> None:
    cased = transformers.BertTokenizer(str(own_tiny_bert / "vocab.txt"), do_lower_case=False)
    for name in ("vocab.txt", "tokenizer_config.json"):
        (own_tiny_bert / name).unlink()
    cased.backend_tokenizer.save(str(own_tiny_bert / "tokenizer.json"))
    assert tokens_of(own_tiny_bert, "Café") == ["[CLS]", "Caf", "##é", "[SEP]"]


@pytest.fixture
def bert_with_another_mask(tmp_path: Path) -> Path:
    """Return a BERT whose mask token is <mask>. [MASK] is not in its vocabulary."""
    folder = save_bert(tmp_path / "other-mask", random_model())
    write_vocabulary(folder, ["<mask>" if token == "[MASK]" else token for token in VOCABULARY])
    write_json(folder / "tokenizer_config.json", {"mask_token": {"content": "<mask>", "lstrip": True}})
    return folder


def test_the_mask_is_the_tokenizers_own_and_may_also_be_written_mask_in_brackets(bert_with_another_mask: Path) -> None:
    session = open_bert(bert_with_another_mask)
    assert session.tokenizer.special_tokens.mask == "<mask>"
    in_brackets, own = tokenize(session, ["how [MASK] you", "how <mask> you"])
    assert in_brackets.tokens == own.tokens == ("[CLS]", "how", "<mask>", "you", "[SEP]")
    assert in_brackets.input_ids == own.input_ids
    # Run each on its own: in one batch, a product may round the rows of two equal texts differently.
    [first], [second] = (predictions(session, text) for text in ("how [MASK] you", "how <mask> you"))
    assert first.masks == second.masks
    assert first.masks[0].position == 2


def test_the_pair_may_hold_the_mask_in_brackets_too(bert_with_another_mask: Path) -> None:
    [text] = tokenize(open_bert(bert_with_another_mask), [("how", "are [MASK]")])
    assert text.tokens == ("[CLS]", "how", "[SEP]", "are", "<mask>", "[SEP]")


def asked(folder: Path, text: str, **request: object) -> TokenizedText | FailedText:
    session = open_bert(folder, **request)
    [found] = session.tokenizer.tokenize([record(text)])
    if isinstance(found, FailedText):
        return found
    return check_masks(session, found) or found


LONG = "a " * 70


def test_a_text_that_is_too_long_fails_with_its_length_and_the_limit(tiny_bert: Path) -> None:
    found = asked(tiny_bert, LONG)
    assert isinstance(found, FailedText)
    assert isinstance(found.error, BadText)
    assert found.error.message == "the text has 72 tokens, and the limit is 64"
    assert found.error.hint == "cut it with --long truncate, or read all of it with --long windows"


def test_a_text_of_exactly_as_many_tokens_as_positions_fits(tiny_bert: Path) -> None:
    session = open_bert(tiny_bert)
    fits, does_not = session.tokenizer.tokenize([record("a " * 62), record("a " * 63)])
    assert isinstance(fits, TokenizedText)
    assert (len(fits), fits.truncated) == (64, False)
    assert isinstance(does_not, FailedText)
    assert session.run(one_batch(session, ["a " * 62]), OutputRequest()).last_hidden_state.shape == (1, 64, 24)


def test_truncate_cuts_a_text_and_marks_it(tiny_bert: Path) -> None:
    session = open_bert(tiny_bert, truncate=True)
    cut, whole = tokenize(session, [LONG, "how are you"])
    assert (len(cut), cut.truncated, cut.tokens[-1]) == (64, True, "[SEP]")
    assert (len(whole), whole.truncated) == (5, False)


def test_a_truncated_text_is_marked_in_the_record(tiny_bert: Path) -> None:
    session = open_bert(tiny_bert, truncate=True)
    cut, whole = predictions(session, f"[MASK] {LONG}", "how [MASK] you")
    assert (cut.text.truncated, whole.text.truncated) == (True, False)


def test_truncating_a_mask_is_an_error(tiny_bert: Path) -> None:
    found = asked(tiny_bert, f"[MASK] {LONG} [MASK]", truncate=True)
    assert isinstance(found, FailedText)
    assert found.error.message == "1 of the text's masks would be cut away"
    assert found.error.hint == "put the mask nearer to the beginning, or use --long windows instead"
    kept = asked(tiny_bert, f"[MASK] {LONG}", truncate=True)
    assert isinstance(kept, TokenizedText)


def test_windows_are_not_offered_for_a_cut_mask_of_a_pair(tiny_bert: Path) -> None:
    session = open_bert(tiny_bert, truncate=True)
    [found] = session.tokenizer.tokenize([record((f"{LONG} [MASK]", LONG))])
    assert isinstance(found, TokenizedText)
    failed = check_masks(session, found)
    assert failed is not None
    assert failed.error.hint == "put the mask nearer to the beginning"


def test_max_length_is_named_for_a_cut_mask_only_below_the_positions(tiny_bert: Path) -> None:
    session = open_bert(tiny_bert, truncate=True, max_length=32)
    session.tokenizer.offers_windows = False
    [found] = session.tokenizer.tokenize([record(f"{LONG} [MASK]")])
    assert isinstance(found, TokenizedText)
    failed = check_masks(session, found)
    assert failed is not None
    assert failed.error.hint == "put the mask nearer to the beginning, or raise --max-length"


def test_truncated_masks_are_counted_far_beyond_the_prefix(tiny_bert: Path) -> None:
    found = asked(tiny_bert, f"[MASK] {'a ' * 40_000} [MASK] [MASK]", truncate=True)
    assert isinstance(found, FailedText)
    assert found.error.message == "2 of the text's masks would be cut away"


def test_max_length_may_be_below_the_positions_of_the_model_but_not_above(tiny_bert: Path) -> None:
    found = asked(tiny_bert, "a a a a a a a", max_length=5)
    assert isinstance(found, FailedText)
    assert found.error.message == "the text has 9 tokens, and the limit is 5"
    with pytest.raises(WrongUsage, match="64 positions"):
        open_bert(tiny_bert, max_length=65)


def test_a_text_fails_if_the_limit_leaves_no_room_for_words(tiny_bert: Path) -> None:
    session = open_bert(tiny_bert, max_length=3, truncate=True)
    alone, pair = session.tokenizer.tokenize([record("how are you"), record(("how", "are"), 1)])
    assert isinstance(alone, TokenizedText)
    assert isinstance(pair, FailedText)
    assert "no room for words" in pair.error.message


@pytest.fixture(scope="module")
def headless(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Yield a checkpoint with neither a pooler nor an MLM head."""
    model = random_model(transformers.BertForTokenClassification)
    yield save_bert(tmp_path_factory.mktemp("headless"), model)


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["fill-mask", "how [MASK] you"], "no masked-language-model head"),
        (["encode", "how are you", "--pool", "pooler"], "no pooler"),
        (["encode", "how are you", "--pooler", "--json"], "no pooler"),
    ],
    ids=["fill-mask", "pool", "pooler"],
)
def test_a_command_prints_no_number_that_the_checkpoint_does_not_hold(
    headless: Path, arguments: list[str], what: str
) -> None:
    command = [sys.executable, "-m", "bertcli", *arguments, "-m", str(headless)]
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    assert done.returncode == 1
    assert done.stdout == ""
    assert what in done.stderr


def test_a_pair_fails_if_the_model_has_no_token_type_for_sentence_b(tmp_path: Path) -> None:
    session = open_bert(save_bert(tmp_path, type_vocab_size=1))
    alone, pair = session.tokenizer.tokenize([record("how"), record(("how", "are"), 1)])
    assert isinstance(alone, TokenizedText)
    assert isinstance(pair, FailedText)
    assert "type_vocab_size is 1" in pair.error.message


def test_a_token_id_beyond_the_embeddings_is_an_error(own_tiny_bert: Path) -> None:
    [text] = tokenize(open_bert(own_tiny_bert), ["how"])
    files = find_tokenizer_files(own_tiny_bert)
    tokenizer = json.loads(load_tokenizer(files).to_str())
    tokenizer["model"]["vocab"]["how"] = 40_000
    write_json(own_tiny_bert / "tokenizer.json", tokenizer)
    session = open_bert(own_tiny_bert)
    [failed, other] = session.tokenizer.tokenize([text.record, record("you", 1)])
    assert isinstance(failed, FailedText)
    assert "a token of id 40,000" in failed.error.message
    assert isinstance(other, TokenizedText)
    with pytest.raises(BadCheckpoint, match="a token of id 40,000"):
        parse_targets(session.tokenizer, ["how"])
