"""What the MLM head says of masked positions: a file a question."""
