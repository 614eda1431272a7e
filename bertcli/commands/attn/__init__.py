"""bertcli attn: attention heads, their statistics and their matrices."""
