"""Tokens of shapes --tokens, against transformers' tokenizers."""

from pathlib import Path

import pytest
import transformers

from bertcli.analysis.tokens import describe_tokens
from bertcli.results.tokens import Token
from tests.families import save_family
from tests.tiny import open_bert, save_bert, tokenize

TEXTS = ["how are you", "Café ☃ catsing!", ("the cat", "sat on  the mat"), "[MASK] you."]


@pytest.mark.parametrize("family", ["bert", "roberta", "deberta-v2"])
@pytest.mark.parametrize("text", TEXTS, ids=str)
def test_tokens_are_those_of_transformers(tmp_path: Path, family: str, text: str | tuple[str, str]) -> None:
    if family == "bert":
        save_bert(tmp_path)
    else:
        save_family(tmp_path, family)
    session = open_bert(tmp_path, "transformers" if family == "deberta-v2" else "numpy")
    [tokenized] = tokenize(session, [text])
    found = describe_tokens(tokenized, session.tokenizer).tokens
    reference = transformers.AutoTokenizer.from_pretrained(tmp_path)
    mask = session.tokenizer.special_tokens.mask
    parts = [part.replace("[MASK]", mask) for part in ([text] if isinstance(text, str) else text)]
    encoding = reference(*parts, return_offsets_mapping=True)
    growth = len(mask) - len("[MASK]")
    expected = []
    for position, id_ in enumerate(encoding.input_ids):
        sentence, word = encoding.sequence_ids()[position], encoding.word_ids()[position]
        start, end = encoding.offset_mapping[position]
        if text == "[MASK] you." and growth and start >= len(mask):
            start -= growth
        if text == "[MASK] you." and growth and end >= len(mask):
            end -= growth
        place = (None, None, None) if sentence is None else (start, end, word)
        segment = tokenized.token_type_ids[position] if tokenized.token_type_ids else None
        token = reference.convert_ids_to_tokens(id_)
        expected.append(Token(position, token, id_, segment, *place, sentence is None, id_ == reference.unk_token_id))
    assert found == expected
