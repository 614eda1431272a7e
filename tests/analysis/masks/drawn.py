"""Hypothesis strategies for texts, words and engines of the mask tests, and sessions that stay open."""

from functools import cache
from pathlib import Path

from hypothesis import strategies as st

from bertcli.model.session import Session
from tests.tiny import WORDS, open_bert

ENGINES = ["numpy", "torch", "transformers"]
# In the vocabulary of the tiny checkpoints: words of one piece, of two, and of more.
PIECES = {"cats": 2, "mating": 2, "xyzzy": 5, "the cat": 2, "é!": 2}
_words = st.sampled_from([*WORDS, *PIECES, ".", "?", "中"])

engines = st.sampled_from(ENGINES)
targets = st.lists(st.sampled_from(["cat", "you", "the", "mat", "!", *PIECES]), min_size=1, max_size=4, unique=True)
plain_texts = st.lists(_words, min_size=1, max_size=6).map(" ".join)


@st.composite
def masked_texts(draw: st.DrawFn, most: int = 3) -> str:
    """Draw a text with one to `most` masks among its words."""
    words = draw(st.lists(_words, max_size=5))
    for _ in range(draw(st.integers(1, most))):
        words.insert(draw(st.integers(0, len(words))), "[MASK]")
    return " ".join(words)


@cache
def session_of(folder: Path, engine: str, batch_tokens: int | None = None) -> Session:
    """Return a session that is opened once for all examples."""
    return open_bert(folder, engine, batch_tokens=batch_tokens)
