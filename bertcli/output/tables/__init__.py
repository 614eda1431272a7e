"""Tables for a terminal, drawn by rich: one file a command."""
