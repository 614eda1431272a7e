"""Analyses of masked positions with the MLM head, one module for each kind of analysis."""
