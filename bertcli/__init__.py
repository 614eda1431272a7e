"""bertcli shows what comes out of BERT, from a shell."""

__version__ = "0.1.0"
