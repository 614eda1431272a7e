"""bertcli shapes: the shapes of outputs and weights, and the tokens of texts."""
