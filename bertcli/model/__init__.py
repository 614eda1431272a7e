"""The model: tokenizer, batches, the forward pass and its engines."""
