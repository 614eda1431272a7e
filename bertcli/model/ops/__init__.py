"""Array operations of the forward pass, in numpy and in torch."""
