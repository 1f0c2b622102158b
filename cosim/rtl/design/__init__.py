"""The RTL of a user in the place of ours: its files as one text, and the pins of its top.

Verilator reads and elaborates it: nothing is parsed here. Knows no program, and builds nothing.
"""
