"""Bytes as text of a page: seven characters for six bytes, where base64 takes eight.

Six bytes, big-endian, are one number with seven digits to the base of 116. The digits are the ASCII characters that
neither end a script element nor come back changed from a parser (NUL, CR), nor steer a terminal that the file is
printed to. A page of 512 tokens is a seventh smaller by it.
"""

from typing import Any

import numpy as np

BYTES, DIGITS = 6, 7
_LEFT_OUT = (0x00, 0x05, 0x07, 0x08, 0x0B, 0x0C, 0x0D, 0x0E, 0x0F, 0x1B, ord("<"), 0x7F)
ALPHABET = bytes(code for code in range(128) if code not in _LEFT_OUT)
_BASE = len(ALPHABET)


def to_digits(content: bytes) -> str:
    """The bytes as digits; the last group is filled up with zeros, so whoever reads them has to know their number."""
    groups = -(-len(content) // BYTES)
    padded = np.zeros((groups, 8), np.uint8)
    padded[:, 8 - BYTES :] = np.frombuffer(content.ljust(groups * BYTES, b"\0"), np.uint8).reshape(groups, BYTES)
    numbers: Any = padded.view(">u8")[:, 0].astype(np.uint64)
    digits = np.empty((groups, DIGITS), np.uint8)
    for place in reversed(range(DIGITS)):
        numbers, digits[:, place] = np.divmod(numbers, np.uint64(_BASE))
    return np.frombuffer(ALPHABET, np.uint8)[digits].tobytes().decode("ascii")
