"""A corpus that is encoded into a folder: begun, broken off, gone on with."""
