"""One verb a file: from options to a request, to results, to a sink."""
