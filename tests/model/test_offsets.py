"""Places of tokens are in characters of the text that the user wrote."""

from pathlib import Path

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers

from bertcli.model.offsets import token_offsets
from bertcli.model.tokenizer import MASK
from tests.tiny import open_bert, tokenize


def places(text: str, own_mask: str, prompt: str = "") -> list[str]:
    """Return the characters of the user's text that each token is made of."""
    tokenizer = Tokenizer(models.WordLevel({"?": 0, own_mask: 1}, "?"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    encoding = tokenizer.encode(prompt + text.replace(MASK, own_mask))
    found = token_offsets(encoding, (text,), len(prompt), MASK, own_mask)
    return ["-" if span is None else text[span[0] : span[1]] for span in found]


@pytest.mark.parametrize("own_mask", ["[MASK]", "<mask>", "<m>", "<special-mask-1>"])
@pytest.mark.parametrize("prompt", ["", "the query: "])
def test_a_mask_and_a_prompt_do_not_move_the_places(own_mask: str, prompt: str) -> None:
    text = "how [MASK] you [MASK] [MASK] é"
    assert places(text, own_mask, prompt) == ["-"] * len(prompt.split()) + text.split()


def test_special_tokens_have_no_place(tiny_bert: Path) -> None:
    [text] = tokenize(open_bert(tiny_bert), [("how  Café", "catsing")])
    spans = [None if span is None else span for span in text.offsets]
    assert spans == [None, (0, 3), (5, 8), (8, 9), None, (0, 3), (3, 4), (4, 7), None]
