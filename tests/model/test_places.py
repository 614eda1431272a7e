"""Places of tokens are in characters of the text that the user wrote."""

from pathlib import Path

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers

from bertcli.checkpoints.architectures import SpecialTokens
from bertcli.checkpoints.config import BertConfig
from bertcli.model.places import token_places, token_spans
from bertcli.model.tokenizer import TextTokenizer
from tests.tiny import open_bert, record, tokenize


def places(text: str, own_mask: str, prompt: str) -> list[str]:
    """Return the characters of the user's text that each token is made of."""
    wrapped = Tokenizer(models.WordLevel({"?": 0, own_mask: 1}, "?"))
    wrapped.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    special = SpecialTokens(unk="?", mask=own_mask)
    tokenizer = TextTokenizer(wrapped, special, BertConfig(vocab_size=2), 100, truncate=False, prompt=prompt)
    [found] = tokenizer.tokenize([record(text)])
    return ["-" if span is None else text[slice(*span)] for span in token_spans(found, tokenizer)]


@pytest.mark.parametrize("own_mask", ["[MASK]", "<mask>", "<m>", "<special-mask-1>"])
@pytest.mark.parametrize("prompt", ["", "the query: "])
def test_a_mask_and_a_prompt_do_not_move_the_places(own_mask: str, prompt: str) -> None:
    text = "how [MASK] you [MASK] [MASK] é"
    assert places(text, own_mask, prompt) == ["-"] * len(prompt.split()) + text.split()


def test_special_tokens_have_no_place(tiny_bert: Path) -> None:
    session = open_bert(tiny_bert)
    [text] = tokenize(session, [("how  Café", "catsing")])
    spans = token_spans(text, session.tokenizer)
    assert spans == [None, (0, 3), (5, 8), (8, 9), None, (0, 3), (3, 4), (4, 7), None]
    assert [place and place.sentence for place in token_places(text, session.tokenizer)] == [
        None, 0, 0, 0, None, 1, 1, 1, None
    ]  # fmt: skip
