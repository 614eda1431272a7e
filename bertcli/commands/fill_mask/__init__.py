"""bertcli fill-mask: what stands in a [MASK], and what else is asked of a masked language model: a file a question."""
