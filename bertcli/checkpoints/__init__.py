"""Checkpoints: where to find one, and its config, tokenizer files and tensors."""
