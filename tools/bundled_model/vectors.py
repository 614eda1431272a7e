"""Comparison of the sentence vectors of two models, by the sentences that they find similar."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from tokenizers import Tokenizer
from transformers import BertModel

from tools.bundled_model.batches import Corpus
from tools.bundled_model.documents import Ids
from tools.bundled_model.masking import special_ids

Pairs = list[tuple[Ids, Ids]]
_FEWEST_TOKENS, _MOST_TOKENS = 5, 60


def sentence_pairs(corpus: Corpus, count: int, seed: int) -> Pairs:
    """Draw pairs of held-out sentences.

    Half of the pairs come from one document, so their sentences are more or less similar. The others come from two
    documents.
    """
    rng = np.random.default_rng(seed)
    texts = [
        kept
        for documents in corpus.values()
        for document in documents
        if (kept := [ids for ids in document if _FEWEST_TOKENS <= len(ids) <= _MOST_TOKENS])
    ]
    together = [text for text in texts if len(text) > 1]
    pairs: Pairs = []
    for number in range(count):
        if number % 2:
            text = together[rng.integers(len(together))]
            first, second = (text[index] for index in rng.choice(len(text), 2, replace=False))
        else:
            first, second = (_any(texts[index], rng) for index in rng.choice(len(texts), 2, replace=False))
        pairs.append((first, second))
    return pairs


def _any(text: list[Ids], rng: np.random.Generator) -> Ids:
    return text[int(rng.integers(len(text)))]


def cosines(folder: Path, pairs: Pairs, device: torch.device) -> npt.NDArray[np.float64]:
    """Compute the cosine of the two sentence vectors of each pair.

    A sentence vector is the mean of last_hidden_state over all tokens, special ones included.
    """
    special = special_ids(Tokenizer.from_file(str(folder / "tokenizer.json")))
    model = BertModel.from_pretrained(folder, dtype=torch.float32, add_pooling_layer=False).to(device).eval()

    def vector(ids: Ids) -> torch.Tensor:
        input_ids = torch.tensor([[special.cls, *ids.tolist(), special.sep]], device=device)
        hidden_states: torch.Tensor = model(input_ids=input_ids).last_hidden_state
        return hidden_states[0].mean(0)

    with torch.inference_mode():
        found = [torch.cosine_similarity(vector(first), vector(second), dim=0).item() for first, second in pairs]
    return np.array(found)


def rank_correlation(first: npt.NDArray[np.float64], second: npt.NDArray[np.float64]) -> float:
    """Compute Spearman's rank correlation of values without ties.

    >>> rank_correlation(np.array([1.0, 2.0, 3.0]), np.array([10.0, 30.0, 20.0]))
    0.5
    """
    ranks = [values.argsort().argsort() - (len(values) - 1) / 2 for values in (first, second)]
    return round(float(ranks[0] @ ranks[1] / (ranks[0] @ ranks[0])), 6)
