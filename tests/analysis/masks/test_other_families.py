"""Analyses of masks in families whose tokens, positions and masks differ from BERT's."""

from pathlib import Path

import numpy as np
import pytest

from bertcli.analysis.masks.compare import ModelComparison
from bertcli.analysis.masks.joint import fill_jointly
from bertcli.analysis.masks.mutual import mutual_influence
from bertcli.analysis.masks.predictions import predict_masks
from bertcli.analysis.masks.pseudo_likelihood import score_texts
from bertcli.analysis.masks.targets import TargetScores, parse_targets
from bertcli.choices import FillOrder, TargetScore, WithinWord
from tests.analysis.masks import slow
from tests.families import save_family
from tests.tiny import one_batch, open_bert

# Byte-level pieces, SentencePiece, no token types, and layers that are not BERT's.
FAMILIES = ["roberta", "xlm-roberta", "distilbert", "modernbert"]
TEXT = "the cat sat how you"


@pytest.fixture(scope="module", params=FAMILIES)
def family(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a checkpoint of the family. Tests must not write to it."""
    return save_family(tmp_path_factory.mktemp(request.param), request.param)


@pytest.mark.parametrize("within_word", [None, *WithinWord])
def test_a_score_equals_that_of_the_familys_class(family: Path, within_word: WithinWord | None) -> None:
    session = open_bert(family, "auto")
    [found] = score_texts(session, one_batch(session, [TEXT]), within_word)
    expected = slow.pseudo_log_likelihoods(family, TEXT, within_word or "original")
    assert {token.position: token.logprob for token in found.tokens} == pytest.approx(expected, rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("method", list(TargetScore))
def test_a_target_is_a_word_with_the_space_before_it(family: Path, method: TargetScore) -> None:
    session, tokenizer = open_bert(family, "auto"), slow.tokenizer(family)
    targets = parse_targets(session.tokenizer, ["how", "catmat"])
    batch = one_batch(session, ["the cat [MASK] you"])
    [record] = predict_masks(session, batch, 1, analyses=[TargetScores(targets, method)])
    [mask] = record.masks
    ids = tokenizer(f"the cat {tokenizer.mask_token} you").input_ids
    for target in mask.targets:
        pieces = tokenizer(f" {target.target}", add_special_tokens=False).input_ids
        expected = slow.target_logprob(family, ids, mask.position, pieces, method)
        assert target.logprob == pytest.approx(expected, rel=1e-5, abs=1e-5)
        assert list(target.pieces) == tokenizer.convert_ids_to_tokens(pieces)
    assert len(mask.targets[1].pieces) > 1


def test_joint_filling_and_mutual_influence_work_in_every_family(family: Path) -> None:
    session, tokenizer = open_bert(family, "auto"), slow.tokenizer(family)
    [found] = fill_jointly(session, one_batch(session, ["the [MASK] sat [MASK]"]), 3, FillOrder.L2R, beam=3)
    ids = tokenizer("the [MASK] sat [MASK]".replace("[MASK]", tokenizer.mask_token)).input_ids
    expected = [logprob for logprob, _ in slow.beam_search(family, ids, 3, FillOrder.L2R)]
    assert [filled.logprob for filled in found] == pytest.approx(expected, rel=1e-5, abs=1e-5)
    [matrix] = mutual_influence(session, one_batch(session, ["how are"]))
    distances = slow.mutual(family, "how are")
    assert {place: float(matrix[place]) for place in distances} == pytest.approx(distances, abs=1e-5)


def test_a_word_is_found_in_the_vocabulary_of_another_family(family: Path, tiny_bert: Path) -> None:
    bert, other = open_bert(tiny_bert), open_bert(family, "auto")
    size = bert.config.vocab_size
    comparing = ModelComparison(bert, other, other.config.vocab_size, None, TargetScore.L2R)
    [record] = predict_masks(bert, one_batch(bert, ["how [MASK] you"]), size, analyses=[comparing])
    [mask] = record.masks
    changes = {change.token_str: change for change in mask.comparison.changes}
    if comparing.is_one_vocabulary:
        assert mask.comparison.jensen_shannon is not None
        return
    assert mask.comparison.jensen_shannon is None
    found = {each.token: each for each in mask.comparison.predictions}
    [piece] = other.tokenizer.encode_word("you")
    assert (changes["you"].other_rank, changes["you"].other_score) == (found[piece].rank, found[piece].score)
    assert changes["##ing"].other_rank is None
    ranks = [change.other_rank for change in mask.comparison.changes if change.other_rank is not None]
    assert sorted(set(ranks)) == list(np.arange(other.config.vocab_size) + 1)
