"""Vectors of texts: encode.py runs the model, pooling.py makes one vector from the vectors of a text's tokens."""
