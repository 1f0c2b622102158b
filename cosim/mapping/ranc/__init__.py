"""RANC's programs, another chip's, on this one: their files, their rules, and what fits ours.

Reads memory and packet files; makes a program, a stimulus, and the packets to expect. What our
chip cannot express is refused. Must not know a simulator or the golden model.
"""
