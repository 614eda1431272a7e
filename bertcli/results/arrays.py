"""How results speak of arrays without importing numpy."""

from typing import Any

# (seq, hidden), (hidden,) and the like, float32.
FloatArray = Any
