"""Verification of the chip: random programs, hosts that reconfigure, and the chip in plain loops.

`slow_chip` is a reference of its own, with its own literals, beside RTL and golden model.
"""
