"""Pipeline of every command: the scheduler, with prefetch, progress, halving of batches, dedupe and resume."""
