"""Where arrays are computed: tokens, batches, the forward pass and what is read off it."""
