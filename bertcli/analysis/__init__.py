"""Analyses of a model's outputs: embeddings, mask predictions, attention statistics and output shapes."""
