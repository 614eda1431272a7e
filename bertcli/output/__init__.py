"""How results look: tables, records, messages. The only rooms that import rich or print."""
