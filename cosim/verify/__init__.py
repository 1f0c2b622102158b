"""Verification of the chip: random programs, hosts that reconfigure, waves of what failed.

`reference` is the chip in plain loops, with its own literals, beside RTL and golden model.
"""
