"""The page about attention: one file with its data, its script and its style in it, that makes no request."""
