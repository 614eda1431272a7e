"""Results of the commands: frozen records that output writes, the same for every engine.

Each command has a module, so that a process creates only the classes that it needs.
"""
