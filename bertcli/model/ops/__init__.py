"""Array operations of the forward pass, for numpy and for torch."""
