"""Tokenised documents, and the files that hold them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

Ids = npt.NDArray[np.uint16]
Document = list[Ids]
_BATCH = 20_000


@dataclass(frozen=True, slots=True)
class Documents:
    """Token ids of documents, end to end, with the bounds of sentences and documents.

    Sentence i is ids[sentences[i]:sentences[i + 1]]. Document j is the sentences from documents[j] up to, but not
    including, documents[j + 1].
    """

    ids: Ids
    sentences: npt.NDArray[np.int64]
    documents: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.documents) - 1

    def __getitem__(self, index: int) -> Document:
        bounds = self.sentences[self.documents[index] : self.documents[index + 1] + 1].tolist()
        return [self.ids[start:end] for start, end in pairwise(bounds)]

    def __iter__(self) -> Iterator[Document]:
        return (self[index] for index in range(len(self)))

    def save(self, path: Path) -> None:
        """Write the documents to one .npz file."""
        np.savez(path, ids=self.ids, sentences=self.sentences, documents=self.documents)


def load_documents(path: Path) -> Documents:
    """Read the file that Documents.save wrote."""
    with np.load(path) as arrays:
        return Documents(arrays["ids"], arrays["sentences"], arrays["documents"])


def tokenize(texts: Sequence[Sequence[str]], tokenizer: Tokenizer) -> Documents:
    """Tokenise documents.

    Args:
        texts: The sentences of each document.
        tokenizer: The tokenizer; no special tokens are added.
    """
    flat = [sentence for text in texts for sentence in text]
    pieces: list[Ids] = []
    for start in range(0, len(flat), _BATCH):
        encodings = tokenizer.encode_batch_fast(flat[start : start + _BATCH], add_special_tokens=False)
        pieces += [np.array(encoding.ids, np.uint16) for encoding in encodings]
    return Documents(
        np.concatenate(pieces),
        _offsets([len(piece) for piece in pieces]),
        _offsets([len(text) for text in texts]),
    )


def _offsets(lengths: Sequence[int]) -> npt.NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
