"""What attention heads do. a[i, j] is the weight from query i to key j; layers and heads count from 0.

Special tokens count as tokens; PAD never does, neither as key nor as query. Natural logarithms. Averages are over a
text's queries. Each layer is reduced to what is asked of it before the next one is computed.
"""
