"""Verification of the chip: the rules one by one, random programs, waves of what failed.

`reference` is the chip in plain loops, with its own literals, beside RTL and golden model.
"""
