"""bertcli encode: vectors of texts, into tables, files and folders."""
