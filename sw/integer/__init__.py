"""The integer network: a quantised network with batch norm folded into thresholds and biases.

What the chip computes, as plain convolutions (`inference`), and its file: the one door out of `sw`.
"""
