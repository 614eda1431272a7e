"""Results as tables for a terminal: a file a command, drawn by rich."""
