"""bertcli fill-mask: predictions for masks, and the other analyses of a masked language model."""
