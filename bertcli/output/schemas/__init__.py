"""The view of each command's records: a file a command."""
