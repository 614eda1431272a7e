"""Analyses of attention heads: statistics, labels, maps, and the strongest keys of a token.

Conventions: a[i, j] is the weight from query i to key j. Layers and heads count from 0. Special tokens count as tokens.
PAD never counts, neither as key nor as query. Logarithms are natural. Averages are over the queries of a text. Each
layer is reduced to the requested values before the next layer is computed, so that memory holds the weights of one.
"""
