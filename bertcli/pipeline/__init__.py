"""One scheduler for every command."""
