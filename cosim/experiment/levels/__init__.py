"""The levels of an experiment that are the chip: golden model and RTL, resident or streamed.

Knows where spikes go in and come out; the chips themselves it is given as runners.
"""
