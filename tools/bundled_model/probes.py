"""Everyday sentences with a missing word, written before training, and the word that the model should predict first."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from tokenizers import Tokenizer
from transformers import BertForPreTraining

# The first four must be right.
PROBES = (
    ("how [MASK] you", "are"),
    ("Hello, how [MASK] you?", "are"),
    ("Paris is the capital of [MASK].", "france"),
    ("Thank you very [MASK].", "much"),
    ("Nice to [MASK] you.", "meet"),
    ("What time [MASK] it?", "is"),
    ("Where are you [MASK]?", "going"),
    ("I would like a cup of [MASK].", "tea"),
    ("See you [MASK].", "later"),
    ("Good [MASK], everyone!", "morning"),
    ("Happy birthday to [MASK]!", "you"),
    ("I am sorry, I don't [MASK] what you mean.", "know"),
    ("Can you help [MASK]?", "me"),
    ("The sun rises in the [MASK].", "east"),
    ("The dog [MASK] at the stranger.", "barked"),
    ("She opened the [MASK] and walked in.", "door"),
    ("He has two brothers and one [MASK].", "sister"),
    ("We eat breakfast in the [MASK].", "morning"),
    ("It is very cold in the [MASK].", "winter"),
    ("London is the capital of [MASK].", "england"),
    ("There are seven days in a [MASK].", "week"),
    ("How much does it [MASK]?", "cost"),
    ("Please [MASK] the door behind you.", "close"),
    ("My favorite [MASK] is blue.", "color"),
)


@dataclass(frozen=True, slots=True)
class ProbeAnswer:
    """The answer to a probe. place is the rank of the wanted word in the whole vocabulary, from 1."""

    text: str
    wanted: str
    place: int
    probability: float
    likeliest: tuple[str, ...]


def ask(model: BertForPreTraining, tokenizer: Tokenizer, device: torch.device) -> Iterator[ProbeAnswer]:
    """Yield the model's answer to each probe."""
    for text, wanted in PROBES:
        encoding = tokenizer.encode(text)
        input_ids = torch.tensor([encoding.ids], device=device)
        with torch.inference_mode():
            logits = model(input_ids=input_ids).prediction_logits[0, encoding.tokens.index("[MASK]")].float()
        probabilities = logits.softmax(0)
        likeliest = tuple(str(tokenizer.id_to_token(token)) for token in probabilities.topk(5).indices.tolist())
        probability = probabilities[tokenizer.token_to_id(wanted)]
        place = int((probabilities > probability).sum()) + 1
        yield ProbeAnswer(text, wanted, place, float(probability), likeliest)
