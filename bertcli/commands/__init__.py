"""Commands, a module or folder for each. A command takes a request, opens a session, runs an analysis, and writes."""
