"""bertcli attn: what the attention heads do. answer.py begins."""
