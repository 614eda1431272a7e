"""What the commands return: plain records, whichever engine computed them, to be shown or written by others.

A module for each command, so that a process makes the classes that it needs and no others.
"""
