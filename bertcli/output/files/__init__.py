"""Binary output files, and how any output file is written whole or not at all."""
