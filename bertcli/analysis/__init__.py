"""What is computed from a model's outputs."""
