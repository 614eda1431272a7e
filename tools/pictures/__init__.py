"""Pictures of the tables in README.md and docs/."""
