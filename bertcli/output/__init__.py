"""Output of results: sink, schemas, tables, pictures, files and page. Only this package imports rich or prints."""
