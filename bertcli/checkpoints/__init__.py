"""Find a checkpoint, and read its config, its tokenizer's files and its tensors."""
