"""The tables of what else is asked about masks: a file a question."""
