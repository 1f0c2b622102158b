"""The command line, `nc64c`: arguments in, exit code out; `commands` has one file a command.

The work is imported by the commands that need it, so that `nc64c --help` answers at once.
"""
