"""Encoding on Ray: plan the actors, run shard tasks, collect the manifest."""
